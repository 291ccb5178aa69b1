"""Pooling over windows, and over whole series and images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netsurgery.networks.layers.base import Arrays, Layer, Shape
from netsurgery.networks.layers.windows import (
    SAME,
    Sides,
    as_sides,
    by_side,
    described,
    require_sides,
    window_output,
)

AVERAGE, MAX = "average", "max"
POOLINGS = (AVERAGE, MAX)
IMAGE = (1, 1, 1)  # any one


@dataclass(frozen=True)
class Pool(Layer):
    """Pooling over windows of a series or an image, by default adjacent ones; no arrays."""

    function: str = AVERAGE  # or MAX
    size: Sides = 2
    strides: Sides | None = None  # None: the size
    padding: str = SAME
    kind: ClassVar[str] = "pool"
    keeps_channels_apart: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", as_sides(self.size))
        if self.strides is not None:
            object.__setattr__(self, "strides", as_sides(self.strides))

    def __str__(self) -> str:
        return f"{self.function} pool {described(self.size)}"

    def describe(self, shape: Shape) -> str:
        return f"{self.function} pool {described(self.size, len(shape) - 1)}"

    @property
    def step(self) -> Sides:
        """From one window to the next."""
        return self.strides or self.size

    def output_shape(self, shape: Shape) -> Shape:
        return (*window_output(self, shape, self.size, self.step, self.padding), shape[-1])

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        return input_is_non_negative

    def gain_bound(self, arrays: Arrays) -> np.ndarray:
        """A pixel counts in every window that contains it."""
        pairs = zip(by_side(self.size, IMAGE), by_side(self.step, IMAGE), strict=True)
        return np.asarray(math.sqrt(math.prod(-(-size // step) for size, step in pairs)))


@dataclass(frozen=True)
class GlobalPool(Layer):
    """Pooling over a whole series or image; no arrays.

    Its output is (channels,), or with `keep_sides` (1, channels) or (1, 1, channels).
    """

    function: str = AVERAGE  # or MAX
    keep_sides: bool = False
    kind: ClassVar[str] = "global_pool"
    keeps_channels_apart: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"global {self.function} pool"

    def output_shape(self, shape: Shape) -> Shape:
        require_sides(self, shape)
        return (1,) * (len(shape) - 1 if self.keep_sides else 0) + shape[-1:]

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        return input_is_non_negative
