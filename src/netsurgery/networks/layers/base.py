"""What a kind of layer is: a frozen dataclass that holds everything but the arrays."""

from __future__ import annotations

import math
from abc import ABC
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np

from netsurgery.networks.activations import ACROSS_CHANNELS, NON_NEGATIVE

Shape = tuple[int, ...]
Arrays = tuple[np.ndarray, ...]


def glorot_uniform(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """A kernel (..., in, out), drawn as Keras's default initializer draws it."""
    limit = math.sqrt(6 / (math.prod(shape[:-2]) * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, shape).astype(np.float32)


@dataclass(frozen=True)
class Layer(ABC):
    """One layer of a network, as a value.

    Shapes leave out the batch axis: an image is (height, width, channels), a table row (features,).
    A layer's arrays are ordered as Keras orders them, trainable ones first.

    To add a kind of layer, write a subclass and add one line to the table of kinds
    (`netsurgery.networks.layers.LAYERS`) and to each table that gives what it computes: in numpy
    (`netsurgery.networks.inference`), in TensorFlow (`netsurgery.training.layers`) and in Keras
    (`netsurgery.keras_io.layers_to_keras`, `layers_from_keras`).

    Attributes:
        kind: identifies the kind of layer in records.
        is_elementwise: each output depends on the input at its place, and perhaps on the other
            channels or units there; the shape stays.
        keeps_channels_apart: each channel or unit of the output belongs to one of the input, so
            that it can go with it.
        has_channel_arrays: such a layer whose arrays hold numbers for each channel or unit.
        trainable_arrays: how many of its arrays are trained; they come before the others.
        activation_function: Keras's name of the activation that it ends with; None without one.
    """

    kind: ClassVar[str]
    is_elementwise: ClassVar[bool] = False
    keeps_channels_apart: ClassVar[bool] = False
    has_channel_arrays: ClassVar[bool] = False

    def describe(self, shape: Shape) -> str:
        """For display, by the shape that enters: windows of series have one side."""
        return str(self)

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of the output for an input of `shape`; by default the same.

        Raises:
            ValueError: the layer does not accept such an input.
        """
        return shape

    def array_shapes(self, shape: Shape) -> tuple[Shape, ...]:
        """The shapes of the arrays for an input of `shape`; by default none."""
        return ()

    @property
    def trainable_arrays(self) -> int:
        return 0

    @property
    def output_axes(self) -> tuple[int | None, ...]:
        """For each array the axis that has an entry for each channel or unit of the output.

        None where there is no such axis; empty if surgery changes none of the arrays. After a
        flatten layer, a layer that keeps channels apart holds an entry for each pixel and channel.
        """
        return (-1,) * self.trainable_arrays if self.has_channel_arrays else ()

    @property
    def input_axes(self) -> tuple[int | None, ...]:
        """For each array the axis that has an entry for each channel or unit that enters.

        By default none: in a layer that keeps channels apart those of the output are the same.
        """
        return (None,) * len(self.output_axes)

    @property
    def mixes_channels(self) -> bool:
        """Whether what a channel gives depends on the others, though each keeps its place."""
        return self.activation_function in ACROSS_CHANNELS

    @property
    def activation_function(self) -> str | None:
        return None

    def parameters(self, shape: Shape) -> int:
        """Trainable parameters for an input of `shape`, as the papers count them."""
        return sum(map(math.prod, self.array_shapes(shape)[: self.trainable_arrays]))

    def multiplications(self, shape: Shape) -> int:
        """Multiplications by kernels for one sample of `shape`; by default none.

        As usual, those of layers without a kernel do not count.
        """
        return 0

    def initial_arrays(self, shape: Shape, rng: np.random.Generator) -> Arrays:
        """Untrained arrays for an input of `shape`: Glorot-uniform kernels and zero vectors."""
        return tuple(
            glorot_uniform(array, rng) if len(array) > 1 else np.zeros(array, np.float32)
            for array in self.array_shapes(shape)
        )

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        """Whether the output is never negative; by default unknown, hence False."""
        return False

    def gain_bound(self, arrays: Arrays) -> np.ndarray:
        """By how much the layer can enlarge a difference of its inputs (Euclidean norms).

        Returns:
            () for the layer, or (features,) by feature.
        """
        return np.asarray(1.0)

    def to_json(self) -> dict[str, Any]:
        """Plain values: the kind, and the settings that differ from their defaults."""
        defaults = {field.name: field.default for field in fields(self)}
        settings = {k: v for k, v in asdict(self).items() if v != defaults[k]}
        return {"kind": self.kind, **settings}


class LinearLayer(Layer):
    """A layer that multiplies by a kernel, adds a bias and ends with an activation.

    Attributes:
        activation: Keras's name of its activation.
        use_bias: whether it has a bias, one number per output, which is the last of its arrays.
        l1: factor in the loss of the absolute values of its kernels.
        l2: the same of their squares (see `netsurgery.networks.penalties`).
    """

    activation: str
    use_bias: bool
    l1: float
    l2: float

    def with_bias(self, use_bias: bool) -> Self:
        """The layer with or without a bias."""
        settings: dict[str, Any] = {"use_bias": use_bias}
        return replace(self, **settings)

    @property
    def trainable_arrays(self) -> int:
        return 1 + self.use_bias

    @property
    def activation_function(self) -> str | None:
        return self.activation

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        return self.activation in NON_NEGATIVE


class KernelLayer(LinearLayer):
    """A layer whose kernel mixes all channels or units that enter it: (..., in, out).

    Attributes:
        mixing: the index of this kernel among the layer's arrays.
        width_field: the field that holds the number of channels or units.
    """

    mixing: ClassVar[int] = 0
    width_field: ClassVar[str]

    @property
    def width(self) -> int:
        """How many channels or units the layer has."""
        return int(getattr(self, self.width_field))

    def with_width(self, width: int) -> Self:
        """The layer with another number of channels or units."""
        settings: dict[str, Any] = {self.width_field: width}
        return replace(self, **settings)

    def kernel_shape(self, shape: Shape) -> Shape:
        """The kernel's shape for an input of `shape`."""
        raise NotImplementedError

    def array_shapes(self, shape: Shape) -> tuple[Shape, ...]:
        kernel = self.kernel_shape(shape)
        return (kernel, kernel[-1:]) if self.use_bias else (kernel,)

    def multiplications(self, shape: Shape) -> int:
        """Those of the kernel at every place of the output."""
        return math.prod(self.kernel_shape(shape)) * math.prod(self.output_shape(shape)[:-1])

    @property
    def output_axes(self) -> tuple[int | None, ...]:
        return (-1, -1)[: self.trainable_arrays]

    @property
    def input_axes(self) -> tuple[int | None, ...]:
        return (-2, None)[: self.trainable_arrays]
