"""Files that are there whole or not at all, and JSON that tells when it was damaged.

Every JSON file carries the hash of all else in it, and names the hashes of what the same job wrote
beside it (see `netsurgery.storage.integrity`).
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

CHECKSUM = "checksum"  # the last key of every JSON file: the hash of the others
MIN_FREE_BYTES = 16 * 2**20  # bytes to be left on a disk: Snakemake breaks where it cannot write
FILES = "checksums"  # the hashes of files that a JSON file vouches for, by their names beside it


class UnusableFileError(ValueError):
    """A file that cannot be used for what it was given; the message says why."""


class DamagedFileError(UnusableFileError):
    """A file is not as it was written."""

    def __init__(self, path: Path | str, why: str = "its checksum does not fit") -> None:
        super().__init__(f"{path}: damaged ({why}); the next run makes it again")
        self.path, self.why = Path(path), why


def check_free_space(path: Path) -> None:
    """Raise OSError where the disk that a file is to be written to is full, or nearly."""
    if shutil.disk_usage(path.parent).free < MIN_FREE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, renamed to it when the block ends well, else removed.

    What a writer that was killed left under such a name goes, too.

    Raises:
        OSError: the disk is full, or nearly.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    check_free_space(path)
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
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _seal(head: bytes) -> bytes:
    return b' "%s": "%s"\n}\n' % (CHECKSUM.encode(), hashlib.sha256(head).hexdigest().encode())


def to_checksummed_json(value: Mapping[str, Any]) -> bytes:
    """A mapping as JSON, with the hash of its own text as the last entry."""
    text = json.dumps(value, indent=1, allow_nan=False)
    head = (text.removesuffix("\n}") + ",\n" if value else "{\n").encode()
    return head + _seal(head)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON that any reader takes, sealed: NaN is refused, not written.

    Raises:
        ValueError: the value holds a NaN or an infinity.
    """
    content = to_checksummed_json(value)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


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
    head = content[: -len(_seal(b""))]
    if head + _seal(head) != content:
        raise DamagedFileError(path)
    value = json.loads(content)
    del value[CHECKSUM]
    return value


def sha256(path: Path) -> str:
    """Hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksums(beside: Path, *files: Path) -> dict[str, str]:
    """Hashes of files, by their names as seen from the folder of the file that is to vouch."""
    return {os.path.relpath(file, beside.parent): sha256(file) for file in files}


def write_checksums(path: Path, *files: Path) -> None:
    """Write a JSON file that does nothing but vouch for others."""
    write_json(path, {FILES: checksums(path, *files)})


def check(file: Path, stated: str) -> None:
    """Compare a file with its hash.

    Raises:
        Damaged: it has another one.
    """
    if sha256(file) != stated:
        raise DamagedFileError(file)
