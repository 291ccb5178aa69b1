"""Where a child's arrays come from: most are its parent's, some are cut, copied or changed.

Optimizer slot variables (momentum and the like) follow the same way. A weight that survives keeps
its slot; a copy gets the slot of its source; a weight that is new, mixed from several others or
refitted starts at zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netsurgery.networks.layers import Arrays, Layer
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery.channel_groups import ChannelGroup, channel_groups
from netsurgery.surgery.layouts import NEW, sources

# by the slot's name: for each layer, arrays of the shapes of its trainable ones
Slots = Mapping[str, tuple[Arrays, ...]]


@dataclass(frozen=True)
class Origin:
    """The parent's layer that a layer of the child comes from, and the part of it that remains.

    Attributes:
        position: in the parent.
        outputs: for each feature that the layer gives its source in the parent, repeated where
            copied, or `NEW`, which starts at zero; None for all.
        inputs: the same for the features that the layer reads.
        taps: for each side of the kernel the parent's tap that each of the child's comes from, or
            `NEW`; None for all.
    """

    position: int
    outputs: np.ndarray | None = None
    inputs: np.ndarray | None = None
    taps: tuple[np.ndarray, ...] | None = None


@dataclass(frozen=True)
class WeightTransfer:
    """What an operation gives: the origin of each layer of the child, and changed arrays.

    Attributes:
        child: the child's topology.
        origins: of each layer of the child. A layer without one must be in `changed` unless it has
            no arrays; its optimizer slots start at zero.
        changed: new arrays by position in the child; they replace those of the origin.
    """

    child: Topology
    origins: tuple[Origin | None, ...]
    changed: Mapping[int, Arrays]


def unchanged(count: int, start: int = 0) -> tuple[Origin, ...]:
    """Origins of `count` layers, from `start` on, that stay the same."""
    return tuple(Origin(start + i) for i in range(count))


def replaced(
    origins: tuple[Origin | None, ...], changed: Mapping[int, Origin | None]
) -> tuple[Origin | None, ...]:
    """The origins, with other ones at some positions."""
    return tuple(changed.get(i, origin) for i, origin in enumerate(origins))


def selection(topology: Topology, group: ChannelGroup, index: np.ndarray) -> dict[int, Origin]:
    """The origins that change if a group of channels has those in `index` afterwards.

    Args:
        topology: the parent's.
        group: the channels or units that are cut or copied.
        index: the source of each channel or unit of the child, or `NEW`.
    """
    groups = channel_groups(topology)
    outputs = {
        i: sources(groups.leaving[i], group.number, index)
        for i in group.members
        if topology.layers[i].output_axes
    }
    inputs = {i: sources(groups.entering[i], group.number, index) for i in group.readers}
    return {
        i: Origin(i, outputs.get(i), inputs.get(i)) for i in sorted(outputs.keys() | inputs.keys())
    }


def selection_behind(topology: Topology, position: int, index: np.ndarray) -> dict[int, Origin]:
    """The origins that change if what leaves a layer, or a join, has the features in `index`.

    These are the normalizations behind it, and the layer that alone reads it.

    Args:
        topology: the parent's.
        position: of the layer or join, which is not among the origins.
        index: the source of each of its features in the child.
    """
    consumer, width = topology.consumer(position), topology.output_shapes[position][-1]
    assert consumer is not None
    origins: dict[int, Origin] = {}
    for i in range(position + 1, consumer + 1):
        pixels = topology.input_shapes[i][-1] // width
        features = (width * np.arange(pixels)[:, None] + index).reshape(-1)
        if i == consumer:
            origins[i] = Origin(i, inputs=features)
        elif topology.layers[i].has_channel_arrays:
            origins[i] = Origin(i, outputs=features)
    return origins


def take(layer: Layer, arrays: Arrays, origin: Origin) -> Arrays:
    """The arrays of a layer of the parent, with the outputs and inputs that remain."""
    if origin.taps is not None:
        kernel, *rest = arrays
        for side, sources_of_taps in enumerate(origin.taps):
            kernel = _taken(kernel, sources_of_taps, side)
        arrays = (kernel, *rest)
    if origin.outputs is None and origin.inputs is None:
        return arrays
    found = []
    for i, array in enumerate(arrays):
        for index, axes in ((origin.inputs, layer.input_axes), (origin.outputs, layer.output_axes)):
            if index is not None and axes and (axis := axes[i]) is not None:
                array = _taken(array, index, axis)
        found.append(array)
    return tuple(found)


def _taken(array: np.ndarray, index: np.ndarray, axis: int) -> np.ndarray:
    chosen = np.take(array, index, axis=axis)
    if (new := np.flatnonzero(index == NEW)).size:
        np.moveaxis(chosen, axis, 0)[new] = 0
    return chosen


def build_child(parent: Network, transfer: WeightTransfer) -> Network:
    """The child network; it shares unchanged arrays with its parent."""
    layers = parent.topology.layers
    weights = tuple(
        transfer.changed[i]
        if i in transfer.changed
        else ()
        if origin is None
        else take(layers[origin.position], parent.weights[origin.position], origin)
        for i, origin in enumerate(transfer.origins)
    )
    return Network(transfer.child, weights)


def transfer_slots(
    parent: Topology, slots: Slots, transfer: WeightTransfer
) -> dict[str, tuple[Arrays, ...]]:
    """The child's optimizer slots."""

    def zeros(position: int) -> Arrays:
        layer = transfer.child.layers[position]
        shapes = transfer.child.array_shapes[position][: layer.trainable_arrays]
        return tuple(np.zeros(shape, np.float32) for shape in shapes)

    return {
        name: tuple(
            zeros(i)
            if origin is None
            else take(parent.layers[origin.position], layers[origin.position], origin)
            for i, origin in enumerate(transfer.origins)
        )
        for name, layers in slots.items()
    }
