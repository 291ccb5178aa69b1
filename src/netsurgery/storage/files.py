"""Atomic writes, and JSON files with checksums.

The last entry of every JSON file is the checksum of the rest. A file may also list checksums of
other files that the same job wrote next to it (see `netsurgery.storage.integrity`).
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

CHECKSUM = "checksum"  # the last key of every JSON file: the hash of the rest
CHECKSUMS = "checksums"  # a key of JSON files: hashes of other files, by relative path
DEPENDENCIES = "dependencies"  # a key of JSON files (see `netsurgery.storage.dependencies`)
MIN_FREE_BYTES = 16 * 2**20  # to leave on a disk: Snakemake crashes where it cannot write


class UnusableFileError(ValueError):
    """A file that does not serve its purpose; the message says why."""


class DamagedFileError(UnusableFileError):
    """A file that differs from what was written.

    Args:
        path: of the file.
        reason: how the damage shows.
        listed_in: the JSON file with its checksum; None if the file has its own.
    """

    def __init__(
        self,
        path: Path | str,
        reason: str = "its checksum does not match",
        listed_in: Path | None = None,
    ) -> None:
        super().__init__(f"{path}: damaged ({reason}); the next run regenerates it")
        self.path, self.reason, self.listed_in = Path(path), reason, listed_in


class MissingFileError(DamagedFileError):
    """A file that another one lists is not there."""

    def __init__(self, path: Path | str, listed_in: Path) -> None:
        super().__init__(path, "it is missing", listed_in)
        self.args = (f"{path}: is missing; the next run makes it again",)


def check_free_space(path: Path) -> None:
    """Raise OSError if the disk for a file is full, or nearly full."""
    if shutil.disk_usage(path.parent).free < MIN_FREE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def is_writable(path: Path) -> bool:
    """Whether a file can be written, and folders made for it where they are missing."""
    folder = path.absolute().parent
    while not folder.exists():
        folder = folder.parent
    return os.access(folder, os.W_OK | os.X_OK) and (
        not path.exists() or (os.access(path, os.W_OK) and not path.is_dir())
    )


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path, renamed to `path` when the block succeeds and removed when it fails.

    Temporary files of killed writers are removed as well.

    Raises:
        OSError: the disk is full, or nearly full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    check_free_space(path)
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*"):
        leftover.unlink(missing_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _checksum_line(head: bytes) -> bytes:
    """The end of a JSON file: the checksum of what stands before it."""
    return b' "%s": "%s"\n}\n' % (CHECKSUM.encode(), hashlib.sha256(head).hexdigest().encode())


def to_checksummed_json(value: Mapping[str, Any]) -> bytes:
    """A mapping as JSON, with the checksum of its own text as the last entry."""
    text = json.dumps(value, indent=1, allow_nan=False)
    head = (text.removesuffix("\n}") + ",\n" if value else "{\n").encode()
    return head + _checksum_line(head)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write standard JSON with its checksum, atomically.

    Raises:
        ValueError: the value contains a NaN or an infinity.
    """
    content = to_checksummed_json(value)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as CSV, atomically."""
    table = io.StringIO()
    writer = csv.DictWriter(table, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, table.getvalue())


def read_json(path: Path | str) -> dict[str, Any]:
    """Read what `write_json` wrote, without what it depends on.

    Raises:
        DamagedFileError: a byte of it has changed.
    """
    return read_with_dependencies(path)[0]


def read_with_dependencies(path: Path | str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Read what `write_json` wrote, and what it depends on; None if it does not say.

    Raises:
        DamagedFileError: a byte of it has changed.
    """
    content = Path(path).read_bytes()
    head = content[: -len(_checksum_line(b""))]
    if head + _checksum_line(head) != content:
        raise DamagedFileError(path)
    value = json.loads(content)
    del value[CHECKSUM]
    return value, value.pop(DEPENDENCIES, None)


def sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksums(path: Path, *files: Path) -> dict[str, str]:
    """Hashes of files, by their paths relative to the folder of the JSON file at `path`."""
    return {os.path.relpath(file, path.parent): sha256(file) for file in files}


def write_checksums(path: Path, *files: Path) -> None:
    """Write a JSON file that only holds the checksums of others."""
    write_json(path, {CHECKSUMS: checksums(path, *files)})


def verify_checksum(file: Path, expected: str) -> None:
    """Compare a file's hash with the expected one.

    Raises:
        DamagedFileError: they differ.
    """
    if sha256(file) != expected:
        raise DamagedFileError(file)
