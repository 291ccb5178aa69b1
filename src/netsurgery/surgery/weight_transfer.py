"""Where a child's arrays come from: most are its parent's, some are cut, copied or changed.

Optimizer slot variables (momentum and the like) follow the same way. A weight that survives keeps
its slot; a copy gets the slot of its source; a weight that is new, mixed from several others or
refitted starts at zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netsurgery.networks.layers import Arrays
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology

# by the slot's name: for each layer, arrays of the shapes of its trainable ones
Slots = Mapping[str, tuple[Arrays, ...]]


@dataclass(frozen=True)
class Origin:
    """The parent's layer that a layer of the child comes from, and the part of it that remains.

    Attributes:
        position: in the parent.
        outputs: indices of the channels or units that remain, repeated where copied; None for all.
        inputs: the same for the channels or units that the layer reads.
    """

    position: int
    outputs: np.ndarray | None = None
    inputs: np.ndarray | None = None


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


def selection(topology: Topology, position: int, index: np.ndarray) -> dict[int, Origin | None]:
    """The origins that change if the layer at `position` has the outputs in `index` afterwards.

    These are the layer itself, the normalizations after it, and the layer that reads it.

    Args:
        topology: the parent's.
        position: of the layer whose channels or units are cut or copied.
        index: the source of each channel or unit of the child.
    """
    consumer = topology.consumer(position)
    assert consumer is not None
    origins: dict[int, Origin | None] = {position: Origin(position, outputs=index)}
    for i in range(position + 1, consumer):
        if topology.layers[i].has_channel_arrays:
            origins[i] = Origin(i, outputs=index)
    return origins | {consumer: Origin(consumer, inputs=index)}


def _take(topology: Topology, arrays: Arrays, origin: Origin) -> Arrays:
    """The arrays of a layer of the parent, with the outputs and inputs that remain."""
    if origin.outputs is None and origin.inputs is None:
        return arrays
    layer = topology.layers[origin.position]
    channels = topology.shape_before_flatten(origin.position)[-1]
    axes = zip(arrays, layer.input_axes, layer.output_axes, strict=False)
    taken = []
    for array, entering, leaving in axes:
        if origin.inputs is not None and entering is not None:
            array = _choose(array, entering, origin.inputs, channels)
        if origin.outputs is not None and leaving is not None:
            width = channels if layer.has_channel_arrays else array.shape[leaving]
            array = _choose(array, leaving, origin.outputs, width)
        taken.append(array)
    return tuple(taken)


def _choose(array: np.ndarray, axis: int, index: np.ndarray, channels: int) -> np.ndarray:
    """Some channels of an array, which holds them along an axis: by pixel after a flatten layer."""
    axis %= array.ndim
    before, after = array.shape[:axis], array.shape[axis + 1 :]
    by_pixel = array.reshape(*before, -1, channels, *after)
    return by_pixel.take(index, axis=axis + 1).reshape(*before, -1, *after)


def build_child(parent: Network, transfer: WeightTransfer) -> Network:
    """The child network; it shares unchanged arrays with its parent."""
    weights = tuple(
        transfer.changed[i]
        if i in transfer.changed
        else ()
        if origin is None
        else _take(parent.topology, parent.weights[origin.position], origin)
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
            zeros(i) if origin is None else _take(parent, layers[origin.position], origin)
            for i, origin in enumerate(transfer.origins)
        )
        for name, layers in slots.items()
    }
