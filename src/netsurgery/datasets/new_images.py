"""Images of any folder for a trained model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netsurgery.datasets import image_folders, image_labels
from netsurgery.datasets.folders import is_system, walk
from netsurgery.datasets.image_decoding import UnusableImageError, read_pixels
from netsurgery.datasets.image_layout import listed
from netsurgery.datasets.image_problems import all_unusable
from netsurgery.datasets.source import Batch, DataError, NewSamples, rows_per_chunk

KEY = "file"  # relative to the folder


def read_new(data: Mapping[str, Any], path: Path, labelled: bool) -> NewSamples:
    """Open the images of a folder, or a single one; they are resized as for training.

    Args:
        data: description of the prepared dataset.
        path: of the folder. With labels it has a subfolder for each class, or is a table of labels
            in the folder; otherwise images may lie at any depth.
        labelled: whether to read the labels.

    Raises:
        DataError: there are no images, or a subfolder is no class.
    """
    if not labelled:
        files, others = _images(path)
        skipped = [f"{path}: skipped {len(others)} files that are not images" for _ in others[:1]]
        return NewSamples(_batches(path, files, None, data), str(path), skipped)
    if "labels" in data["settings"] and path.is_file():
        return _of_table(data, path)
    if data["classes"] is None:
        raise DataError(
            f"{path}: name the table with the labels of the images, which lie beside or below it"
        )
    found = image_folders.scan(path)
    classes: list[str] = data["classes"]
    if unknown := [name for name, images in found.images.items() if images and name not in classes]:
        raise DataError(
            f"{path}: {listed(unknown)}: not a class of the model ({listed(classes)}); to evaluate,"
            f" images lie in subfolders with the names of their classes"
        )
    if not found.files:
        raise DataError(
            f"{path}: has no images in subfolders with the names of the classes ({listed(classes)})"
        )
    labels = [name for name, images in found.images.items() for _ in images]
    notes = list(image_folders.notes(found))
    return NewSamples(_batches(path, found.files, labels, data), str(path), notes)


def _of_table(data: Mapping[str, Any], path: Path) -> NewSamples:
    """The images that a table names, in its folder at any depth, with their labels."""
    known = {key: value for key, value in data["settings"].items() if key != "group"}
    table = image_labels.read({**known, "path": str(path.parent), "labels": str(path)})
    files, labels = table.folder.files, table.targets
    if labels is None:
        labels = np.array([name for name, of in table.folder.images.items() for _ in of])
    notes = [*table.notes, *image_folders.notes_on_skipped(table.folder)]
    return NewSamples(_batches(path.parent, files, labels, data), str(path), notes)


def _images(path: Path) -> tuple[list[Path], list[Path]]:
    """The images of a folder at any depth, and its other files; a single image."""
    if path.is_file():
        return [path], []
    if not path.is_dir():
        raise DataError(f"{path}: no such file or folder")
    suffixes, images, others = image_folders.image_suffixes(), list[Path](), list[Path]()
    for place, names in walk(path):
        for file in (place / name for name in names if not is_system(name)):
            (images if file.suffix.lower() in suffixes else others).append(file)
    if not images:
        raise DataError(f"{path}: has no images")
    return sorted(images), others


def _batches(
    path: Path,
    files: list[Path],
    labels: Sequence[str] | np.ndarray | None,
    data: Mapping[str, Any],
) -> Iterator[Batch]:
    rows = rows_per_chunk(tuple(data["shape"]), np.dtype(data["type"]))
    for start in range(0, len(files), rows):
        chunk = files[start : start + rows]
        x = read(chunk, data, path, files)
        names = [image_folders.printable(_relative(file, path)) for file in chunk]
        y = None if labels is None else np.array(labels[start : start + rows])
        yield Batch({KEY: names}, x, y)


def read(
    chunk: Sequence[Path], data: Mapping[str, Any], path: Path, files: Sequence[Path] = ()
) -> np.ndarray:
    """Images in the size of training, (n, height, width, channels).

    Args:
        chunk: their files.
        data: description of the prepared dataset, or of its images.
        path: where they were found, for messages.
        files: all that there are; a message names each that is no image.

    Raises:
        DataError: an image cannot be read.
    """
    height, width, channels = shape = tuple(data["shape"])
    upright = data["settings"].get("exif", True)
    x = np.empty((len(chunk), *shape), data["type"])
    for i, file in enumerate(chunk):
        try:
            x[i] = read_pixels(file, (height, width), channels, data["type"], upright=upright)
        except UnusableImageError as error:
            raise all_unusable(path, list(files or chunk), (file, error)) from None
    return x


def _relative(file: Path, folder: Path) -> Path:
    return file.relative_to(folder) if file != folder else Path(file.name)
