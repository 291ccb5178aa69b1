"""A folder of images with a subfolder per class, read by Pillow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from netsurgery.datasets.source import (
    TEST,
    TRAINING,
    VALIDATION,
    DataError,
    Piece,
    Source,
    rows_per_piece,
)

FOLDERS = {"path": TRAINING, "validation_path": VALIDATION, "test_path": TEST}
GREY, COLOUR = ("1", "L", "LA"), ("RGB", "RGBA", "P", "CMYK", "YCbCr", "HSV")


def class_folders(path: Path) -> list[Path]:
    """The folders of the classes, in the order of the alphabet."""
    return sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))


def _images(path: Path) -> dict[str, list[Path]]:
    """The image files of every class.

    Raises:
        DataError: there are no classes, or one without images.
    """
    from PIL import Image

    if not path.is_dir():
        raise DataError(f"{path}: is not a folder; it should hold a folder per class")
    known = Image.registered_extensions()
    found = {
        folder.name: sorted(p for p in folder.iterdir() if p.suffix.lower() in known)
        for folder in class_folders(path)
    }
    if not found:
        raise DataError(f"{path}: has no subfolders; it should hold a folder per class")
    for name, files in found.items():
        if not files:
            raise DataError(f"{path / name}: holds no images; remove the folder or fill it")
    return found


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = str(error).replace(f" {str(path)!r}", "").splitlines()[0]
    return DataError(f"{path}: cannot be read as an image ({reason})")


def _look(path: Path) -> tuple[tuple[int, int], str]:
    """Height and width, and Pillow's mode, of an image, from its header."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            (width, height), mode = image.size, image.mode
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _unreadable(path, error) from None
    if mode not in GREY + COLOUR:
        raise DataError(
            f"{path}: has more than 8 bits a channel ({mode}); save arrays (npz) instead"
        )
    return (height, width), mode


def _read(path: Path, size: tuple[int, int], channels: int) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(path) as image:
            made = image.convert("L" if channels == 1 else "RGB")
            if made.size != size[::-1]:
                made = made.resize(size[::-1], Image.Resampling.BILINEAR)
            return np.asarray(made).reshape(*size, channels)
    except (OSError, ValueError, SyntaxError) as error:
        raise _unreadable(path, error) from None


def is_flat(settings: dict[str, Any]) -> bool:
    """Whether samples are rows of features."""
    return False


def open_images(settings: dict[str, Any]) -> Source:
    """A folder of images with a subfolder per class; only their headers are read.

    Images of other sizes are resized to `size`, or else to the size that most of the training
    images have; they are grey if all of those are.

    Raises:
        DataError: a class is empty or unknown, or an image cannot be read.
    """
    paths = {part: Path(settings[key]) for key, part in FOLDERS.items() if key in settings}
    files = {part: _images(path) for part, path in paths.items()}
    classes = tuple(files[TRAINING])
    for part, found in files.items():
        for name in found:
            if name not in classes:
                raise DataError(
                    f"{paths[part] / name}: is no class of {paths[TRAINING]} ({', '.join(classes)})"
                )
    looks = {
        part: [_look(file) for some in found.values() for file in some]
        for part, found in files.items()
    }
    sizes = Counter(size for size, _ in looks[TRAINING])
    often = max(sizes, key=lambda size: (sizes[size], -size[0] * size[1], size))
    height, width = settings.get("size", often)
    grey = all(mode in GREY for _, mode in looks[TRAINING])
    channels = settings.get("channels", 1 if grey else 3)
    shape, dtype = (height, width, channels), np.dtype(np.uint8)

    def pieces(part: str) -> Iterator[Piece]:
        rows = rows_per_piece(shape, dtype)
        listed = [(f, classes.index(name)) for name, some in files[part].items() for f in some]
        for start in range(0, len(listed), rows):
            some = listed[start : start + rows]
            x = np.stack([_read(file, (height, width), channels) for file, _ in some])
            yield x, np.array([number for _, number in some])

    return Source(
        origin=str(paths[TRAINING]),
        version="",
        shape=shape,
        dtype=dtype,
        counts={part: len(found) for part, found in looks.items()},
        pieces=pieces,
        scaling="unit",
        largest=255.0,
        names={part: str(path) for part, path in paths.items()},
        classes=classes,
        resized=any(size != (height, width) for found in looks.values() for size, _ in found),
    )
