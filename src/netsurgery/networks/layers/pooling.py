"""Pooling over squares and over whole images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netsurgery.networks.layers.base import (
    SAME,
    Arrays,
    Layer,
    Shape,
    require_image,
    window_output,
)

AVERAGE, MAX = "average", "max"
POOLINGS = (AVERAGE, MAX)


@dataclass(frozen=True)
class Pool(Layer):
    """Pooling over squares of size x size, by default adjacent ones; no arrays."""

    function: str = AVERAGE  # or MAX
    size: int = 2
    strides: int | None = None  # None: the size
    padding: str = SAME
    kind: ClassVar[str] = "pool"
    keeps_channels_apart: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"{self.function} pool {self.size}x{self.size}"

    @property
    def step(self) -> int:
        """Pixels from one square to the next."""
        return self.strides or self.size

    def output_shape(self, shape: Shape) -> Shape:
        return (*window_output(self, shape, self.size, self.step, self.padding), shape[2])

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        return input_is_non_negative

    def gain_bound(self, arrays: Arrays) -> np.ndarray:
        """A pixel counts in every square that contains it."""
        return np.asarray(-(-self.size // self.step))


@dataclass(frozen=True)
class GlobalPool(Layer):
    """Pooling over the whole image: (height, width, channels) to (channels,); no arrays."""

    function: str = AVERAGE  # or MAX
    kind: ClassVar[str] = "global_pool"
    keeps_channels_apart: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"global {self.function} pool"

    def output_shape(self, shape: Shape) -> Shape:
        require_image(self, shape)
        return shape[-1:]

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        return input_is_non_negative
