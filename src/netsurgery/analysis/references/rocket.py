"""Features of series by random convolutions, for a linear model.

A. Dempster, F. Petitjean, G. I. Webb, *ROCKET: exceptionally fast and accurate time series
classification using random convolutional kernels*, 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

KERNELS = 2000  # the paper has 10,000
LENGTHS = (7, 9, 11)
CHUNK = 256  # series


@dataclass(frozen=True)
class Kernel:
    """A random convolution.

    Attributes:
        weights: (length, channels it looks at).
        channels: their indices.
    """

    weights: np.ndarray
    channels: np.ndarray
    bias: float
    dilation: int
    padding: int


def random_kernel(rng: np.random.Generator, steps: int, channels: int) -> Kernel:
    """Draw a kernel as the paper does.

    Args:
        rng: the random stream.
        steps: of a series.
        channels: of a series.
    """
    lengths = [length for length in LENGTHS if length <= steps] or [steps]
    length = int(rng.choice(lengths))
    most = np.log2(min(channels, length) + 1)
    chosen = rng.choice(channels, min(channels, int(2 ** rng.uniform(0, most))), replace=False)
    weights = rng.normal(size=(length, len(chosen)))
    weights -= weights.mean(axis=0)
    bias = rng.uniform(-1, 1)
    largest = np.log2(max(1, (steps - 1) / max(1, length - 1)))
    dilation = int(2 ** rng.uniform(0, largest))
    padding = (length - 1) * dilation // 2 if rng.integers(2) else 0
    return Kernel(weights, np.sort(chosen), bias, dilation, padding)


def features(series: np.ndarray, kernels: Sequence[Kernel]) -> np.ndarray:
    """The largest value and the share of positive ones of each convolution, (n, 2 * kernels).

    Args:
        series: (n, steps, channels).
        kernels: of which there are two features each.
    """
    found = np.empty((len(series), len(kernels), 2), np.float32)
    for start in range(0, len(series), CHUNK):
        chunk = series[start : start + CHUNK]
        for i, kernel in enumerate(kernels):
            values = _convolve(chunk, kernel)
            found[start : start + CHUNK, i, 0] = values.max(axis=1)
            found[start : start + CHUNK, i, 1] = (values > 0).mean(axis=1)
    return found.reshape(len(series), -1)


def _convolve(series: np.ndarray, kernel: Kernel) -> np.ndarray:
    """A convolution of series, (n, some steps)."""
    pad = kernel.padding
    x = np.pad(series[..., kernel.channels], ((0, 0), (pad, pad), (0, 0)))
    length = x.shape[1] - (len(kernel.weights) - 1) * kernel.dilation
    total = np.full((len(x), length), kernel.bias)
    for i, weights in enumerate(kernel.weights):
        start = i * kernel.dilation
        total += x[:, start : start + length] @ weights
    return total
