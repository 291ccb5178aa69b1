"""The content of the files that a dataset is read from, whatever their names and dates.

Large files are read once: as long as a file's size, dates and place on the disk stay as they were,
its checksum is taken from a list.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netsurgery.datasets.folders import is_system, walk
from netsurgery.datasets.source import FILE_KEYS, Settings, input_paths
from netsurgery.storage.dependencies import digest
from netsurgery.storage.files import sha256, write_text


def settings_without_paths(settings: Settings) -> dict[str, Any]:
    """Return the settings of a dataset without those that only say how to get at its files."""
    return {key: value for key, value in settings.items() if key not in (*FILE_KEYS, "download")}


@dataclass
class KnownFiles:
    """Checksums of files that have been read, kept in a file.

    Attributes:
        path: The file that keeps them.
        checksums: By the path of a file, and what changes whenever it is written.
    """

    path: Path
    checksums: dict[str, str] = field(default_factory=dict)
    changed: bool = False

    @classmethod
    def of(cls, folder: Path) -> KnownFiles:
        """Read what is kept in the folder of a prepared dataset; nothing if it is not readable."""
        path = folder / "files.json"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found = {}
        return cls(path, found if isinstance(found, dict) else {})

    def save(self) -> None:
        """Keep the checksums for the next run, if there are new ones."""
        if self.changed:
            write_text(self.path, json.dumps(self.checksums, indent=1))
            self.changed = False

    def checksum(self, file: Path) -> str:
        """Return the checksum of a file, which is read if it is not known.

        The time of the last change of an inode is part of what identifies a version of a file: no
        program can set it, so that a copy with its old date does not go unnoticed.
        """
        stat = file.stat()
        version = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev)
        key = f"{file.absolute()} {version}"
        if key not in self.checksums:
            self.checksums[key] = sha256(file)
            self.changed = True
        return self.checksums[key]


def content_of_files(settings: Settings, known: KnownFiles) -> str | None:
    """Return a digest of all files that a dataset is read from; None if they are not there.

    The names of files in a folder count, the path of the folder does not.
    """
    if not all(path.exists() for path in input_paths(settings).values()):
        return None
    return digest({name: _checksum(file, known) for name, file in _files(input_paths(settings))})


def _checksum(file: Path, known: KnownFiles) -> str:
    try:
        return known.checksum(file)
    except OSError as error:  # preparing the dataset fails as well, with a message
        return f"not readable: {error.strerror}"


def _files(paths: Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
    for key, path in paths.items():
        if path.is_file():
            yield key, path
            continue
        for place, names in walk(path, strict=False):
            for file in (place / name for name in names if not is_system(name)):
                if file.is_file():
                    yield f"{key}/{file.relative_to(path).as_posix()}", file
