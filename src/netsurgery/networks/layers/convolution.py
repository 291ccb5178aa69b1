"""Convolutions of series and images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netsurgery.networks.layers.base import KernelLayer, Layer, Shape
from netsurgery.networks.layers.windows import (
    SAME,
    Sides,
    as_sides,
    by_side,
    described,
    require_sides,
    window_output,
)

SIDES = ("kernel", "strides", "dilation")  # fields with a number for each side


class Windowed(Layer):
    """A layer whose kernel moves over a series (steps, channels) or an image.

    Attributes:
        kernel: its sides; a number stands for all of them.
        strides: from one position of the kernel to the next.
        padding: `same`, `valid`, or for series `causal`.
        dilation: from one element of the kernel to the next.
    """

    kernel: Sides
    strides: Sides
    padding: str
    dilation: Sides

    def __post_init__(self) -> None:
        for name in SIDES:
            object.__setattr__(self, name, as_sides(getattr(self, name)))
        if self.strides != 1 and self.dilation != 1:
            raise ValueError(f"{self} has strides and a dilation: Keras allows only one of them")

    @property
    def _described(self) -> str:
        dilation = "" if self.dilation == 1 else f", dilation {described(self.dilation)}"
        return f"({described(self.kernel)}{dilation})"

    def sides(self, shape: Shape) -> tuple[int, ...]:
        """The sides of the output for an input of `shape`."""
        return window_output(self, shape, self.kernel, self.strides, self.padding, self.dilation)

    def taps(self, shape: Shape) -> tuple[int, ...]:
        """The sides of the kernel for an input of `shape`."""
        require_sides(self, shape)
        return by_side(self.kernel, shape)


@dataclass(frozen=True)
class Conv(Windowed, KernelLayer):
    """A convolution; arrays: kernel (*taps, in, out) and bias (out,)."""

    channels: int
    kernel: Sides = 3
    activation: str = "linear"
    use_bias: bool = True
    strides: Sides = 1
    padding: str = SAME
    dilation: Sides = 1
    kind: ClassVar[str] = "conv"
    width_field: ClassVar[str] = "channels"

    def __str__(self) -> str:
        return f"conv {self.channels} {self._described}"

    def output_shape(self, shape: Shape) -> Shape:
        return (*self.sides(shape), self.channels)

    def kernel_shape(self, shape: Shape) -> Shape:
        return (*self.taps(shape), shape[-1], self.channels)
