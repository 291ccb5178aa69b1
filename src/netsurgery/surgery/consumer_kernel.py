"""The kernel that reads a layer's output, in the same form for every kind of layer.

A layer's output channels (or units) are the second to last axis of the next kernel: a convolution
holds (*taps, channels, out), a dense layer after a flatten (*sides, channels, out) once its rows
are unfolded, a dense layer after another (units, out). `read` returns this view, `write` the
arrays with a changed one.
"""

from __future__ import annotations

import numpy as np

from netsurgery.networks.layers import Arrays, KernelLayer
from netsurgery.networks.network import Network
from netsurgery.surgery.blocked_matmul import product


def read(network: Network, consumer: int) -> np.ndarray:
    """The kernel at `consumer` as (..., channels, out): a view."""
    layer = network.topology.layer(consumer, KernelLayer)
    kernel = network.weights[consumer][layer.mixing]
    if kernel.ndim == 2:
        return kernel.reshape(*network.topology.shape_before_flatten(consumer), -1)
    return kernel


def write(
    network: Network,
    consumer: int,
    kernel: np.ndarray,
    constant: np.ndarray | None = None,
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
    layer = network.topology.layer(consumer, KernelLayer)
    arrays = list(network.weights[consumer])
    if constant is not None and layer.use_bias:
        old = read(network, consumer)
        entering = np.broadcast_to(constant, old.shape[:-1]).reshape(1, -1)
        shift = product(entering, old.reshape(entering.size, -1), np.float64)[0]
        arrays[-1] = (arrays[-1] + shift).astype(np.float32)
    shape = kernel.shape if arrays[layer.mixing].ndim > 2 else (-1, kernel.shape[-1])
    arrays[layer.mixing] = kernel.reshape(shape).astype(np.float32, copy=False)
    return tuple(arrays)
