"""Images of the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from netsurgery.datasets import images, new_images
from netsurgery.datasets.image_folders import ImageFolder, image_suffixes
from netsurgery.datasets.image_labels import images_in
from netsurgery.datasets.row_files import Description, FileKind
from netsurgery.datasets.source import Settings, Source
from netsurgery.networks.layers import Shape


def _files(folder: Path) -> list[Path]:
    found, _, _ = images_in(folder)
    return found


def _smallest(settings: Settings) -> Shape:
    shape, _ = images.known_shape(settings)
    return shape or (1, 1, 1)


def _open(folder: Path, files: Mapping[str, list[Path]], settings: Settings) -> Source:
    of_part = {part: ImageFolder(folder, {"": own}, [], [], []) for part, own in files.items()}
    return images.opened(of_part, settings)


def _read(files: Sequence[Path], data: Description, path: Path) -> tuple[np.ndarray, list[str]]:
    return new_images.read(files, data, path), []


IMAGES = FileKind(
    "image",
    "images",
    "image_column",
    suffixes=image_suffixes,
    files=_files,
    smallest=_smallest,
    open=_open,
    raw=images.raw_images,
    read=_read,
)
