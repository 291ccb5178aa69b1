"""Which channels or units of a group to keep, and what the layers that read it get instead."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from netsurgery.networks import activations, inference
from netsurgery.networks.layers import Arrays, BatchNorm, Concatenate, Join, KernelLayer, Multiply
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery.blocked_matmul import gram, product
from netsurgery.surgery.channel_groups import ChannelGroup, channel_groups
from netsurgery.surgery.layouts import occurrences, part
from netsurgery.surgery.least_squares import prune_features
from netsurgery.surgery.refit import samples_needed
from netsurgery.surgery.weight_transfer import (
    WeightTransfer,
    replaced,
    selection,
    take,
    unchanged,
)

ROUNDING = 1e-14  # of sums in double precision, relative to the sum of squares


def keep_strongest(network: Network, child: Topology, position: int) -> WeightTransfer:
    """Drop the channels or units of smallest |gamma|; approximate.

    A channel with a small gamma outputs little but act(beta), so that constant goes to the next
    layer's bias (the paper adds beta itself, and orders by signed gamma). Without batch
    normalization the outputs with the smallest incoming weights are dropped, and act(bias) is the
    constant. Where several layers write the channels, their strengths add up.
    """
    group = channel_groups(network.topology).owned(position)
    strength = np.zeros(group.width)
    normalizations: dict[int, int] = {}  # by the writer's position
    for writer in group.writers:
        own, normalization = _strength(network, writer)
        if normalization is not None:
            normalizations[normalization] = writer
        for features in occurrences(channel_groups(network.topology).leaving[writer], group.number):
            strength += own[features]
    width = child.output_shapes[position][-1]
    kept = np.sort(np.argsort(-strength, kind="stable")[:width])
    constants = _constants(network, group, set(normalizations))
    return _keep(network, child, group, kept, constants=constants)


def _strength(network: Network, writer: int) -> tuple[np.ndarray, int | None]:
    """How strong each output of a layer is, and the position of the normalization that says so."""
    topology = network.topology
    width = topology.output_shapes[writer][-1]
    for i in topology.chain(writer):
        layer = topology.layers[i]
        if isinstance(layer, KernelLayer) or not layer.keeps_channels_apart:
            break
        if isinstance(layer, BatchNorm):
            gamma, *_ = layer.statistics(network.weights[i])
            if len(gamma) == width:
                return np.abs(gamma), i
    kernel = network.weights[writer][topology.layer(writer, KernelLayer).mixing]
    incoming = kernel.reshape(-1, width)
    return np.sqrt(np.einsum("ij,ij->j", incoming, incoming, dtype=np.float64)), None


def _constants(
    network: Network, group: ChannelGroup, normalizations: set[int]
) -> Mapping[int, np.ndarray]:
    """What is left of each channel of a group without its variation: by position, (features,).

    Features of other groups hold anything.
    """
    topology, values = network.topology, dict[int, np.ndarray]()
    for i in group.members:
        layer, arrays = topology.layers[i], network.weights[i]
        entering = [values.get(k) for k in topology.steps[i].inputs]
        if isinstance(layer, KernelLayer):
            bias = arrays[-1] if layer.use_bias else np.zeros(layer.width)
            values[i] = activations.apply(layer.activation, bias.astype(np.float64))
        elif isinstance(layer, Join):
            values[i] = _joined(layer, entering, topology, i)
        elif entering[0] is None:
            continue
        elif isinstance(layer, BatchNorm):
            gain, shift = layer.gain_and_shift(arrays)
            _, beta, *_ = layer.statistics(arrays)
            whole = beta.astype(np.float64) if i in normalizations else entering[0] * gain + shift
            values[i] = whole
        elif len(entering[0]) == topology.output_shapes[i][-1]:
            alone = not layer.mixes_channels
            values[i] = inference.of_constant(layer, arrays, entering[0]) if alone else entering[0]
        else:  # the features again, once for each pixel behind a flatten layer
            pixels = topology.output_shapes[i][-1] // len(entering[0])
            values[i] = np.tile(entering[0], pixels)
    return values


def _joined(
    layer: Join, entering: list[np.ndarray | None], topology: Topology, position: int
) -> np.ndarray:
    inputs = topology.steps[position].inputs
    known = [
        np.zeros(topology.leaving(i)[-1]) if value is None else value
        for i, value in zip(inputs, entering, strict=True)
    ]
    if isinstance(layer, Concatenate):
        return np.concatenate(known)
    return np.prod(known, axis=0) if isinstance(layer, Multiply) else np.sum(known, axis=0)


def _keep(
    network: Network,
    child: Topology,
    group: ChannelGroup,
    kept: np.ndarray,
    *,
    kernels: Mapping[int, list[np.ndarray]] = MappingProxyType({}),
    shifts: Mapping[int, np.ndarray] = MappingProxyType({}),
    constants: Mapping[int, np.ndarray] = MappingProxyType({}),
) -> WeightTransfer:
    """Keep the channels in `kept` (sorted) of a group.

    Args:
        network: the parent.
        child: the child's topology.
        group: the channels that some are dropped of.
        kept: (channels,), their indices.
        kernels: by the reader's position what it reads the kept channels with, for each occurrence
            of the group: (..., channels, out); where missing, the parent's weights.
        shifts: by the reader's position what its bias gets, (out,); where missing, what the
            dropped channels contributed by their constants.
        constants: by position what is left of the features of each layer.
    """
    topology, layouts = network.topology, channel_groups(network.topology)
    origins = selection(topology, group, kept)
    changed: dict[int, Arrays] = {}
    for reader in group.readers:
        layer, origin = topology.layer(reader, KernelLayer), origins[reader]
        arrays = list(network.weights[reader])
        if layer.use_bias:
            shift = shifts.get(reader)
            if shift is None:
                shift = _constant_shift(network, group, kept, reader, constants)
            arrays[-1] = (arrays[-1] + shift).astype(np.float32)
        taken = take(layer, tuple(arrays), origin)
        found = occurrences(layouts.entering[reader], group.number, len(kept))
        for features, kernel in zip(found, kernels.get(reader, []), strict=False):
            outputs = kernel if origin.outputs is None else kernel[..., origin.outputs]
            taken[layer.mixing][..., features, :] = outputs
        changed[reader] = taken
    return WeightTransfer(child, replaced(unchanged(len(child.layers)), origins), changed)


def _constant_shift(
    network: Network,
    group: ChannelGroup,
    kept: np.ndarray,
    reader: int,
    constants: Mapping[int, np.ndarray],
) -> np.ndarray:
    """What the dropped channels contribute to what a layer computes, if they are constants."""
    topology, layouts = network.topology, channel_groups(network.topology)
    known = constants[topology.steps[reader].inputs[0]]
    dropped = np.zeros(len(known))
    for features in occurrences(layouts.entering[reader], group.number):
        gone = np.delete(features, kept, axis=-1)
        dropped[gone] = known[gone]
    layer, arrays = topology.layer(reader, KernelLayer), network.weights[reader]
    dropped = inference.mixed_constant(layer, arrays, dropped)
    kernel = arrays[layer.mixing]
    inputs = np.broadcast_to(dropped, kernel.shape[:-1]).reshape(1, -1)
    return product(inputs, kernel.reshape(inputs.size, -1), np.float64)[0]


def keep_most_useful(
    network: Network, child: Topology, position: int, samples: np.ndarray
) -> WeightTransfer:
    """Keep the channels or units that reproduce best what the next layers compute; approximate.

    Args:
        network: the parent.
        child: with fewer channels or units at `position`.
        position: of the layer that owns the group that becomes narrower.
        samples: (n, *input_shape) calibration samples.
    """
    topology, layouts = network.topology, channel_groups(network.topology)
    group = layouts.owned(position)
    readings = [
        (reader, features)
        for reader in group.readers
        for features in occurrences(layouts.entering[reader], group.number)
    ]
    moments, rounding = np.zeros((group.width, group.width)), 0.0
    means, outgoing = [], []
    for reader, where in readings:
        layer = topology.layer(reader, KernelLayer)
        some = samples[: samples_needed(topology, reader, len(samples))]
        entering = inference.layer_input(network, reader, some)
        features = part(inference.mixed_input(layer, network.weights[reader], entering), where, -1)
        features = features.reshape(-1, group.width)
        width = group.width
        mean = features.mean(axis=0, dtype=np.float64) if layer.use_bias else np.zeros(width)
        squares = gram(features)
        moments += squares - len(features) * np.outer(mean, mean)
        rounding += ROUNDING * np.trace(squares) / width
        means.append(mean)
        outgoing.append(part(network.weights[reader][layer.mixing], where, -2))
    flat = [np.moveaxis(each, -2, 0).reshape(group.width, -1) for each in outgoing]
    stacked = flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1)
    kept, fitted = prune_features(moments, stacked, child.output_shapes[position][-1], rounding)
    ends = np.cumsum([each.shape[1] for each in flat])[:-1]
    kernels: dict[int, list[np.ndarray]] = {reader: [] for reader, _ in readings}
    shifts = {reader: np.zeros(topology.layer(reader, KernelLayer).width) for reader in kernels}
    for (reader, _), whole, values, mean in zip(
        readings, outgoing, np.split(fitted, ends, axis=1), means, strict=True
    ):
        kernel = np.moveaxis(values.reshape(-1, *whole.shape[:-2], whole.shape[-1]), 0, -2)
        kernels[reader].append(kernel)
        # the mean contribution of all outputs, less that of the refitted ones
        lead = tuple(range(whole.ndim - 2))
        shifts[reader] += mean @ whole.sum(axis=lead) - mean[kept] @ kernel.sum(axis=lead)
    return _keep(network, child, group, kept, kernels=kernels, shifts=shifts)
