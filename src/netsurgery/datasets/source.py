"""What every kind of source gives: a dataset opened for reading, part by part, piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from netsurgery.networks.layers import Shape

TRAINING, VALIDATION, TEST = PARTS = ("training", "validation", "test")
PIECE = 2**23  # bytes of a piece, about: no source need fit into memory

Piece = tuple[np.ndarray, np.ndarray]  # x (k, *shape) and y (k,) or, of several targets, (k, t)


class DataError(ValueError):
    """The data are wrong; the message is one line that names file and place."""


@dataclass(frozen=True)
class Source:
    """A dataset that was opened, but not yet read.

    Pieces have the source's own order and values; labels may be whole numbers or names.
    """

    origin: str  # file, or name in a collection
    version: str
    shape: Shape  # of a sample: (height, width, channels) or (features,)
    dtype: np.dtype[Any]  # of x as it is to be stored
    counts: Mapping[str, int]  # samples of each part that the source tells apart
    pieces: Callable[[str], Iterator[Piece]]  # of a part
    scaling: str  # what is done where the settings say nothing: see `netsurgery.datasets.scaling`
    largest: float = 1.0  # value that unit scaling makes 1
    names: Mapping[str, str] = field(default_factory=dict)  # what a part's labels are called
    classes: tuple[str, ...] | None = None  # names of the classes 0, 1, ...; None: see the labels
    missing: bool = False  # whether NaN stands for a missing value
    resized: bool = False  # whether images were of several sizes
    columns: tuple[Mapping[str, Any], ...] = ()  # of a table: see `netsurgery.datasets.columns`
    features: tuple[Mapping[str, Any], ...] = ()  # of a table: see `netsurgery.datasets.tables`

    def called(self, part: str) -> str:
        """What a message calls the labels of a part."""
        return self.names.get(part, f"the labels of the {part} part of {self.origin}")


def stored_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """What values are stored as: small integers as they are, anything else as float32."""
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    small = dtype.kind in "iu" and dtype.itemsize <= 2
    return np.dtype(dtype.newbyteorder("=") if small else np.float32)


def rows_per_piece(shape: Shape, dtype: np.dtype[Any]) -> int:
    """How many samples make a piece."""
    return max(1, PIECE // max(1, int(np.prod(shape)) * dtype.itemsize))
