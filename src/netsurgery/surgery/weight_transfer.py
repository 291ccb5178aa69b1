"""Where a child's arrays come from: most are its parent's, some of them cut, copied or changed.

Optimizer slots (momentum and the like) follow the same way. The rule: a number that survives keeps
its slot, a copy gets that of its source (its gradient is the same where it is read, and smaller
where it reads), and what is new, mixed from several others or fitted anew starts from zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netsurgery.networks.layers import Arrays
from netsurgery.networks.network import Network, Topology

# by the slot's name: for every layer, arrays of the shapes of its trainable ones
Slots = Mapping[str, tuple[Arrays, ...]]


@dataclass(frozen=True)
class Origin:
    """The layer of the parent that a layer of the child was, and what is left of it.

    `outputs` and `inputs` are indices into its channels or units, and into those that it reads;
    None means all.
    """

    position: int
    outputs: np.ndarray | None = None
    inputs: np.ndarray | None = None


@dataclass(frozen=True)
class WeightTransfer:
    """What an operation makes: for every layer of the child its origin, and changed arrays.

    A layer without an origin must be among the changed unless it has no arrays; its slots are zero.
    """

    child: Topology
    origins: tuple[Origin | None, ...]
    changed: Mapping[int, Arrays]


def unchanged(count: int, start: int = 0) -> tuple[Origin, ...]:
    """Origins of `count` layers, from `start` on, that stay as they are."""
    return tuple(Origin(start + i) for i in range(count))


def replaced(
    origins: tuple[Origin | None, ...], changed: Mapping[int, Origin | None]
) -> tuple[Origin | None, ...]:
    """The origins with others at some positions."""
    return tuple(changed.get(i, origin) for i, origin in enumerate(origins))


def selection(topology: Topology, position: int, index: np.ndarray) -> dict[int, Origin | None]:
    """Origins when the layer at `position` keeps, or copies, the channels or units in `index`.

    From that layer to the one that reads it, normalisation between them included.
    """
    consumer = topology.consumer(position)
    assert consumer is not None
    origins: dict[int, Origin | None] = {position: Origin(position, outputs=index)}
    for i in range(position + 1, consumer):
        if topology.layers[i].has_channel_arrays:
            origins[i] = Origin(i, outputs=index)
    return origins | {consumer: Origin(consumer, inputs=index)}


def _take(topology: Topology, arrays: Arrays, origin: Origin) -> Arrays:
    """The arrays of a layer of the parent, with the outputs and inputs that are left."""
    if origin.outputs is None and origin.inputs is None:
        return arrays
    fold = topology.shape_before_flatten(origin.position)

    def cut(array: np.ndarray) -> np.ndarray:
        if array.ndim == 1:
            if origin.outputs is None:
                return array
            if topology.layers[origin.position].has_channel_arrays:  # by pixel after a flatten
                return array.reshape(-1, fold[-1])[:, origin.outputs].reshape(-1)
            return array[origin.outputs]
        if origin.inputs is not None:
            if array.ndim == 2:
                unfolded = array.reshape(-1, fold[-1], array.shape[-1])
                array = unfolded[:, origin.inputs].reshape(-1, array.shape[-1])
            else:
                array = array[..., origin.inputs, :]
        return array if origin.outputs is None else array[..., origin.outputs]

    return tuple(map(cut, arrays))


def build_child(parent: Network, graft: WeightTransfer) -> Network:
    """The child; what it shares with its parent is not copied."""
    weights = tuple(
        graft.changed[i]
        if i in graft.changed
        else ()
        if origin is None
        else _take(parent.topology, parent.weights[origin.position], origin)
        for i, origin in enumerate(graft.origins)
    )
    return Network(graft.child, weights)


def transfer_slots(
    parent: Topology, slots: Slots, graft: WeightTransfer
) -> dict[str, tuple[Arrays, ...]]:
    """The child's slots."""

    def fresh(position: int) -> Arrays:
        layer = graft.child.layers[position]
        shapes = graft.child.array_shapes[position][: layer.trainable_arrays]
        return tuple(np.zeros(shape, np.float32) for shape in shapes)

    return {
        name: tuple(
            fresh(i) if origin is None else _take(parent, layers[origin.position], origin)
            for i, origin in enumerate(graft.origins)
        )
        for name, layers in slots.items()
    }
