"""A folder of images with a subfolder per class, read with Pillow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from netsurgery.datasets import (
    image_folders,
    image_labels,
    image_layout,
    new_images,
    path_groups,
)
from netsurgery.datasets.image_decoding import (
    ALIKE,
    PLAIN,
    Header,
    UnusableImageError,
    read_header,
    read_pixels,
)
from netsurgery.datasets.image_folders import ImageFolder
from netsurgery.datasets.image_labels import LabelTable
from netsurgery.datasets.image_problems import all_unusable
from netsurgery.datasets.source import (
    TRAINING,
    Chunk,
    DataError,
    Inputs,
    Settings,
    Source,
    SourceType,
    SplitKeys,
    part_paths,
    rows_per_chunk,
)
from netsurgery.networks.layers import Shape
from netsurgery.objectives.tasks import MULTILABEL

Folders = Mapping[str, ImageFolder]  # of each part


def is_flat(settings: Settings) -> bool:
    """Whether samples are rows of features: never."""
    return False


def known_shape(settings: Settings) -> tuple[Shape | None, None]:
    """The shape of an image if the settings give its size; classes are not counted."""
    if "size" not in settings:
        return None, None
    height, width = settings["size"]
    return (height, width, settings.get("channels", 1)), None


def open_images(settings: Settings) -> Source:
    """Open a folder of images with a subfolder per class; only the headers are read.

    Images are resized to `size` or, by default, to the most frequent size of the training images.
    They are grey if all training images are.

    Raises:
        DataError: the subfolders are not classes, or images cannot be read.
    """
    table = image_labels.read(settings) if "labels" in settings else None
    if table is None:
        folders = {part: image_folders.scan(path) for part, path in part_paths(settings).items()}
        image_layout.check_parts(folders)
    else:
        folders = {TRAINING: table.folder}
    found = [] if table is None else list(table.notes)
    grouped = "group" in settings
    for each in folders.values():
        of_folder = image_folders.notes(each, grouped=grouped)
        found += of_folder if table is None else image_folders.notes_on_skipped(each)
    source = opened(folders, settings, None if table is None else table.targets)
    return replace(
        source,
        targets=() if table is None or table.targets is None else table.names,
        labels=table.names if table is not None and settings.get("task") == MULTILABEL else None,
        notes=(*found, *source.notes),
        keys=_keys(folders, settings.get("group"), table),
    )


def opened(folders: Folders, settings: Settings, targets: np.ndarray | None = None) -> Source:
    """Open the images of some folders (see `open_images`).

    Args:
        folders: the images of each part.
        settings: of the dataset.
        targets: (n, targets), of the training images; None: the folders have classes.

    Raises:
        DataError: images cannot be read.
    """
    training = folders[TRAINING]
    classes = tuple(training.images)
    upright = settings.get("exif", True)
    headers = _read_headers(folders, upright=upright)
    sizes = Counter(header.size for header in headers[TRAINING])
    most_frequent = max(sizes, key=lambda size: (sizes[size], -size[0] * size[1], size))
    size = tuple(settings.get("size", most_frequent))
    channels = settings.get("channels", 1 if all(h.grey for h in headers[TRAINING]) else 3)
    dtype = _dtype(headers, folders, channels)
    shape = (*size, channels)

    def chunks(part: str) -> Iterator[Chunk]:
        rows = rows_per_chunk(shape, dtype)
        images = folders[part].images.items()
        numbers = [classes.index(name) for name, files in images for _ in files]
        y = np.array(numbers) if targets is None else targets
        for start in range(0, len(y), rows):
            chunk = folders[part].files[start : start + rows]
            x = np.empty((len(chunk), *shape), dtype)
            for i, file in enumerate(chunk):
                try:
                    x[i] = read_pixels(file, size, channels, str(dtype), upright=upright)
                except UnusableImageError as error:
                    raise all_unusable(training.path, _all_files(folders), (file, error)) from None
            yield x, y[start : start + rows]

    everything = [header for of_part in headers.values() for header in of_part]
    found = [
        f"{training.path}: {note}" for note in _notes(headers[TRAINING], everything, size, settings)
    ]
    return Source(
        origin=str(training.path),
        version="",
        shape=shape,
        dtype=dtype,
        counts={part: len(of_part) for part, of_part in headers.items()},
        chunks=chunks,
        # 12 bits of a camera may be in 16: the largest possible value says nothing
        scaling="unit" if dtype == np.uint8 else "standard",
        largest=255.0 if dtype == np.uint8 else 1.0,
        label_names={part: str(folder.path) for part, folder in folders.items()},
        classes=classes if targets is None else None,
        resized=any(header.size != size for header in everything),
        notes=tuple(found),
    )


def _keys(
    folders: Folders, group: str | None, table: LabelTable | None
) -> Callable[[str], SplitKeys] | None:
    """The group of each image, by part; None if none is set."""
    if group is None:
        return None
    if table is not None:
        return lambda part: SplitKeys(group, groups=table.groups)

    def keys(part: str) -> SplitKeys:
        found = [
            path_groups.group_of(file, folders[part].path / name, group)
            for name, files in folders[part].images.items()
            for file in files
        ]
        return SplitKeys(group, groups=np.array(found))

    return keys


def _dtype(headers: Mapping[str, list[Header]], folders: Folders, channels: int) -> np.dtype[Any]:
    """The dtype of the pixels of all images.

    Raises:
        DataError: it differs between images, or deep ones should be read as colour.
    """
    path = folders[TRAINING].path
    dtypes = {
        file: header.dtype
        for part, of_part in headers.items()
        for file, header in zip(folders[part].files, of_part, strict=True)
    }
    dtype, _ = Counter(dtypes.values()).most_common(1)[0]
    if others := [file for file, found in dtypes.items() if found != dtype]:
        names = [file.relative_to(path) if file.is_relative_to(path) else file for file in others]
        raise DataError(
            f"{path}: {len(others)} of {len(dtypes)} images have pixels of "
            f"{dtypes[others[0]]}, not {dtype}: {image_layout.listed(names)}; {ALIKE}"
        )
    if dtype != PLAIN and channels != 1:
        raise DataError(f"{path}: images of {dtype} are grey; remove `channels: {channels}`")
    return np.dtype(dtype)


def _all_files(folders: Folders) -> list[Path]:
    return [file for folder in folders.values() for file in folder.files]


def _read_headers(folders: Folders, *, upright: bool) -> dict[str, list[Header]]:
    """The headers of the images of each part.

    Raises:
        DataError: images cannot be used; the message names all of them.
    """
    headers: dict[str, list[Header]] = {part: [] for part in folders}
    for part, folder in folders.items():
        for file in folder.files:
            try:
                headers[part].append(read_header(file, upright=upright))
            except UnusableImageError as error:
                path = folders[TRAINING].path
                raise all_unusable(path, _all_files(folders), (file, error)) from None
    return headers


def _notes(
    training: list[Header], everything: list[Header], size: tuple[int, int], settings: Settings
) -> Iterator[str]:
    """What the user should know of how images are read: one line each."""
    sizes = Counter(header.size for header in training)
    if len(sizes) > 1 and "size" not in settings:
        yield (
            f"images have {len(sizes)} sizes; all are resized to {size[0]} x {size[1]} (height x "
            f"width), the most frequent; `size` chooses another"
        )
    grey = sum(header.grey for header in training)
    if 0 < grey < len(training) and "channels" not in settings:
        yield f"{grey} of {len(training)} images are grey; all are read as colour"
    several = sum(header.pages for header in everything)
    if several:
        yield f"{several} images have several pages or frames; only the first is read"
    if transparent := sum(header.alpha for header in everything):
        yield f"{transparent} images have transparency, which is ignored"
    if turned := sum(header.turned for header in everything):
        yield (
            f"{turned} images have an EXIF orientation and are turned upright; turn images in the "
            f"same way before the model predicts (`PIL.ImageOps.exif_transpose`), or set `exif: "
            f"false`"
        )


def read_raw(data: Mapping[str, Any], part: str, positions: np.ndarray) -> list[Inputs]:
    """Some images in their own sizes: in one batch, or one by one if sizes differ.

    Args:
        data: description of the prepared dataset.
        part: training, validation or test.
        positions: of the images in that part.

    Raises:
        DataError: an image cannot be read.
    """
    settings = data["settings"]
    if "labels" in settings:
        files = image_labels.read(settings).folder.files
    else:
        files = image_folders.scan(part_paths(settings)[part]).files
    return [*raw_images([files[i] for i in positions], data)]


def raw_images(files: Sequence[Path], data: Mapping[str, Any]) -> list[np.ndarray]:
    """Images in their own sizes, (n, height, width, channels): one by one if sizes differ.

    Args:
        files: of the images.
        data: description of the prepared dataset, or of its images.

    Raises:
        DataError: an image cannot be read.
    """
    images, upright = [], data["settings"].get("exif", True)
    for file in files:
        try:
            size, width = read_header(file, upright=upright).size, data["shape"][-1]
            pixels = read_pixels(file, size, width, data["type"], upright=upright)
            images.append(pixels[None])
        except UnusableImageError as error:
            raise DataError(f"{file}: {error}") from None
    return images if data["resized"] else [np.concatenate(images)]


IMAGE_FOLDER = SourceType(
    open_images, is_flat, known_shape=known_shape, raw=read_raw, read_new=new_images.read_new
)
