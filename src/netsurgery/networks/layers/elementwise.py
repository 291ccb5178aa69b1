"""Layers that treat every channel or unit on its own: normalization, activation, dropout."""

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
class Activation(Layer):
    """An activation as a layer of its own, as in conv cells; no arrays."""

    function: str = "relu"
    negative_slope: float = NEGATIVE_SLOPE  # of leaky_relu only
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
        return np.asarray(LIPSCHITZ[self.function] * max(1.0, abs(self.negative_slope)))


@dataclass(frozen=True)
class Dropout(Layer):
    """Drops a fraction of the values in training and does nothing otherwise; no arrays."""

    rate: float
    kind: ClassVar[str] = "dropout"
    is_elementwise: ClassVar[bool] = True
    keeps_channels_apart: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"dropout {self.rate:g}"

    def is_non_negative(self, input_is_non_negative: bool) -> bool:
        return input_is_non_negative
