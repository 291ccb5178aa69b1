"""Keras layers that surgery does not know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netsurgery.networks.layers.base import Layer, Shape


@dataclass(frozen=True)
class Other(Layer):
    """Any other Keras layer: it is kept as it is, so its input must keep its shape.

    `trainable` counts the first of its arrays, which are the trainable ones.
    """

    name: str  # the Keras class
    config: str  # JSON, as Keras serializes the layer
    entering: Shape
    leaving: Shape
    arrays: tuple[Shape, ...] = ()
    trainable: int = 0
    kind: ClassVar[str] = "other"

    def __post_init__(self) -> None:
        for name in ("entering", "leaving"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "arrays", tuple(map(tuple, self.arrays)))

    def __str__(self) -> str:
        return self.name

    def output_shape(self, shape: Shape) -> Shape:
        if shape != self.entering:
            raise ValueError(
                f"{self} is kept as it is and needs an input of {self.entering}, not {shape}"
            )
        return self.leaving

    def array_shapes(self, shape: Shape) -> tuple[Shape, ...]:
        return self.arrays

    @property
    def trainable_arrays(self) -> int:
        return self.trainable
