"""The operations on whole conv cells (ECToNAS section 3.2, A.2)."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.inference import affine
from netsurgery.networks.layers import CELL_LENGTH, BatchNorm, Conv
from netsurgery.networks.network import Arrays, Network, Topology
from netsurgery.surgery import consumer_kernel
from netsurgery.surgery.blocked_matmul import product
from netsurgery.surgery.mutations import flat_reader
from netsurgery.surgery.pooling import resampled
from netsurgery.surgery.weight_transfer import WeightTransfer, replaced, unchanged


def _for_the_new_size(child: Topology, taps_: np.ndarray, dense: int) -> np.ndarray:
    """Taps of the first dense layer for the child's image; `dense` is its place in the child."""
    height, width, _ = child.unfolded(dense)
    if taps_.ndim == 3:  # an image without a channel axis
        taps_ = taps_[:, :, None]
    return resampled(taps_, height, width)


def add_conv_cell(network: Network, child: Topology, position: int) -> WeightTransfer:
    """A cell that passes its input on, pooled: exact but for the pooling and a relu on raw input.

    The kernel is a Dirac: identity across channels at the centre tap (the published code sets the
    centre taps of all channel pairs to 1).
    """
    added = len(child.layers) - len(network.topology.layers)
    start = position + added - CELL_LENGTH  # behind a channel axis, where that was missing
    conv, batch_norm = child.layers[start], child.layers[start + 2]
    assert isinstance(conv, Conv)
    assert isinstance(batch_norm, BatchNorm)
    width = conv.channels
    kernel = np.zeros((conv.kernel, conv.kernel, width, width), np.float32)
    centre = (conv.kernel - 1) // 2
    kernel[centre, centre] = np.eye(width)
    zeros, ones = np.zeros(width, np.float32), np.ones(width, np.float32)
    gamma = ones * np.float32(np.sqrt(1 + batch_norm.epsilon))
    changed: dict[int, Arrays] = {start: (kernel, zeros), start + 2: (gamma, zeros, zeros, ones)}

    layers = len(network.topology.layers)
    origins = (*unchanged(position), *[None] * added, *unchanged(layers - position, position))
    dense = flat_reader(network.topology)
    if dense is not None:
        carried = _for_the_new_size(child, consumer_kernel.read(network, dense), dense + added)
        changed[dense + added] = consumer_kernel.write(network, dense, carried)
        origins = replaced(origins, {dense + added: None})
    return WeightTransfer(child, origins, changed)


def remove_conv_cell(network: Network, child: Topology, position: int) -> WeightTransfer:
    """Multiply the cell, made linear, onto the next layer's weights; approximate.

    Of the convolution its response to a constant image is kept (the sum of its taps), of batch
    normalisation its inference form; the activation is ignored, as when a dense layer is removed,
    and the pooling is undone at the first dense layer.
    """
    topology = network.topology
    batch_norm = topology.layers[position + 2]
    assert isinstance(batch_norm, BatchNorm)
    kernel, *bias = (array.astype(np.float64) for array in network.weights[position])
    gain, shift = affine(batch_norm, network.weights[position + 2])
    constant = shift + gain * (bias[0] if bias else 0)
    mixing = kernel.sum(axis=(0, 1)) * gain  # (channels in, channels out)

    consumer, dense = topology.consumer(position), flat_reader(topology)
    assert consumer is not None
    outgoing = {i: consumer_kernel.read(network, i) for i in (consumer, dense) if i is not None}
    outgoing[consumer] = product(mixing, outgoing[consumer])
    if dense is not None:
        outgoing[dense] = _for_the_new_size(child, outgoing[dense], dense - CELL_LENGTH)
    changed = {
        i - CELL_LENGTH: consumer_kernel.write(
            network, i, kernels, constant if i == consumer else None
        )
        for i, kernels in outgoing.items()
    }
    end = position + CELL_LENGTH
    origins = (*unchanged(position), *unchanged(len(topology.layers) - end, end))
    return WeightTransfer(child, replaced(origins, dict.fromkeys(changed)), changed)
