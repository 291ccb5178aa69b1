"""The operations on convolutions: channels and whole conv cells (ECToNAS section 3.2, A.2)."""

from __future__ import annotations

import numpy as np

from netsurgery.forward import ACTIVATIONS
from netsurgery.network import (
    CELL_LENGTH,
    Activation,
    Arrays,
    BatchNorm,
    Conv,
    Flatten,
    Network,
    Topology,
)
from netsurgery.surgery import taps
from netsurgery.surgery.pooling import pooled, unpooled


def _select_channels(network: Network, position: int, channels: np.ndarray) -> dict[int, Arrays]:
    """The convolution at `position` and its batch normalisation, with these channels only."""
    kernel, *bias = network.weights[position]
    changed: dict[int, Arrays] = {position: (kernel[..., channels], *(b[channels] for b in bias))}
    for i in range(position + 1, network.topology.consumer(position)):
        if isinstance(network.topology.layers[i], BatchNorm):
            changed[i] = tuple(array[channels] for array in network.weights[i])
    return changed


def add_channels(
    network: Network, child: Topology, position: int, rng: np.random.Generator
) -> Network:
    """Net2WiderNet for channels, with their batch normalisation statistics: exact."""
    width, wider = network.topology.shapes[position + 1][-1], child.shapes[position + 1][-1]
    copies = taps.choose_copies(width, wider - width, rng)
    consumer = network.topology.consumer(position)
    outgoing = taps.split(taps.read(network, consumer), copies, rng)
    changed = _select_channels(network, position, copies)
    changed[consumer] = taps.write(network, consumer, outgoing)
    return Network(child, tuple(changed.get(i, w) for i, w in enumerate(network.weights)))


def remove_channels(network: Network, child: Topology, position: int) -> Network:
    """Drop the channels of smallest |gamma|; approximate.

    A channel with a small gamma gives little but act(beta), so that constant goes to the next
    layer's bias (the paper adds beta itself, and orders by gamma with its sign).
    """
    gamma, beta, _, _ = network.weights[position + 2]
    activation = network.topology.layers[position + 3]
    assert isinstance(activation, Activation)
    kept = np.sort(np.argsort(-np.abs(gamma), kind="stable")[: child.shapes[position + 1][-1]])
    constant = ACTIVATIONS[activation.function](beta.astype(np.float64))
    constant[kept] = 0
    consumer = network.topology.consumer(position)
    outgoing = taps.read(network, consumer)[..., kept, :]
    changed = _select_channels(network, position, kept)
    changed[consumer] = taps.write(network, consumer, outgoing, constant)
    return Network(child, tuple(changed.get(i, w) for i, w in enumerate(network.weights)))


def add_conv_cell(network: Network, child: Topology, position: int) -> Network:
    """A cell that passes its input on, pooled: exact but for the pooling and a relu on raw input.

    The kernel is a Dirac: identity across channels at the centre tap (the published code sets the
    centre taps of all channel pairs to 1).
    """
    conv, batch_norm = child.layers[position], child.layers[position + 2]
    assert isinstance(conv, Conv)
    assert isinstance(batch_norm, BatchNorm)
    width = conv.channels
    kernel = np.zeros((conv.kernel, conv.kernel, width, width), np.float32)
    centre = (conv.kernel - 1) // 2
    kernel[centre, centre] = np.eye(width)
    zeros, ones = np.zeros(width, np.float32), np.ones(width, np.float32)
    gamma = ones * np.float32(np.sqrt(1 + batch_norm.epsilon))
    cell: tuple[Arrays, ...] = ((kernel, zeros), (), (gamma, zeros, zeros, ones), ())
    weights = list(network.weights)
    dense = _first_dense(network.topology)
    weights[dense] = taps.write(network, dense, pooled(taps.read(network, dense)))
    return Network(child, (*weights[:position], *cell, *weights[position:]))


def remove_conv_cell(network: Network, child: Topology, position: int) -> Network:
    """Multiply the cell, made linear, onto the next layer's weights; approximate.

    Of the convolution its response to a constant image is kept (the sum of its taps), of batch
    normalisation its inference form; the activation is ignored, as when a dense layer is removed,
    and the pooling is undone at the first dense layer.
    """
    batch_norm = network.topology.layers[position + 2]
    assert isinstance(batch_norm, BatchNorm)
    kernel, *bias = (array.astype(np.float64) for array in network.weights[position])
    statistics = (array.astype(np.float64) for array in network.weights[position + 2])
    gamma, beta, mean, variance = statistics
    gain = gamma / np.sqrt(variance + batch_norm.epsilon)
    shift = beta + gain * ((bias[0] if bias else 0) - mean)
    mixing = kernel.sum(axis=(0, 1)) * gain  # (channels in, channels out)

    consumer, dense = network.topology.consumer(position), _first_dense(network.topology)
    height, width, _ = child.shapes[dense - CELL_LENGTH - 1]
    outgoing = {i: taps.read(network, i) for i in (consumer, dense)}
    outgoing[consumer] = mixing @ outgoing[consumer]
    outgoing[dense] = unpooled(outgoing[dense], height, width)
    weights = list(network.weights)
    for i, kernels in outgoing.items():
        weights[i] = taps.write(network, i, kernels, shift if i == consumer else None)
    del weights[position : position + CELL_LENGTH]
    return Network(child, tuple(weights))


def _first_dense(topology: Topology) -> int:
    """The position of the dense layer that reads the flattened image."""
    return topology.consumer(topology.positions(Flatten)[0])
