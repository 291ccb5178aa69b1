"""What a network computes, in numpy and inference mode."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from netsurgery.network import Activation, BatchNorm, Conv, Dense, Flatten, Network, Pool


def _softmax(x: np.ndarray) -> np.ndarray:
    exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),  # Keras's slope
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "softmax": _softmax,
}
IDEMPOTENT = {"linear", "relu"}  # f(f(x)) = f(x): an identity layer behind it may repeat it


def convolve(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Stride 1, `same` padding: (n, h, w, in) and (k, k, in, out) to (n, h, w, out)."""
    k = kernel.shape[0]
    before = (k - 1) // 2
    padded = np.pad(x, ((0, 0), (before, k - 1 - before), (before, k - 1 - before), (0, 0)))
    patches = np.lib.stride_tricks.sliding_window_view(padded, (k, k), axis=(1, 2))
    return np.einsum("nhwckl,klco->nhwo", patches, kernel, optimize=True)


def blocks(x: np.ndarray, size: int, fill: float) -> np.ndarray:
    """Cut the axes -3 and -2 into blocks, padded behind by `fill`: (..., H, size, W, size, c)."""
    *lead, height, width, channels = x.shape
    pad = [(0, 0)] * len(lead) + [(0, -height % size), (0, -width % size), (0, 0)]
    padded = np.pad(x, pad, constant_values=fill)
    return padded.reshape(
        *lead, padded.shape[-3] // size, size, padded.shape[-2] // size, size, channels
    )


def pool(x: np.ndarray, layer: Pool) -> np.ndarray:
    """`same` padding; averages leave the padding out of the count, as TensorFlow's do."""
    if layer.function == "max":
        return blocks(x, layer.size, -np.inf).max(axis=(-4, -2))
    ones = np.ones((*x.shape[-3:-1], 1), x.dtype)
    counts = blocks(ones, layer.size, 0).sum(axis=(-4, -2))
    return blocks(x, layer.size, 0).sum(axis=(-4, -2)) / counts


def predict(network: Network, x: np.ndarray) -> np.ndarray:
    """The network's output for a batch x of shape (n, *input_shape), in the precision of x.

    Whole numbers are taken as double precision.
    """
    x = x if np.issubdtype(x.dtype, np.floating) else x.astype(np.float64)
    for layer, arrays in zip(network.topology.layers, network.weights, strict=True):
        match layer:
            case Conv():
                x = convolve(x, arrays[0].astype(x.dtype))
            case Dense():
                x = x @ arrays[0].astype(x.dtype)
            case Pool():
                x = pool(x, layer)
            case BatchNorm():
                gamma, beta, mean, variance = (array.astype(x.dtype) for array in arrays)
                x = (x - mean) / np.sqrt(variance + layer.epsilon) * gamma + beta
            case Flatten():
                x = x.reshape(len(x), -1)
            case Activation():
                x = ACTIVATIONS[layer.function](x)
        if isinstance(layer, Conv | Dense):
            if layer.use_bias:
                x = x + arrays[1].astype(x.dtype)
            x = ACTIVATIONS[layer.activation](x)
    return x
