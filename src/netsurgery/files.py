"""Files that are there whole or not at all, and JSON that tells when it was damaged.

Every JSON file carries the hash of all else in it, and names the hashes of what the same job wrote
beside it (see `netsurgery.integrity`).
"""

from __future__ import annotations

import contextlib
import csv
import errno
import glob
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

SEAL = "checksum"  # the last key of every JSON file: the hash of the others
ROOM = 16 * 2**20  # bytes to be left on a disk: Snakemake breaks where it cannot write
FILES = "files"  # the hashes of files that a JSON file vouches for, by their names beside it


class Unusable(ValueError):  # noqa: N818 - it reads as what it says
    """A file that cannot be used for what it was given; the message says why."""


class Damaged(Unusable):
    """A file is not as it was written."""

    def __init__(self, path: Path | str, why: str) -> None:
        super().__init__(f"{path}: damaged ({why}); the next run makes it again")
        self.path, self.why = Path(path), why


@contextlib.contextmanager
def written(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, renamed to it when the block ends well, else removed.

    What a writer that was killed left under such a name goes, too.

    Raises:
        OSError: the disk is full, or nearly.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(path.parent).free < ROOM:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
        left.unlink(missing_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with written(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=1, allow_nan=False)


def sealed(value: Mapping[str, Any]) -> str:
    """A mapping as JSON with the hash of its own text."""
    seal = hashlib.sha256(_json(value).encode()).hexdigest()
    return _json({**value, SEAL: seal}) + "\n"


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON that any reader takes, sealed: NaN is refused, not written.

    Raises:
        ValueError: the value holds a NaN or an infinity.
    """
    write_text(path, sealed(value))


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as CSV, whole or not at all."""
    table = io.StringIO()
    writer = csv.DictWriter(table, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, table.getvalue())


def read_json(path: Path | str) -> dict[str, Any]:
    """Read what `write_json` wrote.

    Raises:
        Damaged: it is no longer that, to the byte.
    """
    content = Path(path).read_bytes()
    try:
        value = json.loads(content)
        stated = value.pop(SEAL)
        written = sealed(value).encode()
    except (ValueError, KeyError, AttributeError, TypeError):
        raise Damaged(path, "it is no sealed JSON") from None
    if written != content:
        raise Damaged(path, f"its checksum is not {str(stated)[:12]}")
    return value


def sha256(path: Path) -> str:
    """Hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksums(beside: Path, *files: Path) -> dict[str, str]:
    """Hashes of files, by their names as seen from the folder of the file that is to vouch."""
    return {os.path.relpath(file, beside.parent): sha256(file) for file in files}


def vouch(path: Path, *files: Path) -> None:
    """Write a JSON file that does nothing but vouch for others."""
    write_json(path, {FILES: checksums(path, *files)})


def check(file: Path, stated: str) -> None:
    """Compare a file with its hash.

    Raises:
        Damaged: it has another one.
    """
    if sha256(file) != stated:
        raise Damaged(file, f"its checksum is not {stated[:12]}")
