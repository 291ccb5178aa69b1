"""The kernel that reads a layer's output, in the same form for every kind of layer.

A layer's output channels (or units) are the second to last axis of the next kernel: a convolution
holds (*taps, channels, out), a dense layer after a flatten (*sides, channels, out) once its rows
are unfolded, a dense layer after another (units, out). `read` returns this view, `write` the
arrays with a changed one.
"""

from __future__ import annotations

import numpy as np

from netsurgery.networks.layers import Arrays
from netsurgery.networks.network import Network
from netsurgery.surgery.blocked_matmul import product


def read(network: Network, consumer: int) -> np.ndarray:
    """The kernel at `consumer` as (..., channels, out): a view."""
    kernel = network.weights[consumer][0]
    if kernel.ndim == 2:
        return kernel.reshape(*network.topology.shape_before_flatten(consumer), -1)
    return kernel


def write(
    network: Network, consumer: int, kernel: np.ndarray, constant: np.ndarray | None = None
) -> Arrays:
    """The arrays at `consumer` with another kernel.

    Args:
        network: holds the layer at `consumer`.
        consumer: its position.
        kernel: (..., channels, out).
        constant: (channels,), or (..., channels), constant inputs that the old kernel received and
            the new one does not; their contribution goes to the bias (nowhere if the layer has
            none).
    """
    old_kernel, *rest = network.weights[consumer]
    if constant is not None and rest:
        old = read(network, consumer)
        inputs = np.broadcast_to(constant, old.shape[:-1]).reshape(1, -1)
        shift = product(inputs, old.reshape(inputs.size, -1), np.float64)[0]
        rest = [(rest[0] + shift).astype(np.float32)]
    shape = kernel.shape if old_kernel.ndim > 2 else (-1, kernel.shape[-1])
    return (kernel.reshape(shape).astype(np.float32, copy=False), *rest)
