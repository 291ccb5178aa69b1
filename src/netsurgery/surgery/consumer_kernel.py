"""The kernel that reads a layer's output, seen the same way wherever it stands.

A layer's output channels (or units) reach the next kernel on its second to last axis: a convolution
holds (k, k, channels, out), a dense layer behind a flatten (height, width, channels, out) once its
rows are unfolded, a dense layer behind another (units, out). `read` gives that view, `write` puts a
changed one back. "Taps" are the leading axes.
"""

from __future__ import annotations

import numpy as np

from netsurgery.networks.network import Arrays, Network
from netsurgery.surgery.blocked_matmul import product


def read(network: Network, consumer: int) -> np.ndarray:
    """The kernel at `consumer` as (..., channels, out): a view."""
    kernel = network.weights[consumer][0]
    if kernel.ndim == 2:
        return kernel.reshape(*network.topology.unfolded(consumer), -1)
    return kernel


def write(
    network: Network, consumer: int, taps: np.ndarray, constant: np.ndarray | None = None
) -> Arrays:
    """The arrays at `consumer` with other taps.

    Args:
        network: holds the layer at `consumer`.
        consumer: its position.
        taps: (..., channels, out).
        constant: (channels,), or with the taps before it, constant inputs that the old kernel
            received and no longer does; their contribution goes to the bias (nowhere if the layer
            has none).
    """
    kernel, *rest = network.weights[consumer]
    if constant is not None and rest:
        old = read(network, consumer)
        given = np.broadcast_to(constant, old.shape[:-1]).reshape(1, -1)
        shift = product(given, old.reshape(given.size, -1), np.float64)[0]
        rest = [(rest[0] + shift).astype(np.float32)]
    shape = taps.shape if kernel.ndim == 4 else (-1, taps.shape[-1])
    return (taps.reshape(shape).astype(np.float32, copy=False), *rest)


def choose_copies(width: int, added: int, rng: np.random.Generator) -> np.ndarray:
    """Net2Net's random mapping g (ECToNAS eq. 4): itself first, then `added` sources drawn."""
    return np.concatenate([np.arange(width), rng.integers(width, size=added)])


def split(taps: np.ndarray, copies: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Share each channel's outgoing weights among its copies (ECToNAS eq. 5), exactly in sum.

    The published rule gives every copy the same share. Copies that read and write the same would
    receive the same gradients and stay equal for ever, so each connection is split in proportions
    drawn uniformly: the network's output is the same and the copies part in the first step.

    Args:
        taps: (..., n, out).
        copies: (q,) the source of each new channel, the first n being themselves.
        rng: draws the proportions.

    Returns:
        (..., q, out).
    """
    shared = taps[..., copies, :]  # of this precision, so that a large kernel is copied once
    for source in np.unique(copies[taps.shape[-2] :]):
        group = np.flatnonzero(copies == source)
        connections = (*taps.shape[:-2], taps.shape[-1])
        shares = rng.dirichlet(np.ones(len(group)), size=connections)
        shared[..., group, :] *= np.moveaxis(shares, -1, -2)
    return shared
