"""The convolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netsurgery.networks.layers.base import SAME, KernelLayer, Shape, window_output


@dataclass(frozen=True)
class Conv(KernelLayer):
    """A convolution with a square kernel; arrays: kernel (k, k, in, out) and bias (out,)."""

    channels: int
    kernel: int = 3
    activation: str = "linear"
    use_bias: bool = True
    strides: int = 1
    padding: str = SAME
    kind: ClassVar[str] = "conv"
    width_field: ClassVar[str] = "channels"

    def __str__(self) -> str:
        return f"conv {self.channels} ({self.kernel}x{self.kernel})"

    def output_shape(self, shape: Shape) -> Shape:
        sides = window_output(self, shape, self.kernel, self.strides, self.padding)
        return (*sides, self.channels)

    def kernel_shape(self, shape: Shape) -> Shape:
        return (self.kernel, self.kernel, shape[-1], self.channels)
