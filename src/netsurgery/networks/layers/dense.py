"""The dense layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netsurgery.networks.layers.base import KernelLayer, Shape


@dataclass(frozen=True)
class Dense(KernelLayer):
    """A fully connected layer; arrays: kernel (in, units) and bias (units,)."""

    units: int
    activation: str = "relu"
    use_bias: bool = True
    l1: float = 0.0
    l2: float = 0.0
    kind: ClassVar[str] = "dense"
    width_field: ClassVar[str] = "units"

    def __str__(self) -> str:
        return f"dense {self.units} ({self.activation})"

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise ValueError(
                f"{self} needs a flat input, not {shape}: add a flatten layer before it"
            )
        return (self.units,)

    def kernel_shape(self, shape: Shape) -> Shape:
        return (shape[-1], self.units)
