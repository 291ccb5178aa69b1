"""Widen a layer by copies of its own units or channels, and add noise so that they differ."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.activations import LIPSCHITZ
from netsurgery.networks.layers import Dense, KernelLayer
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import consumer_kernel
from netsurgery.surgery.weight_transfer import (
    WeightTransfer,
    build_child,
    replaced,
    selection,
    unchanged,
)


def choose_copies(width: int, added: int, rng: np.random.Generator) -> np.ndarray:
    """Net2Net's random mapping g (ECToNAS eq. 4): itself first, then `added` sources drawn."""
    return np.concatenate([np.arange(width), rng.integers(width, size=added)])


def split(kernel: np.ndarray, copies: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Share each channel's outgoing weights among its copies (ECToNAS eq. 5), exactly in sum.

    The published rule gives every copy the same share. Copies with equal incoming and outgoing
    weights would receive equal gradients and stay equal forever, so each connection is split in
    uniformly drawn proportions: the output stays the same and the copies diverge in the first step.

    Args:
        kernel: (..., n, out).
        copies: (q,) the source of each new channel, the first n being themselves.
        rng: draws the proportions.

    Returns:
        (..., q, out).
    """
    shared = kernel[..., copies, :]  # of this precision, so that a large kernel is copied once
    for source in np.unique(copies[kernel.shape[-2] :]):
        group = np.flatnonzero(copies == source)
        connections = (*kernel.shape[:-2], kernel.shape[-1])
        shares = rng.dirichlet(np.ones(len(group)), size=connections)
        shared[..., group, :] *= np.moveaxis(shares, -1, -2)
    return shared


def widen(
    network: Network, child: Topology, position: int, rng: np.random.Generator
) -> WeightTransfer:
    """Net2WiderNet (eq. 4, 5) for units and channels, normalization included."""
    width, wider = network.topology.output_shapes[position][-1], child.output_shapes[position][-1]
    copies = choose_copies(width, wider - width, rng)
    consumer = network.topology.consumer(position)
    assert consumer is not None
    outgoing = split(consumer_kernel.read(network, consumer), copies, rng)
    return WeightTransfer(
        child,
        replaced(unchanged(len(child.layers)), selection(network.topology, position, copies)),
        {consumer: consumer_kernel.write(network, consumer, outgoing)},
    )


def is_exact(topology: Topology, position: int) -> bool:
    """Whether widening a layer keeps the output: where no layer such as softmax sees copies."""
    return not any(
        layer.mixes_channels for layer in topology.layers[position : topology.consumer(position)]
    )


def add_noise(
    parent: Network,
    transfer: WeightTransfer,
    position: int,
    noise: float,
    rng: np.random.Generator,
) -> tuple[WeightTransfer, float]:
    """Add noise to the incoming weights of the copies in a widened layer, so that no two are equal.

    Args:
        parent: before it is widened.
        transfer: widens it.
        position: of the widened layer.
        noise: size of the noise, relative to the incoming weights of each copy.
        rng: draws it.

    Returns:
        The transfer with noise, and a bound B of its effect: the values that the next layer
        computes (before its activation) change by no more than B times the norm of the widened
        layer's input, both as Euclidean norms over a sample.
    """
    network = build_child(parent, transfer)
    kernel, *bias = network.weights[position]
    width = parent.topology.output_shapes[position][-1]
    drawn = rng.normal(size=(*kernel.shape[:-1], kernel.shape[-1] - width))
    axes = tuple(range(kernel.ndim - 1))
    size = np.sqrt(np.square(kernel[..., width:].astype(np.float64)).sum(axis=axes))
    drawn *= noise * size / np.sqrt(np.square(drawn).sum(axis=axes))
    disturbed = np.concatenate([kernel[..., :width], kernel[..., width:] + drawn], axis=-1)
    changed = {**transfer.changed, position: (disturbed.astype(np.float32), *bias)}
    return WeightTransfer(transfer.child, transfer.origins, changed), _effect_bound(
        network, position, width, drawn
    )


def _operator_norm_bound(kernel: np.ndarray) -> float:
    """An upper bound of the operator norm of a kernel (..., in, out): the sum over its taps."""
    matrices = kernel.reshape(-1, *kernel.shape[-2:])
    return float(np.linalg.norm(matrices, ord=2, axis=(-2, -1)).sum())


def _effect_bound(network: Network, position: int, first: int, change: np.ndarray) -> float:
    """How much a change of the incoming weights of the channels from `first` on can matter."""
    topology = network.topology
    consumer = topology.consumer(position)
    assert consumer is not None
    bound = _operator_norm_bound(change)
    layer = topology.layers[position]
    assert isinstance(layer, KernelLayer)
    bound *= LIPSCHITZ[layer.activation]
    for i in range(position + 1, consumer):
        gain = topology.layers[i].gain_bound(network.weights[i])
        if gain.ndim:  # by feature, that is, by pixel and channel after a flatten
            channels = topology.shape_before_flatten(i)[-1]
            gain = gain.reshape(-1, channels)[:, first:].max()
        bound *= float(gain)
    reading = consumer_kernel.read(network, consumer)[..., first:, :]
    if reading.ndim > 2 and isinstance(topology.layers[consumer], Dense):
        return bound * float(np.linalg.norm(reading.reshape(-1, reading.shape[-1]), ord=2))
    return bound * _operator_norm_bound(reading)
