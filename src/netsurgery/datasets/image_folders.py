"""The images of every class in a folder with a subfolder per class, and what else lies there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from netsurgery.datasets.folders import is_system, walk
from netsurgery.datasets.source import DataError

# formats that Pillow knows by name but does not read, or that hold no single images
NO_IMAGES = {"BUFR", "GRIB", "HDF5", "WMF", "MPEG", "PDF"}


@dataclass(frozen=True)
class ImageFolder:
    """A folder with a subfolder per class.

    Attributes:
        path: of the folder.
        images: of each class, in the order of their paths; those in deeper subfolders too.
        outside: images that lie in no class's folder.
        others: files that are not images.
        system: hidden files and folders, and those of operating systems.
    """

    path: Path
    images: dict[str, list[Path]]
    outside: list[Path]
    others: list[Path]
    system: list[Path]

    @property
    def files(self) -> list[Path]:
        """The images of all classes, by class."""
        return [file for images in self.images.values() for file in images]


def image_suffixes() -> set[str]:
    """The suffixes of the images that Pillow reads, in lower case."""
    from PIL import Image

    known = Image.registered_extensions().items()
    return {suffix for suffix, name in known if name not in NO_IMAGES}


def class_folders(path: Path) -> list[Path]:
    """The folders of the classes, in alphabetical order."""
    return sorted(p for p in path.iterdir() if p.is_dir() and not is_system(p.name))


def printable(name: object) -> str:
    """A name for a message; bytes of a file's name that are not UTF-8 are escaped."""
    return str(name).encode("utf-8", "backslashreplace").decode()


def scan(path: Path) -> ImageFolder:
    """Find the images of every class.

    Raises:
        DataError: it is not a folder, or a folder in it cannot be read.
    """
    if not path.is_dir():
        raise DataError(f"{path}: is not a folder; expected a folder with a subfolder per class")
    suffixes = image_suffixes()
    classes = class_folders(path)
    found = ImageFolder(path, {folder.name: [] for folder in classes}, [], [], [])

    def sort_in(file: Path, images: list[Path]) -> None:
        if is_system(file.name):
            found.system.append(file)
        else:
            (images if file.suffix.lower() in suffixes else found.others).append(file)

    for file in sorted(set(path.iterdir()) - set(classes)):
        sort_in(file, found.outside)
    for folder in classes:
        for place, names in walk(folder):
            for name in names:
                sort_in(place / name, found.images[folder.name])
        found.images[folder.name].sort()
    return found


def notes(found: ImageFolder, *, grouped: bool = False) -> Iterator[str]:
    """What the user should know of how a folder was read: one line each.

    Args:
        found: the folder.
        grouped: whether images of a group stay together in splits.
    """
    nested = [
        file
        for name, images in found.images.items()
        for file in images
        if file.parent != found.path / name
    ]
    if nested:
        yield (
            f"{found.path}: {len(nested)} of {len(found.files)} images are in subfolders of their "
            f"class, such as {_example(found, nested, 1)}, and belong to that class"
            + ("" if grouped else "; `group: folder` keeps those of a subfolder together in splits")
        )
    yield from notes_on_skipped(found)


def notes_on_skipped(found: ImageFolder) -> Iterator[str]:
    """What is left out of a folder: one line each."""
    skipped = {
        "images outside the folders of the classes": found.outside,
        "files that are not images": found.others,
        "hidden or system files and folders": found.system,
    }
    for kind, files in skipped.items():
        if files:
            yield f"{found.path}: skipped {len(files)} {kind}, such as {_example(found, files)}"


def _example(found: ImageFolder, files: list[Path], levels: int = 0) -> str:
    return printable([files[0], *files[0].parents][levels].relative_to(found.path))
