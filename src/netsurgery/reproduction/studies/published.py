"""The rules of the authors' code where they differ from ours, for comparison.

They follow the architecture adapter of ECToNAS 3.0, which deviates from the paper in places. It
places the activation of an added cell before the normalization, which is equivalent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from netsurgery.networks.layers import CONV_CELL_LENGTH, Arrays, BatchNorm
from netsurgery.networks.network import Network
from netsurgery.surgery import (
    Mutation,
    Operation,
    consumer_kernel,
    mutate_topology,
    operations,
    with_default_width,
)
from netsurgery.surgery.structure import flattened_image_reader

INITIAL = (1.0, 0.0, 0.0, 1.0)  # gamma, beta, mean, variance
AGGREGATIONS: dict[str, Callable[..., np.ndarray]] = {"average": np.nanmean, "max": np.nanmax}


def apply_published_rule(network: Network, mutation: Mutation) -> Network | None:
    """Mutate a network by the rule of the authors' code.

    Args:
        network: the parent, of conv cells and dense layers with biases.
        mutation: legal, with or without its width.

    Returns:
        The child; None if their rule equals ours, or if they have no such operation.
    """
    mutation = with_default_width(network.topology, mutation)
    rule = RULES.get(mutation.operation)
    return None if rule is None else rule(network, mutation)


def aggregate_blocks(kernel: np.ndarray, pooling: str) -> np.ndarray:
    """Aggregate each 2x2 block of a dense layer's kernel, when pooling is inserted before it.

    Args:
        kernel: (height, width, channels, out).
        pooling: average takes the mean of a block, max the largest value.
    """
    height, width = ((side + 1) // 2 for side in kernel.shape[:2])
    padded = np.full((2 * height, 2 * width, *kernel.shape[2:]), np.nan)
    padded[: kernel.shape[0], : kernel.shape[1]] = kernel
    blocks = padded.reshape(height, 2, width, 2, *kernel.shape[2:])
    return AGGREGATIONS[pooling](blocks, axis=(1, 3))


def repeat_blocks(kernel: np.ndarray, height: int, width: int) -> np.ndarray:
    """Repeat each weight of a dense layer's kernel 2x2 times, when pooling before it is removed."""
    return kernel.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]


def _float32(arrays: Arrays) -> Arrays:
    return tuple(array.astype(np.float32) for array in arrays)


def _child(network: Network, mutation: Mutation, changed: dict[int, Arrays]) -> Network:
    """The child with some arrays changed and the others taken over.

    Args:
        network: the parent.
        mutation: legal, with its width.
        changed: arrays of the child by position.
    """
    child, position = mutate_topology(network.topology, mutation), mutation.at(network.topology)
    grown = len(child.layers) - len(network.topology.layers)
    weights = list(network.weights)
    if grown > 0:
        weights[position:position] = [()] * grown
    else:
        del weights[position : position - grown]
    for i, arrays in changed.items():
        weights[i] = _float32(arrays)
    return Network(child, tuple(weights))


def _copy_sources(count: int, added: int) -> np.ndarray:
    """The source of every channel: all channels, followed by copies of the first ones."""
    copies = np.full(count, added // count)
    copies[: added % count] += 1
    return np.concatenate([np.arange(count), np.repeat(np.arange(count), copies)])


def _extend_normalization(arrays: Arrays, added: int) -> Arrays:
    """Normalization with initial values for added channels."""
    return tuple(
        np.append(a, np.full(added, value)) for a, value in zip(arrays, INITIAL, strict=True)
    )


def _widen(network: Network, mutation: Mutation) -> Network:
    """Copies divide the incoming weights and keep the full outgoing weights."""
    topology, width = network.topology, mutation.width
    position = mutation.at(topology)
    assert width is not None
    consumer, old = topology.consumer(position), topology.output_shapes[position][-1]
    assert consumer is not None
    source = _copy_sources(old, width - old)
    shares = np.bincount(source)[source]
    changed = {
        position: tuple(array[..., source] / shares for array in network.weights[position]),
        consumer: consumer_kernel.write(
            network, consumer, consumer_kernel.read(network, consumer)[..., source, :]
        ),
    }
    for i in range(position, consumer):
        if isinstance(topology.layers[i], BatchNorm):
            changed[i] = _extend_normalization(network.weights[i], width - old)
    return _child(network, mutation, changed)


def _remove_units(network: Network, mutation: Mutation) -> Network:
    """Use U S as kernel, and multiply the bias and the next layer's weights by a corner of V.

    At most as many units remain as there are singular values.
    """
    topology, position = network.topology, mutation.at(network.topology)
    assert mutation.width is not None
    consumer = topology.consumer(position)
    assert consumer is not None
    kernel, bias = network.weights[position]
    u, s, vt = np.linalg.svd(kernel.astype(np.float64), full_matrices=False)
    width = min(mutation.width, len(s))
    corner = vt[:width, :width].T
    outgoing, *rest = network.weights[consumer]
    changed = {
        position: (u[:, :width] * s[:width], corner @ bias[:width]),
        consumer: (corner @ outgoing[:width], *rest),
    }
    return _child(network, replace(mutation, width=width), changed)


def _without_channels(network: Network, position: int, kept: int) -> dict[int, Arrays]:
    """The arrays of a convolution and the layers after it without the channels of smallest gamma.

    The beta of removed channels is added to every bias of the next layer without its weights.
    """
    consumer = network.topology.consumer(position)
    assert consumer is not None
    gamma, beta, *_ = network.weights[position + 2]
    order = np.argsort(gamma, kind="stable")
    removed, kept_channels = order[: len(gamma) - kept], np.sort(order[len(gamma) - kept :])
    outgoing, bias = consumer_kernel.write(
        network, consumer, consumer_kernel.read(network, consumer)[..., kept_channels, :]
    )
    return {
        position: tuple(array[..., kept_channels] for array in network.weights[position]),
        position + 2: tuple(array[kept_channels] for array in network.weights[position + 2]),
        consumer: (outgoing, bias + beta[removed].sum()),
    }


def _remove_channels(network: Network, mutation: Mutation) -> Network:
    assert mutation.width is not None
    position = mutation.at(network.topology)
    return _child(network, mutation, _without_channels(network, position, mutation.width))


def _add_conv_cell(network: Network, mutation: Mutation) -> Network:
    """Every channel is the sum of all; each block of the dense weights is pooled."""
    assert mutation.width is not None
    width, pooling = mutation.width, mutation.pooling or "average"
    child = mutate_topology(network.topology, mutation)
    added = len(child.layers) - len(network.topology.layers)
    start = mutation.at(network.topology) + added - CONV_CELL_LENGTH
    kernel = np.zeros((3, 3, width, width))
    kernel[1, 1] = 1
    changed: dict[int, Arrays] = {
        start: (kernel, np.zeros(width)),
        start + 2: tuple(np.full(width, value) for value in INITIAL),
    }
    dense = flattened_image_reader(network.topology)
    if dense is not None:
        pooled = aggregate_blocks(consumer_kernel.read(network, dense), pooling)
        changed[dense + added] = consumer_kernel.write(network, dense, pooled)
    return _child(network, mutation, changed)


def _remove_conv_cell(network: Network, mutation: Mutation) -> Network:
    """Pass on the cell's input, with channels removed or copied to match those of the cell."""
    topology, position = network.topology, mutation.at(network.topology)
    consumer, dense = topology.consumer(position), flattened_image_reader(topology)
    assert consumer is not None
    entering, leaving = topology.input_shapes[position][-1], topology.output_shapes[position][-1]
    if entering < leaving:
        changed = _without_channels(network, position, entering)
        (outgoing, bias), (_, beta, *_) = changed[consumer], changed[position + 2]
    else:
        source = _copy_sources(leaving, entering - leaving)
        (outgoing, bias) = consumer_kernel.write(
            network, consumer, consumer_kernel.read(network, consumer)[..., source, :]
        )
        beta = network.weights[position + 2][1]
    arrays = {consumer: (outgoing, bias + beta.sum())}
    child = mutate_topology(topology, mutation)
    if dense is not None:
        kernel, bias = arrays.get(dense, network.weights[dense])
        height, width, _ = topology.shape_before_flatten(dense)
        unfolded = kernel.reshape(height, width, -1, kernel.shape[-1])
        larger = repeat_blocks(unfolded, *child.shape_before_flatten(dense - CONV_CELL_LENGTH)[:2])
        arrays[dense] = (larger.reshape(-1, kernel.shape[-1]), bias)
    return _child(network, mutation, {i - CONV_CELL_LENGTH: a for i, a in arrays.items()})


RULES: dict[Operation, Callable[[Network, Mutation], Network]] = {
    operations.ADD_UNITS: _widen,
    operations.ADD_CHANNELS: _widen,
    operations.REMOVE_UNITS: _remove_units,
    operations.REMOVE_CHANNELS: _remove_channels,
    operations.ADD_CONV_CELL: _add_conv_cell,
    operations.REMOVE_CONV_CELL: _remove_conv_cell,
}
