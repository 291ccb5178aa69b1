"""More or fewer channels or units in a layer: copies of some, or the weakest gone."""

from __future__ import annotations

import numpy as np

from netsurgery.networks import inference
from netsurgery.networks.activations import LIPSCHITZ
from netsurgery.networks.layers import Activation, BatchNorm, Conv, Dense
from netsurgery.networks.network import Arrays, Network, Topology
from netsurgery.surgery import consumer_kernel
from netsurgery.surgery.weight_transfer import (
    WeightTransfer,
    build_child,
    replaced,
    selection,
    unchanged,
)


def widen(
    network: Network, child: Topology, position: int, rng: np.random.Generator
) -> WeightTransfer:
    """Net2WiderNet (eq. 4, 5) for units and channels, normalisation included: exact."""
    width, wider = network.topology.shapes[position + 1][-1], child.shapes[position + 1][-1]
    copies = consumer_kernel.choose_copies(width, wider - width, rng)
    consumer = network.topology.consumer(position)
    assert consumer is not None
    outgoing = consumer_kernel.split(consumer_kernel.read(network, consumer), copies, rng)
    return WeightTransfer(
        child,
        replaced(unchanged(len(child.layers)), selection(network.topology, position, copies)),
        {consumer: consumer_kernel.write(network, consumer, outgoing)},
    )


def selected(
    network: Network, child: Topology, position: int, kept: np.ndarray, at_consumer: Arrays
) -> WeightTransfer:
    """Only the channels or units in `kept` (sorted), with these arrays for what reads them."""
    consumer = network.topology.consumer(position)
    assert consumer is not None
    origins = selection(network.topology, position, kept)
    return WeightTransfer(
        child, replaced(unchanged(len(child.layers)), origins), {consumer: at_consumer}
    )


def keep_strongest(network: Network, child: Topology, position: int) -> WeightTransfer:
    """Drop the channels or units of smallest |gamma|; approximate.

    A channel with a small gamma gives little but act(beta), so that constant goes to the next
    layer's bias (the paper adds beta itself, and orders by gamma with its sign). Without batch
    normalisation those with the smallest incoming weights go, and act(bias) is what they give.
    """
    topology = network.topology
    consumer, width = topology.consumer(position), child.shapes[position + 1][-1]
    assert consumer is not None
    layer, arrays = topology.layers[position], network.weights[position]
    assert isinstance(layer, Conv | Dense)
    incoming = arrays[0].reshape(-1, arrays[0].shape[-1])
    strength = np.sqrt(np.einsum("ij,ij->j", incoming, incoming, dtype=np.float64))
    constant = arrays[1].astype(np.float64) if layer.use_bias else np.zeros(len(strength))
    constant = inference.activations.apply(layer.activation, constant)
    by_gamma = False
    for i in range(position + 1, consumer):
        behind = topology.layers[i]
        if isinstance(behind, BatchNorm):
            gamma, beta, _, _ = inference.statistics(behind, network.weights[i])
            if len(gamma) == len(strength) and not by_gamma:
                strength, constant, by_gamma = np.abs(gamma), beta.astype(np.float64), True
                continue
            # another one, perhaps behind a flatten layer: there by pixel
            fold = (-1,) if len(gamma) == len(strength) else topology.unfolded(i)
            gain, shift = inference.affine(behind, network.weights[i])
            constant = constant * gain.reshape(fold) + shift.reshape(fold)
        elif isinstance(behind, Activation):
            constant = inference.apply(behind, (), constant)
    kept = np.sort(np.argsort(-strength, kind="stable")[:width])
    constant[..., kept] = 0
    outgoing = consumer_kernel.read(network, consumer)[..., kept, :]
    return selected(
        network, child, position, kept, consumer_kernel.write(network, consumer, outgoing, constant)
    )


def disturb(
    parent: Network, graft: WeightTransfer, position: int, noise: float, rng: np.random.Generator
) -> tuple[WeightTransfer, float]:
    """Noise on what the copies of a widened layer read, so that no two stay alike.

    Args:
        parent: before it was widened.
        graft: that widens it.
        position: of the widened layer.
        noise: size of the noise, relative to the incoming weights of each copy.
        rng: draws it.

    Returns:
        The graft with noise, and a bound B of what it does: the values that the next layer computes
        (before its activation) change by no more than B times the norm of what the widened layer
        reads, both as Euclidean norms over a sample.
    """
    network = build_child(parent, graft)
    kernel, *bias = network.weights[position]
    width = parent.topology.shapes[position + 1][-1]
    drawn = rng.normal(size=(*kernel.shape[:-1], kernel.shape[-1] - width))
    axes = tuple(range(kernel.ndim - 1))
    size = np.sqrt(np.square(kernel[..., width:].astype(np.float64)).sum(axis=axes))
    drawn *= noise * size / np.sqrt(np.square(drawn).sum(axis=axes))
    disturbed = np.concatenate([kernel[..., :width], kernel[..., width:] + drawn], axis=-1)
    changed = {**graft.changed, position: (disturbed.astype(np.float32), *bias)}
    return WeightTransfer(graft.child, graft.origins, changed), _reach(
        network, position, width, drawn
    )


def _norm(taps_: np.ndarray) -> float:
    """A bound of the operator norm of a kernel (..., in, out): the sum over its taps."""
    matrices = taps_.reshape(-1, *taps_.shape[-2:])
    return float(np.linalg.norm(matrices, ord=2, axis=(-2, -1)).sum())


def _reach(network: Network, position: int, first: int, change: np.ndarray) -> float:
    """How far a change of the incoming weights of the channels from `first` on can reach."""
    topology = network.topology
    consumer = topology.consumer(position)
    assert consumer is not None
    bound = _norm(change)
    layer = topology.layers[position]
    assert isinstance(layer, Conv | Dense)
    bound *= LIPSCHITZ[layer.activation]
    for i in range(position + 1, consumer):
        behind = topology.layers[i]
        if isinstance(behind, Activation):
            bound *= LIPSCHITZ[behind.function] * max(1.0, abs(behind.negative_slope))
        elif isinstance(behind, BatchNorm):
            gain, _ = inference.affine(behind, network.weights[i])
            bound *= float(np.abs(gain.reshape(-1, topology.unfolded(i)[-1])[:, first:]).max())
        elif overlap := getattr(behind, "size", None):
            # a pixel counts in every window that it lies in
            bound *= -(-overlap // (behind.strides or overlap))  # type: ignore[union-attr]
    reading = consumer_kernel.read(network, consumer)[..., first:, :]
    if reading.ndim == 4 and isinstance(topology.layers[consumer], Dense):
        return bound * float(np.linalg.norm(reading.reshape(-1, reading.shape[-1]), ord=2))
    return bound * _norm(reading)
