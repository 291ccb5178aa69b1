"""Layers that keep the shape and the place of every value: normalization, activation, dropout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netsurgery.networks.activations import LIPSCHITZ, NEGATIVE_SLOPE, NON_NEGATIVE
from netsurgery.networks.layers.base import Arrays, Layer, Shape


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Batch normalization over the last axis; arrays: gamma, beta, moving mean, moving variance.

    Without `scale` there is no gamma, without `center` no beta.
    """

    epsilon: float = 1e-3
    momentum: float = 0.99
    scale: bool = True
    center: bool = True
    kind: ClassVar[str] = "batch_norm"
    is_elementwise: ClassVar[bool] = True
    keeps_channels_apart: ClassVar[bool] = True
    has_channel_arrays: ClassVar[bool] = True

    def __str__(self) -> str:
        return "batch norm"

    def array_shapes(self, shape: Shape) -> tuple[Shape, ...]:
        return (shape[-1:],) * (self.trainable_arrays + 2)

    @property
    def trainable_arrays(self) -> int:
        return self.scale + self.center

    @property
    def output_axes(self) -> tuple[int | None, ...]:
        return (-1,) * (self.trainable_arrays + 2)

    def initial_arrays(self, shape: Shape, rng: np.random.Generator) -> Arrays:
        """Gamma and variance 1, beta and mean 0."""
        values = (*[1] * self.scale, *[0] * self.center, 0, 1)
        return tuple(np.full(shape[-1:], value, np.float32) for value in values)

    def statistics(self, arrays: Arrays) -> tuple[np.ndarray, ...]:
        """Gamma, beta, moving mean and moving variance; neutral where the layer has none."""
        *learned, mean, variance = arrays
        gamma = learned[0] if self.scale else np.ones_like(mean)
        beta = learned[-1] if self.center else np.zeros_like(mean)
        return gamma, beta, mean, variance

    def gain_and_shift(self, arrays: Arrays) -> tuple[np.ndarray, np.ndarray]:
        """What the layer multiplies by and adds in inference mode, in double precision."""
        gamma, beta, mean, variance = (a.astype(np.float64) for a in self.statistics(arrays))
        gain = gamma / np.sqrt(variance + self.epsilon)
        return gain, beta - mean * gain

    def gain_bound(self, arrays: Arrays) -> np.ndarray:
        return np.abs(self.gain_and_shift(arrays)[0])


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Normalization of the channels or units at each place; arrays: gamma and beta.

    Without `scale` there is no gamma, without `center` no beta.
    """

    epsilon: float = 1e-3
    scale: bool = True
    center: bool = True
    kind: ClassVar[str] = "layer_norm"
    is_elementwise: ClassVar[bool] = True
    keeps_channels_apart: ClassVar[bool] = True
    has_channel_arrays: ClassVar[bool] = True

    def __str__(self) -> str:
        return "layer norm"

    def array_shapes(self, shape: Shape) -> tuple[Shape, ...]:
        return (shape[-1:],) * self.trainable_arrays

    @property
    def trainable_arrays(self) -> int:
        return self.scale + self.center

    @property
    def mixes_channels(self) -> bool:
        return True

    def initial_arrays(self, shape: Shape, rng: np.random.Generator) -> Arrays:
        """Gamma 1, beta 0."""
        values = (*[1] * self.scale, *[0] * self.center)
        return tuple(np.full(shape[-1:], value, np.float32) for value in values)

    def gain_bound(self, arrays: Arrays) -> np.ndarray:
        largest = np.abs(arrays[0]).max() if self.scale else 1.0
        return np.asarray(largest / np.sqrt(self.epsilon))


@dataclass(frozen=True)
class Activation(Layer):
    """An activation as a layer of its own, as in conv cells; no arrays."""

    function: str = "relu"
    negative_slope: float = NEGATIVE_SLOPE  # of leaky_relu only
    alpha: float = 1.0  # of elu only
    kind: ClassVar[str] = "activation"
    is_elementwise: ClassVar[bool] = True
    keeps_channels_apart: ClassVar[bool] = True

    def __str__(self) -> str:
        return self.function

    @property
    def activation_function(self) -> str | None:
        return self.function

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        return self.function in NON_NEGATIVE

    def gain_bound(self, arrays: Arrays) -> np.ndarray:
        own = {"leaky_relu": self.negative_slope, "elu": self.alpha}.get(self.function, 1.0)
        return np.asarray(LIPSCHITZ[self.function] * max(1.0, abs(own)))


@dataclass(frozen=True)
class ClippedReLU(Layer):
    """Keras's ReLU with a limit, a slope or a threshold; no arrays.

    It gives x above the threshold, but from 0 to `max_value` where there is one, and below the
    threshold `negative_slope` times the distance to it.
    """

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0
    kind: ClassVar[str] = "clipped_relu"
    is_elementwise: ClassVar[bool] = True
    keeps_channels_apart: ClassVar[bool] = True

    def __str__(self) -> str:
        limit = "" if self.max_value is None else f" up to {self.max_value:g}"
        start = f" from {self.threshold:g}" if self.threshold else ""
        return f"relu{start}{limit}"

    @property
    def activation_function(self) -> str | None:
        return "relu"

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        return self.negative_slope <= 0

    def gain_bound(self, arrays: Arrays) -> np.ndarray:
        jumps = self.threshold != 0
        return np.asarray(np.inf if jumps else max(1.0, abs(self.negative_slope)))


@dataclass(frozen=True)
class PReLU(Layer):
    """A leaky relu with a trained slope for each channel; arrays: slopes (1, 1, channels)."""

    kind: ClassVar[str] = "prelu"
    is_elementwise: ClassVar[bool] = True
    keeps_channels_apart: ClassVar[bool] = True
    has_channel_arrays: ClassVar[bool] = True

    def __str__(self) -> str:
        return "prelu"

    def array_shapes(self, shape: Shape) -> tuple[Shape, ...]:
        return ((*(1 for _ in shape[:-1]), shape[-1]),)

    @property
    def trainable_arrays(self) -> int:
        return 1

    def initial_arrays(self, shape: Shape, rng: np.random.Generator) -> Arrays:
        """Zeros, as in Keras."""
        return tuple(np.zeros(array, np.float32) for array in self.array_shapes(shape))

    def gain_bound(self, arrays: Arrays) -> np.ndarray:
        return np.maximum(np.abs(arrays[0]).reshape(-1), 1)


@dataclass(frozen=True)
class Dropout(Layer):
    """Drops a fraction of the values in training and does nothing otherwise; no arrays.

    Values along `shared_axes` (numbered from 1, as Keras does) are dropped together: all steps or
    pixels of a channel with (1,) in a series and (1, 2) in an image.
    """

    rate: float
    shared_axes: tuple[int, ...] = ()
    kind: ClassVar[str] = "dropout"
    is_elementwise: ClassVar[bool] = True
    keeps_channels_apart: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "shared_axes", tuple(self.shared_axes))  # JSON has lists only

    def __str__(self) -> str:
        return f"dropout {self.rate:g}"

    def noise_shape(self, shape: Shape) -> tuple[int | None, ...]:
        """What is drawn for a batch of samples of `shape`: 1 along shared axes."""
        sides = (1 if i in self.shared_axes else side for i, side in enumerate(shape, start=1))
        return (None, *sides)

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        return input_is_non_negative
