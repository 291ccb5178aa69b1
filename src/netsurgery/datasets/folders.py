"""Walk through a user's folders: links are followed, rubbish of operating systems is told apart."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from netsurgery.datasets.source import DataError

# files and folders of macOS, Windows and file servers, in lower case; hidden ones start with a dot
SYSTEM_NAMES = {
    "__macosx",
    "__pycache__",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "icon\r",
    "@eadir",
    "#recycle",
    "$recycle.bin",
    "system volume information",
    "lost+found",
}


def is_system(name: str) -> bool:
    """Whether a file or folder is hidden or belongs to an operating system."""
    return name.startswith(".") or name.lower() in SYSTEM_NAMES


def walk(folder: Path, *, strict: bool = True) -> Iterator[tuple[Path, list[str]]]:
    """A folder and those below it, each once, with the names of what is in it; follows links.

    Args:
        folder: to begin with.
        strict: whether a folder that cannot be read is an error.

    Raises:
        DataError: a folder cannot be read.
    """

    def fail(error: OSError) -> None:
        if strict:
            raise DataError(f"{error.filename}: cannot be read ({error.strerror})")

    seen: set[str] = set()  # a link may lead back to a folder above it
    for place, folders, files in os.walk(folder, onerror=fail, followlinks=True):
        names = [*files, *filter(is_system, folders)]
        folders[:] = sorted(name for name in folders if not is_system(name))
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield Path(place), sorted(names)
