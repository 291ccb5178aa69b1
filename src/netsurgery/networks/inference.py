"""What a network computes, in numpy and inference mode."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netsurgery.networks import activations
from netsurgery.networks.layers import (
    SAME,
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Kernel,
    Layer,
    Pool,
    Rescaling,
    Reshape,
)
from netsurgery.networks.network import Arrays, Network

CHUNK = 32  # images that are held at a time


def _margins(length: int, size: int, strides: int, padding: str) -> tuple[int, int]:
    """Pixels to add before and behind a side, as TensorFlow does."""
    if padding != SAME:
        return (0, 0)
    missing = max(0, (-(-length // strides) - 1) * strides + size - length)
    return (missing // 2, missing - missing // 2)


def windows(x: np.ndarray, size: int, strides: int, padding: str, fill: float = 0.0) -> np.ndarray:
    """Every place of a square window: (n, h, w, c) to (n, H, W, c, size, size), a view."""
    margins = [_margins(length, size, strides, padding) for length in x.shape[1:3]]
    if any(map(any, margins)):
        x = np.pad(x, ((0, 0), *margins, (0, 0)), constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))
    return view[:, ::strides, ::strides]


def patches(x: np.ndarray, layer: Conv) -> np.ndarray:
    """What a convolution multiplies: (n, h, w, c) to (n, H, W, k * k * c), as its kernel's rows."""
    view = windows(x, layer.kernel, layer.strides, layer.padding)
    return np.moveaxis(view, 3, -1).reshape(*view.shape[:3], -1)


def _pool(x: np.ndarray, layer: Pool) -> np.ndarray:
    """Averages leave the padding out of the count, as TensorFlow's do."""
    strides = layer.strides or layer.size
    if layer.function == "max":
        return windows(x, layer.size, strides, layer.padding, -np.inf).max(axis=(-2, -1))
    ones = np.ones((1, *x.shape[1:3], 1), x.dtype)
    sums, counts = (
        windows(v, layer.size, strides, layer.padding).sum(axis=(-2, -1)) for v in (x, ones)
    )
    return sums / counts


def statistics(layer: BatchNorm, arrays: Arrays) -> tuple[np.ndarray, ...]:
    """Gamma, beta, moving mean and moving variance, neutral where the layer has none."""
    *learnt, mean, variance = arrays
    gamma = learnt[0] if layer.scale else np.ones_like(mean)
    beta = learnt[-1] if layer.center else np.zeros_like(mean)
    return gamma, beta, mean, variance


def affine(layer: BatchNorm, arrays: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """Gain and shift of a batch normalisation in inference mode, in double precision."""
    gamma, beta, mean, variance = (a.astype(np.float64) for a in statistics(layer, arrays))
    gain = gamma / np.sqrt(variance + layer.epsilon)
    return gain, beta - mean * gain


def pre_activation(layer: Kernel, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    """What a layer with a kernel gives before its activation."""
    kernel, *bias = (array.astype(x.dtype, copy=False) for array in arrays)
    if isinstance(layer, Conv):
        matrix = kernel.reshape(-1, kernel.shape[-1])
        x = np.concatenate([patches(x[part], layer) @ matrix for part in chunks(len(x))])
    else:
        x = x @ kernel
    return x + bias[0] if bias else x


def apply(layer: Layer, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    """What one layer makes of a batch (n, *shape).

    Raises:
        ValueError: a layer or an activation that numpy does not know.
    """
    match layer:
        case Conv() | Dense():
            return activations.apply(layer.activation, pre_activation(layer, arrays, x))
        case Pool():
            return _pool(x, layer)
        case GlobalPool():
            return x.max(axis=(1, 2)) if layer.function == "max" else x.mean(axis=(1, 2))
        case BatchNorm():
            gain, shift = (a.astype(x.dtype) for a in affine(layer, arrays))
            return x * gain + shift
        case Activation():
            return activations.apply(layer.function, x, layer.negative_slope)
        case Rescaling():
            return x * np.asarray(layer.scale, x.dtype) + np.asarray(layer.offset, x.dtype)
        case Flatten():
            return x.reshape(len(x), -1)
        case Reshape():
            return x.reshape(len(x), *layer.shape)
        case Dropout():
            return x
        case _:
            raise ValueError(f"{layer} is not known to numpy: what it computes cannot be told here")


def precision(x: np.ndarray) -> np.dtype:
    """What is computed in for a batch x: its own precision, double for whole numbers."""
    return x.dtype if np.issubdtype(x.dtype, np.floating) else np.dtype(np.float64)


def chunks(count: int) -> Iterator[slice]:
    """Parts of a batch, so that what is between two layers is never held for all of it."""
    return (slice(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK))


def run_layers(network: Network, x: np.ndarray, start: int, stop: int) -> np.ndarray:
    """What a batch that enters the layer at `start` is when it enters the one at `stop`."""
    x = x.astype(precision(x), copy=False)
    for i in range(start, stop):
        x = apply(network.topology.layers[i], network.weights[i], x)
    return x


def layer_input(network: Network, position: int, x: np.ndarray) -> np.ndarray:
    """The input of the layer at `position` for a batch x of shape (n, *input_shape)."""
    entering = np.empty((len(x), *network.topology.shapes[position]), precision(x))
    for part in chunks(len(x)):
        entering[part] = run_layers(network, x[part], 0, position)
    return entering


def predict(network: Network, x: np.ndarray) -> np.ndarray:
    """The network's output for a batch x of shape (n, *input_shape), in the precision of x.

    Raises:
        ValueError: a layer or an activation that numpy does not know.
    """
    return run_layers(network, x, 0, len(network.weights))
