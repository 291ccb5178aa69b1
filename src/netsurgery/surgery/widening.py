"""Widen a group of channels or units, by copies of its own or by new ones that nothing reads yet.

Copies keep the output because they share the outgoing weights of their source. New channels keep it
because their outgoing weights are zero: in training mode as well, and from the first step on they
learn from other incoming weights than those that are there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netsurgery.networks.activations import LIPSCHITZ
from netsurgery.networks.inference import layer_input
from netsurgery.networks.layers import (
    Arrays,
    BatchNorm,
    Join,
    KernelLayer,
    Multiply,
)
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery.channel_groups import ChannelGroup, channel_groups
from netsurgery.surgery.layouts import NEW, occurrences, part
from netsurgery.surgery.weight_transfer import (
    Origin,
    WeightTransfer,
    build_child,
    replaced,
    selection,
    take,
    unchanged,
)

STATISTICS_SAMPLES = 256  # for the moving statistics of new channels


def choose_copies(width: int, added: int, rng: np.random.Generator) -> np.ndarray:
    """Net2Net's random mapping g (ECToNAS eq. 4): itself first, then `added` sources drawn."""
    return np.concatenate([np.arange(width), rng.integers(width, size=added)])


def split(
    kernel: np.ndarray,
    features: np.ndarray,
    copies: np.ndarray,
    rng: np.random.Generator | None,
) -> None:
    """Share each channel's outgoing weights among its copies (ECToNAS eq. 5), exactly in sum.

    The published rule gives every copy the same share. Copies with equal incoming and outgoing
    weights receive equal gradients and stay equal forever, so by default each connection is split
    in uniformly drawn proportions: the output stays the same and the copies diverge in the first
    step.

    Args:
        kernel: (..., in, out), where each copy has the weights of its source; changed in place.
        features: (..., q), where the kernel reads the channels.
        copies: (q,) the source of each channel, the first ones being themselves.
        rng: draws the proportions; None: equal ones.
    """
    width = copies.max() + 1
    for source in np.unique(copies[width:]):
        group = features[..., np.flatnonzero(copies == source)]
        if rng is None:
            kernel[..., group, :] /= group.shape[-1]
            continue
        connections = (*kernel.shape[:-2], *group.shape[:-1], kernel.shape[-1])
        shares = rng.dirichlet(np.ones(group.shape[-1]), size=connections)
        kernel[..., group, :] *= np.moveaxis(shares, -1, -2)


def _with_width_of(topology: Topology, child: Topology, position: int) -> tuple[ChannelGroup, int]:
    """The group that a layer owns, and its width in the child."""
    group = channel_groups(topology).owned(position)
    return group, child.output_shapes[position][-1]


def widen(
    network: Network,
    child: Topology,
    position: int,
    rng: np.random.Generator,
    *,
    equally: bool = False,
) -> WeightTransfer:
    """Net2WiderNet (eq. 4, 5) for a group of units or channels, normalization included.

    Args:
        network: the parent.
        child: with more units or channels at `position`.
        position: of the layer that owns the group.
        rng: draws the copies, and in which proportions they share outgoing weights.
        equally: whether they share them equally instead, as published.
    """
    topology = network.topology
    group, wider = _with_width_of(topology, child, position)
    copies = choose_copies(group.width, wider - group.width, rng)
    origins = selection(topology, group, copies)
    changed = {
        reader: _shared(network, group, origins[reader], copies, None if equally else rng)
        for reader in group.readers
    }
    return WeightTransfer(child, replaced(unchanged(len(child.layers)), origins), changed)


def _shared(
    network: Network,
    group: ChannelGroup,
    origin: Origin,
    copies: np.ndarray,
    rng: np.random.Generator | None,
) -> Arrays:
    """The arrays of a layer that reads copies."""
    reader = origin.position
    layer, layout = network.topology.layer(reader, KernelLayer), channel_groups(network.topology)
    arrays = take(layer, network.weights[reader], origin)
    for features in occurrences(layout.entering[reader], group.number, len(copies)):
        split(arrays[layer.mixing], features, copies, rng)
    return arrays


def widen_by_new(
    network: Network,
    child: Topology,
    position: int,
    rng: np.random.Generator,
    samples: np.ndarray | None = None,
) -> WeightTransfer:
    """New units or channels whose outgoing weights are zero: exact, in training mode as well.

    Their incoming weights are drawn as an initializer draws them. Normalizations have gamma 1,
    beta 0 and, given samples, the moving statistics of these.

    Args:
        network: the parent.
        child: with more units or channels at `position`.
        position: of the layer that owns the group.
        rng: draws the incoming weights.
        samples: (n, *input_shape) calibration samples; without them moving means are 0, variances 1
            until training has moved them.
    """
    topology, layouts = network.topology, channel_groups(network.topology)
    group, wider = _with_width_of(topology, child, position)
    added = np.arange(group.width, wider)
    index = np.concatenate([np.arange(group.width), np.full(len(added), NEW)])
    origins = selection(topology, group, index)
    changed: dict[int, Arrays] = {}
    new: dict[int, np.ndarray] = {}  # by position the new features of its output
    for i, origin in origins.items():
        layer = child.layers[i]
        arrays = take(topology.layers[i], network.weights[i], origin)
        drawn = layer.initial_arrays(child.input_shapes[i], rng)
        if origin.outputs is not None:
            new[i] = _features(occurrences(layouts.leaving[i], group.number, wider), added)
            _fill(arrays, drawn, layer.output_axes, new[i])
        if origin.inputs is not None:
            read = _features(occurrences(layouts.entering[i], group.number, wider), added)
            mixing = child.layer(i, KernelLayer).mixing
            _fill(arrays[:mixing], drawn, layer.input_axes, read)
            arrays[mixing][..., read, :] = 0
        changed[i] = arrays
    transfer = WeightTransfer(child, replaced(unchanged(len(child.layers)), origins), changed)
    if samples is None:
        return transfer
    return _with_statistics(network, transfer, new, samples[:STATISTICS_SAMPLES])


def _features(found: list[np.ndarray], channels: np.ndarray) -> np.ndarray:
    """The features of some channels of a group, wherever it occurs."""
    return np.concatenate([each[..., channels].reshape(-1) for each in found])


def _fill(
    arrays: Arrays, values: Arrays, axes: tuple[int | None, ...], features: np.ndarray
) -> None:
    """Overwrite some features of arrays, each along its axis if it has one."""
    for array, value, axis in zip(arrays, values, axes, strict=False):
        if axis is not None:
            np.moveaxis(array, axis, 0)[features] = np.moveaxis(value, axis, 0)[features]


def _with_statistics(
    network: Network, transfer: WeightTransfer, new: dict[int, np.ndarray], samples: np.ndarray
) -> WeightTransfer:
    """The transfer, with the moving statistics of new features as in some samples."""
    for i, features in new.items():
        if not isinstance(transfer.child.layers[i], BatchNorm):
            continue
        entering = layer_input(build_child(network, transfer), i, samples)
        values = entering.reshape(-1, entering.shape[-1])[:, features].astype(np.float64)
        *learned, mean, variance = transfer.changed[i]
        mean[features], variance[features] = values.mean(axis=0), values.var(axis=0)
        changed = {**transfer.changed, i: (*learned, mean, variance)}
        transfer = WeightTransfer(transfer.child, transfer.origins, changed)
    return transfer


def is_exact(topology: Topology, position: int) -> bool:
    """Whether widening a group keeps the output: where no layer such as softmax sees copies."""
    members = channel_groups(topology).owned(position).members
    return not any(topology.layers[i].mixes_channels for i in members)


# --- noise on copies ------------------------------------------------------------------------------


def takes_noise(topology: Topology, position: int) -> bool:
    """Whether the effect of noise on the copies is bounded: one kernel writes them, no gate."""
    group = channel_groups(topology).owned(position)
    one_kernel = len(group.writers) == 1 and topology.layer(position, KernelLayer).mixing == 0
    return one_kernel and not any(isinstance(topology.layers[i], Multiply) for i in group.members)


def add_noise(
    parent: Network,
    transfer: WeightTransfer,
    position: int,
    noise: float,
    rng: np.random.Generator,
) -> tuple[WeightTransfer, float]:
    """Add noise to the incoming weights of the copies in a widened layer, so that no two are equal.

    A group that several layers write stays exact: its copies differ by their outgoing weights.

    Args:
        parent: before it is widened.
        transfer: widens it.
        position: of the widened layer.
        noise: size of the noise, relative to the incoming weights of each copy.
        rng: draws it.

    Returns:
        The transfer with noise, and a bound B of its effect: the values that any next layer
        computes (before its activation) change by no more than B times the norm of the widened
        layer's input, both as Euclidean norms over a sample.
    """
    if not takes_noise(parent.topology, position):
        return transfer, 0.0
    network = build_child(parent, transfer)
    kernel, *bias = network.weights[position]
    width = parent.topology.output_shapes[position][-1]
    drawn = rng.normal(size=(*kernel.shape[:-1], kernel.shape[-1] - width))
    axes = tuple(range(kernel.ndim - 1))
    size = np.sqrt(np.square(kernel[..., width:].astype(np.float64)).sum(axis=axes))
    drawn *= noise * size / np.sqrt(np.square(drawn).sum(axis=axes))
    disturbed = np.concatenate([kernel[..., :width], kernel[..., width:] + drawn], axis=-1)
    changed = {**transfer.changed, position: (disturbed.astype(np.float32), *bias)}
    return WeightTransfer(transfer.child, transfer.origins, changed), max(
        _effects(parent.topology, network, position, drawn)
    )


def _operator_norm_bound(kernel: np.ndarray) -> float:
    """An upper bound of the operator norm of a kernel (..., in, out): the sum over its taps."""
    matrices = kernel.reshape(-1, *kernel.shape[-2:])
    return float(np.linalg.norm(matrices, ord=2, axis=(-2, -1)).sum())


def _effects(
    parent: Topology, network: Network, position: int, change: np.ndarray
) -> Iterator[float]:
    """How much a change of the incoming weights of the added channels can matter to each reader."""
    topology, groups = network.topology, channel_groups(parent)
    group = groups.owned(position)
    wider = topology.output_shapes[position][-1]
    added = np.arange(group.width, wider)
    activation = topology.layer(position, KernelLayer).activation
    gains = {position: _operator_norm_bound(change) * LIPSCHITZ[activation]}
    for i in group.members:
        layer = topology.layers[i]
        entering = [gains.get(k, 0.0) for k in topology.steps[i].inputs]
        if isinstance(layer, Join):
            gains[i] = sum(entering)
        elif i != position:
            gain = layer.gain_bound(network.weights[i])
            if gain.ndim:  # by feature
                found = occurrences(groups.leaving[i], group.number, wider)
                gain = gain[_features(found, added)].max()
            gains[i] = entering[0] * float(gain)
    for i in group.readers:
        found = occurrences(groups.entering[i], group.number, wider)
        reading = network.weights[i][topology.layer(i, KernelLayer).mixing]
        features = _features(found, added)
        entering_gain = gains[topology.steps[i].inputs[0]]
        own_gain = _gain_before_mixing(network, i, features)
        yield entering_gain * own_gain * _operator_norm_bound(part(reading, features, -2))


def _gain_before_mixing(network: Network, position: int, features: np.ndarray) -> float:
    """How much the kernels of single channels in a layer enlarge some of them."""
    layer, gain = network.topology.layer(position, KernelLayer), 1.0
    for i, axis in enumerate(layer.input_axes):
        if axis is not None and i != layer.mixing:
            taps = np.moveaxis(network.weights[position][i], axis, 0)[features]
            gain *= float(np.abs(taps.reshape(len(features), -1)).sum(axis=1).max())
    return gain
