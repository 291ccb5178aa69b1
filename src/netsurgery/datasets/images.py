"""A folder of images with a subfolder per class, read with Pillow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from netsurgery.datasets.source import (
    TRAINING,
    Chunk,
    DataError,
    Settings,
    Source,
    SourceType,
    input_paths,
    part_paths,
    rows_per_chunk,
)

GRAYSCALE, COLOUR = ("1", "L", "LA"), ("RGB", "RGBA", "P", "CMYK", "YCbCr", "HSV")  # Pillow's modes


def class_folders(path: Path) -> list[Path]:
    """The folders of the classes, in alphabetical order."""
    return sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))


def _image_files(path: Path) -> dict[str, list[Path]]:
    """The image files of every class.

    Raises:
        DataError: there are no classes, or a class has no images.
    """
    from PIL import Image

    if not path.is_dir():
        raise DataError(f"{path}: is not a folder; expected a folder with a subfolder per class")
    extensions = Image.registered_extensions()
    files = {
        folder.name: sorted(p for p in folder.iterdir() if p.suffix.lower() in extensions)
        for folder in class_folders(path)
    }
    if not files:
        raise DataError(f"{path}: has no subfolders; expected one per class")
    for name, of_class in files.items():
        if not of_class:
            raise DataError(f"{path / name}: contains no images; add some or remove the folder")
    return files


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = str(error).replace(f" {str(path)!r}", "").splitlines()[0]
    return DataError(f"{path}: cannot be read as an image ({reason})")


def _size_and_mode(path: Path) -> tuple[tuple[int, int], str]:
    """Height and width, and Pillow's mode, from the header of an image."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            (width, height), mode = image.size, image.mode
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _unreadable(path, error) from None
    if mode not in GRAYSCALE + COLOUR:
        raise DataError(
            f"{path}: has more than 8 bits per channel (mode {mode}); provide the images as an npz "
            f"file instead"
        )
    return (height, width), mode


def _read(path: Path, size: tuple[int, int], channels: int) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(path) as image:
            converted = image.convert("L" if channels == 1 else "RGB")
            if converted.size != size[::-1]:
                converted = converted.resize(size[::-1], Image.Resampling.BILINEAR)
            return np.asarray(converted).reshape(*size, channels)
    except (OSError, ValueError, SyntaxError) as error:
        raise _unreadable(path, error) from None


def is_flat(settings: Settings) -> bool:
    """Whether samples are rows of features: never."""
    return False


def watched_folders(settings: Settings) -> list[Path]:
    """The folders of all classes: their times change when an image is added or removed."""
    return [folder for path in input_paths(settings).values() for folder in class_folders(path)]


def open_images(settings: Settings) -> Source:
    """Open a folder of images with a subfolder per class; only the headers are read.

    Images are resized to `size` or, by default, to the most frequent size of the training images.
    They are grayscale if all training images are.

    Raises:
        DataError: a class is empty or unknown, or an image cannot be read.
    """
    paths = part_paths(settings)
    files = {part: _image_files(path) for part, path in paths.items()}
    classes = tuple(files[TRAINING])
    for part, by_class in files.items():
        for name in by_class:
            if name not in classes:
                raise DataError(
                    f"{paths[part] / name}: is not a class of {paths[TRAINING]} "
                    f"({', '.join(classes)})"
                )
    headers = {
        part: [_size_and_mode(file) for of_class in by_class.values() for file in of_class]
        for part, by_class in files.items()
    }
    sizes = Counter(size for size, _ in headers[TRAINING])
    most_frequent = max(sizes, key=lambda size: (sizes[size], -size[0] * size[1], size))
    height, width = settings.get("size", most_frequent)
    grayscale = all(mode in GRAYSCALE for _, mode in headers[TRAINING])
    channels = settings.get("channels", 1 if grayscale else 3)
    shape, dtype = (height, width, channels), np.dtype(np.uint8)

    def chunks(part: str) -> Iterator[Chunk]:
        rows = rows_per_chunk(shape, dtype)
        labelled = [(f, classes.index(name)) for name, of in files[part].items() for f in of]
        for start in range(0, len(labelled), rows):
            chunk = labelled[start : start + rows]
            x = np.stack([_read(file, (height, width), channels) for file, _ in chunk])
            yield x, np.array([number for _, number in chunk])

    return Source(
        origin=str(paths[TRAINING]),
        version="",
        shape=shape,
        dtype=dtype,
        counts={part: len(of_part) for part, of_part in headers.items()},
        chunks=chunks,
        scaling="unit",
        largest=255.0,
        label_names={part: str(path) for part, path in paths.items()},
        classes=classes,
        resized=any(size != (height, width) for of in headers.values() for size, _ in of),
    )


IMAGE_FOLDER = SourceType(open_images, is_flat, watched_files=watched_folders)
