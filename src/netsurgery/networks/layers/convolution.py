"""Convolutions of series and images: of all channels at once, of each on its own, or both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netsurgery.networks.activations import LIPSCHITZ
from netsurgery.networks.layers.base import Arrays, KernelLayer, Layer, LinearLayer, Shape
from netsurgery.networks.layers.windows import (
    CAUSAL,
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

    def __str__(self) -> str:
        return f"{self._what} ({self._window(2)})"

    def describe(self, shape: Shape) -> str:
        return f"{self._what} ({self._window(len(shape) - 1)})"

    @property
    def _what(self) -> str:
        """Its kind and width."""
        raise NotImplementedError

    def _window(self, sides: int) -> str:
        dilation = "" if self.dilation == 1 else f", dilation {described(self.dilation, sides)}"
        return f"{described(self.kernel, sides)}{dilation}"

    def sides(self, shape: Shape) -> tuple[int, ...]:
        """The sides of the output for an input of `shape`."""
        return window_output(self, shape, self.kernel, self.strides, self.padding, self.dilation)

    def taps(self, shape: Shape) -> tuple[int, ...]:
        """The sides of the kernel for an input of `shape`."""
        require_sides(self, shape)
        return by_side(self.kernel, shape)


class Convolution(Windowed, KernelLayer):
    """A layer whose kernel moves and that mixes all channels that enter it.

    Attributes:
        channels: that it gives.
    """

    channels: int
    width_field: ClassVar[str] = "channels"

    def output_shape(self, shape: Shape) -> Shape:
        return (*self.sides(shape), self.channels)


@dataclass(frozen=True)
class Conv(Convolution):
    """A convolution; arrays: kernel (*taps, in, out) and bias (out,)."""

    channels: int
    kernel: Sides = 3
    activation: str = "linear"
    use_bias: bool = True
    strides: Sides = 1
    padding: str = SAME
    dilation: Sides = 1
    l1: float = 0.0
    l2: float = 0.0
    kind: ClassVar[str] = "conv"

    @property
    def _what(self) -> str:
        return f"conv {self.channels}"

    def kernel_shape(self, shape: Shape) -> Shape:
        return (*self.taps(shape), shape[-1], self.channels)


@dataclass(frozen=True)
class DepthwiseConv(Windowed, LinearLayer):
    """A convolution of each channel with a kernel of its own.

    Arrays: kernel (*taps, channels, 1) and bias (channels,).
    """

    kernel: Sides = 3
    activation: str = "linear"
    use_bias: bool = True
    strides: Sides = 1
    padding: str = SAME
    dilation: Sides = 1
    l1: float = 0.0
    l2: float = 0.0
    kind: ClassVar[str] = "depthwise_conv"
    keeps_channels_apart: ClassVar[bool] = True
    has_channel_arrays: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        require_depthwise(self)

    @property
    def _what(self) -> str:
        return "depthwise conv"

    def output_shape(self, shape: Shape) -> Shape:
        return (*self.sides(shape), shape[-1])

    def array_shapes(self, shape: Shape) -> tuple[Shape, ...]:
        return ((*self.taps(shape), shape[-1], 1), shape[-1:])[: self.trainable_arrays]

    @property
    def output_axes(self) -> tuple[int | None, ...]:
        return (-2, -1)[: self.trainable_arrays]

    def multiplications(self, shape: Shape) -> int:
        return math.prod(self.taps(shape)) * math.prod(self.output_shape(shape))

    def gain_bound(self, arrays: Arrays) -> np.ndarray:
        kernel = np.abs(arrays[0].astype(np.float64))
        return LIPSCHITZ[self.activation] * kernel.reshape(-1, kernel.shape[-2]).sum(axis=0)


@dataclass(frozen=True)
class SeparableConv(Convolution):
    """A depthwise convolution and then a convolution of single pixels that mixes the channels.

    Arrays: kernel of each channel (*taps, in, 1), mixing kernel (1, 1, in, out) or (1, in, out),
    and bias (out,).
    """

    channels: int
    kernel: Sides = 3
    activation: str = "linear"
    use_bias: bool = True
    strides: Sides = 1
    padding: str = SAME
    dilation: Sides = 1
    l1: float = 0.0
    l2: float = 0.0
    kind: ClassVar[str] = "separable_conv"
    mixing: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_depthwise(self)

    @property
    def _what(self) -> str:
        return f"separable conv {self.channels}"

    @property
    def depthwise(self) -> DepthwiseConv:
        """The first half, which has no bias and no activation."""
        return DepthwiseConv(
            self.kernel, "linear", False, self.strides, self.padding, self.dilation
        )

    def kernel_shape(self, shape: Shape) -> Shape:
        return (*(1 for _ in self.taps(shape)), shape[-1], self.channels)

    def array_shapes(self, shape: Shape) -> tuple[Shape, ...]:
        return (*self.depthwise.array_shapes(shape), *super().array_shapes(shape))

    @property
    def trainable_arrays(self) -> int:
        return 2 + self.use_bias

    @property
    def output_axes(self) -> tuple[int | None, ...]:
        return (None, -1, -1)[: self.trainable_arrays]

    @property
    def input_axes(self) -> tuple[int | None, ...]:
        return (-2, -2, None)[: self.trainable_arrays]

    def multiplications(self, shape: Shape) -> int:
        return self.depthwise.multiplications(shape) + super().multiplications(shape)


def require_depthwise(layer: DepthwiseConv | SeparableConv) -> None:
    """Raise a ValueError for settings that Keras's and TensorFlow's depthwise convolutions lack."""
    if not isinstance(layer.strides, int):
        raise ValueError(
            f"{layer} has strides of {described(layer.strides)}: TensorFlow takes equal ones only"
        )
    if layer.padding == CAUSAL:
        raise ValueError(f"{layer} has causal padding: Keras offers `same` and `valid` only")
