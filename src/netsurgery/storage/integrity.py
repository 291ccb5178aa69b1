"""Damage in a results folder, found by content rather than by modification time.

Every JSON file holds its own checksum, and the checksums of what its job wrote next to it: a record
that of its model, `data.json` those of the samples, `final/test.json` that of `final/model.keras`,
and so on. Jobs verify what they read. A run verifies everything when it starts and removes damaged
files, so that the workflow regenerates them. The runs in an MLflow store are verified by their
digests. Only Snakemake looks at modification times; those that would confuse it are corrected.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from netsurgery.storage import mlflow_sqlite
from netsurgery.storage.files import (
    CHECKSUMS,
    DamagedFileError,
    MissingFileError,
    read_json,
    verify_checksum,
)

STORE = "mlflow.db"
DAMAGED_SUFFIX = ".damaged"  # of a damaged store, which is renamed
DATA, LOGS = "_data", "logs"
COMPANIONS = (".json", ".keras", ".npz")  # files of one name: what a job wrote, and its checksums


def checksummed_files(results: Path) -> Iterator[Path]:
    """All JSON files of a results folder: of its datasets, its searches and the summary."""
    yield from results.glob(f"{DATA}/*/data.json")
    for search in results.glob("*/seed*"):
        yield from json_files(search)
    yield from results.glob("summary.json")


def json_files(folder: Path) -> Iterator[Path]:
    """All JSON files of a dataset or of a search with one seed."""
    if folder.parent.name == DATA:
        yield from folder.glob("data.json")
        return
    for current, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != LOGS)
        # a leading dot: left by a killed writer; the next writer removes it
        yield from (
            Path(current, name)
            for name in sorted(names)
            if name.endswith(".json") and not name.startswith(".")
        )


def damage_in(path: Path) -> list[DamagedFileError]:
    """The damage of a JSON file, or of the files whose checksums it holds.

    A file that it lists and that is missing counts, for the workflow only misses some of them. If
    the JSON file itself is missing, nothing is known.
    """
    try:
        value = read_json(path)
    except FileNotFoundError:
        return []
    except DamagedFileError as damaged:
        return [damaged]
    expected = {path.parent / name: sha for name, sha in value.get(CHECKSUMS, {}).items()}
    if "model_sha256" in value:
        expected[path.with_suffix(".keras")] = value["model_sha256"]
    found: list[DamagedFileError] = []
    for file, sha in expected.items():
        try:
            verify_checksum(file, sha)
        except FileNotFoundError:
            found.append(MissingFileError(os.path.normpath(file), path))
        except DamagedFileError as damaged:
            found.append(DamagedFileError(os.path.normpath(file), damaged.reason, path))
    return found


def find_damaged(results: Path) -> list[DamagedFileError]:
    """All damaged files of a results folder, each once.

    Args:
        results: the folder; its searches may be unfinished.
    """
    with ThreadPoolExecutor() as pool:  # hashing releases the interpreter lock
        found = [each for some in pool.map(damage_in, checksummed_files(results)) for each in some]
    store = results / STORE
    if store.exists() and (reason := mlflow_sqlite.find_damage(store)):
        found.append(DamagedFileError(store, reason))
    return list({each.path: each for each in found}.values())


def remove_damaged(found: Iterable[DamagedFileError]) -> None:
    """Remove damaged files, so that the workflow makes them again.

    What lists a file goes with it, or no job would miss an optional one. A store, which may hold
    runs of other projects, is renamed.
    """
    for each in found:
        if each.listed_in:
            with contextlib.suppress(FileNotFoundError):
                remove(each.listed_in)
        with contextlib.suppress(FileNotFoundError):
            if each.path.name == STORE:
                os.replace(each.path, each.path.with_name(STORE + DAMAGED_SUFFIX))
            else:
                remove(each.path)


def remove(path: Path) -> None:
    """Remove a file, and what its job wrote under the same name.

    The workflow would regenerate only the one of them that its next jobs need.

    Raises:
        FileNotFoundError: There is no such file.
    """
    path.unlink()
    for suffix in COMPANIONS if path.suffix in COMPANIONS else ():
        path.with_suffix(suffix).unlink(missing_ok=True)


def clamp_future_mtimes(results: Path, now: float) -> int:
    """Set modification times in the future, which a wrong clock leaves behind, to the present.

    Snakemake stops a run if an output seems older than its input.

    Args:
        results: the folder.
        now: the present Unix time, in seconds.

    Returns:
        The number of files changed.
    """
    count = 0
    for folder, _, names in os.walk(results):
        for path in (Path(folder, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                if path.lstat().st_mtime > now:
                    os.utime(path, (now, now), follow_symlinks=False)
                    count += 1
    return count
