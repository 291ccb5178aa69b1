"""Keras layers that surgery does not change: it keeps them as they are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from netsurgery.networks.layers.base import Layer, Shape
from netsurgery.networks.layers.joining import Join


@dataclass(frozen=True)
class Other(Layer):
    """Any other Keras layer: it is kept as it is, so its input must keep its shape.

    `trainable` counts the first of its arrays, which are the trainable ones. A shape may hold None
    for an axis of any length. `call` says what the layer is called with, as
    `netsurgery.keras_io.layer_calls` writes it; it is empty if that is the input alone.
    """

    name: str  # the Keras class
    config: str  # JSON, as Keras serializes the layer; empty if it cannot
    entering: Shape
    leaving: Shape
    arrays: tuple[Shape, ...] = ()
    trainable: int = 0
    reason: str = ""  # why surgery does not change it, if Keras's class is one that it knows
    is_image: bool = True  # whether what leaves it may be an image, channels last
    call: str = ""
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

    def multiplications(self, shape: Shape) -> int:
        """An estimate: each kernel counts at every place of the input or the output, if fewer.

        An embedding only looks its vectors up.
        """
        if self.name == "Embedding":
            return 0
        kernels = sum(math.prod(array) for array in self.arrays[: self.trainable] if len(array) > 1)
        return kernels * min(_places(shape), _places(self.output_shape(shape)))


def _places(shape: Shape) -> int:
    return math.prod(side or 1 for side in shape[:-1])  # None: any length


@dataclass(frozen=True)
class PerChannel(Other):
    """A layer without arrays that treats each channel alike, such as upsampling.

    It accepts any number of channels; the other axes must keep their lengths.
    """

    kind: ClassVar[str] = "per_channel"
    keeps_channels_apart: ClassVar[bool] = True

    def output_shape(self, shape: Shape) -> Shape:
        return (*super().output_shape((*shape[:-1], self.entering[-1]))[:-1], shape[-1])


@dataclass(frozen=True)
class Regularization(Other):
    """A layer that acts in training only, such as Gaussian noise: it accepts inputs of any size."""

    kind: ClassVar[str] = "regularization"
    is_elementwise: ClassVar[bool] = True
    keeps_channels_apart: ClassVar[bool] = True

    def output_shape(self, shape: Shape) -> Shape:
        return shape if len(shape) == len(self.entering) else super().output_shape(shape)


@dataclass(frozen=True)
class KeptJoin(Join):
    """Any other Keras layer with several inputs: it is kept as it is, so they keep their shapes.

    The fields are those of `Other`; `entering` holds the shape of each input.
    """

    name: str
    config: str
    entering: tuple[Shape, ...]
    leaving: Shape
    arrays: tuple[Shape, ...] = ()
    trainable: int = 0
    reason: str = ""
    call: str = ""
    kind: ClassVar[str] = "kept_join"
    function: ClassVar[str] = "kept"
    has_channels_in_common: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "leaving", tuple(self.leaving))
        for name in ("entering", "arrays"):
            object.__setattr__(self, name, tuple(map(tuple, getattr(self, name))))

    def __str__(self) -> str:
        return self.name

    def output_shape(self, *shapes: Shape) -> Shape:
        if shapes != self.entering:
            raise ValueError(
                f"{self} is kept as it is and needs inputs of"
                f" {' and '.join(map(str, self.entering))}, not {' and '.join(map(str, shapes))}"
            )
        return self.leaving

    def array_shapes(self, shape: Shape) -> tuple[Shape, ...]:
        return self.arrays

    @property
    def trainable_arrays(self) -> int:
        return self.trainable

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        return False
