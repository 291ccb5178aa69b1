"""Whether the files of results are still what was written: found by content, not by date.

Every JSON file is sealed with its own checksum. It vouches for what its job wrote beside it: a
record for its model, `data.json` for the samples, `final/test.json` for `final/model.keras`, and so
on. Jobs check what they read; a run checks everything as it begins, and takes away what is damaged,
so that the workflow misses it and makes it again. MLflow's store is checked by the digests of its
runs. Dates matter to Snakemake alone: those that it would stumble over are mended.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from netsurgery.storage import mlflow_sqlite
from netsurgery.storage.files import FILES, DamagedFileError, check, read_json

STORE = "mlflow.db"
ASIDE = ".damaged"  # behind the name of a store that is set aside
DATA, LOGS = "_data", "logs"
TOGETHER = (".json", ".keras", ".npz")  # of one name: what a job wrote, and what vouches for it


def checksummed_files(results: Path) -> Iterator[Path]:
    """All JSON files of results: of datasets, of searches, of the table over all."""
    yield from results.glob(f"{DATA}/*/data.json")
    for search in results.glob("*/seed*"):
        for folder, inside, names in os.walk(search):
            inside[:] = sorted(name for name in inside if name != LOGS)
            # a dot: left by a writer that was killed, and removed by the next one
            yield from (
                Path(folder, name)
                for name in sorted(names)
                if name.endswith(".json") and not name.startswith(".")
            )
    yield from results.glob("summary.json")


def damage_in(path: Path) -> list[DamagedFileError]:
    """The damage of a sealed file, or of the files that it vouches for.

    Files that are not there are no damage: the workflow misses them by itself.
    """
    try:
        value = read_json(path)
    except FileNotFoundError:
        return []
    except DamagedFileError as damaged:
        return [damaged]
    vouched = {path.parent / name: stated for name, stated in value.get(FILES, {}).items()}
    if "model_sha256" in value:
        vouched[path.with_suffix(".keras")] = value["model_sha256"]
    found = []
    for file, stated in vouched.items():
        try:
            check(file, stated)
        except FileNotFoundError:
            pass
        except DamagedFileError as damaged:
            found.append(DamagedFileError(os.path.normpath(file), damaged.why))
    return found


def find_damaged(results: Path) -> list[DamagedFileError]:
    """All damage of a folder of results, each file once.

    Args:
        results: the folder, with searches that are finished or not.
    """
    with ThreadPoolExecutor() as pool:  # hashing leaves the interpreter to others
        found = [each for some in pool.map(damage_in, checksummed_files(results)) for each in some]
    store = results / STORE
    if store.exists() and (why := mlflow_sqlite.damage(store)):
        found.append(DamagedFileError(store, why))
    return list({each.path: each for each in found}.values())


def remove_damaged(found: Iterable[DamagedFileError]) -> None:
    """Remove damaged files; a store, which may hold runs of others, is set aside."""
    for each in found:
        with contextlib.suppress(FileNotFoundError):
            if each.path.name == STORE:
                os.replace(each.path, each.path.with_name(STORE + ASIDE))
            else:
                each.path.unlink()
                # of a record and its file the workflow misses only what its next jobs ask for
                for suffix in TOGETHER if each.path.suffix in TOGETHER else ():
                    each.path.with_suffix(suffix).unlink(missing_ok=True)


def clamp_future_mtimes(results: Path, now: float) -> int:
    """Give files that are dated in the future the present date; gives how many were.

    A clock that was wrong leaves them. Snakemake ends a run in which something seems older than
    what it was made of.

    Args:
        results: the folder.
        now: seconds since the epoch.
    """
    count = 0
    for folder, _, names in os.walk(results):
        for path in (Path(folder, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                if path.lstat().st_mtime > now:
                    os.utime(path, (now, now), follow_symlinks=False)
                    count += 1
    return count
