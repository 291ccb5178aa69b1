"""The inputs of networks that take several."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from netsurgery.networks.layers.base import Layer, Shape


@dataclass(frozen=True)
class InputPart(Layer):
    """One of several inputs of a network: a part of a sample's numbers in its own shape; no arrays.

    A sample of such a network is one row of numbers: its inputs one behind the other, each of them
    flattened in C order. So samples are one array whatever networks take, and the rows of a block
    may each begin with an input of their own.

    Attributes:
        name: of the input.
        shape: of the input.
        start: how many numbers of a sample come before it.
    """

    name: str
    shape: Shape
    start: int = 0
    kind: ClassVar[str] = "input"

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))  # JSON has lists only

    def __str__(self) -> str:
        return f"input {self.name}"

    @property
    def stop(self) -> int:
        """Where the next input starts."""
        return self.start + math.prod(self.shape)

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1 or shape[0] < self.stop:
            raise ValueError(f"{self} needs samples of at least {self.stop} numbers, not {shape}")
        return self.shape

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        return input_is_non_negative


def input_parts(shapes: Mapping[str, Shape]) -> tuple[InputPart, ...]:
    """The inputs of the given names and shapes, in the order in which samples hold them."""
    found: list[InputPart] = []
    for name, shape in shapes.items():
        found.append(InputPart(name, shape, found[-1].stop if found else 0))
    return tuple(found)
