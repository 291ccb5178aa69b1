"""Layers without arrays that change the shape or the scale of their input."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netsurgery.networks.layers.base import Arrays, Layer, Shape


@dataclass(frozen=True)
class Flatten(Layer):
    """(height, width, channels), or any other shape, to one axis; no arrays."""

    kind: ClassVar[str] = "flatten"
    keeps_channels_apart: ClassVar[bool] = True

    def __str__(self) -> str:
        return "flatten"

    def output_shape(self, shape: Shape) -> Shape:
        return (math.prod(shape),)

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        return input_is_non_negative


@dataclass(frozen=True)
class Reshape(Layer):
    """The same values in another shape; no arrays."""

    shape: Shape
    kind: ClassVar[str] = "reshape"

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))  # JSON has lists only

    def __str__(self) -> str:
        return f"reshape to {'x'.join(map(str, self.shape))}"

    def output_shape(self, shape: Shape) -> Shape:
        if math.prod(shape) != math.prod(self.shape):
            raise ValueError(f"{self} cannot take an input of {shape}")
        return self.shape

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        return input_is_non_negative


@dataclass(frozen=True)
class OnePixel(Layer):
    """The channels of one pixel, with another number of sides of length 1; no arrays.

    So that (channels,) becomes (1, 1, channels), or the other way round.
    """

    sides: int
    kind: ClassVar[str] = "one_pixel"
    keeps_channels_apart: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"reshape to {'1x' * self.sides}channels"

    def output_shape(self, shape: Shape) -> Shape:
        if math.prod(shape[:-1]) != 1:
            raise ValueError(f"{self} needs an input of one pixel, not {shape}")
        return (1,) * self.sides + shape[-1:]

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        return input_is_non_negative


@dataclass(frozen=True)
class Rescaling(Layer):
    """Scale times the value, plus offset, of samples or in a gate; no arrays."""

    scale: float
    offset: float = 0.0
    kind: ClassVar[str] = "rescaling"
    is_elementwise: ClassVar[bool] = True
    keeps_channels_apart: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"rescaling by {self.scale:.4g}"

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        return input_is_non_negative and self.scale >= 0 and self.offset >= 0

    def gain_bound(self, arrays: Arrays) -> np.ndarray:
        return np.asarray(abs(self.scale))
