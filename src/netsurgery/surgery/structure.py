"""Questions that operations ask of a topology, and edits that they share."""

from __future__ import annotations

from netsurgery.networks.layers import (
    CONV_CELL_KINDS,
    CONV_CELL_LENGTH,
    Flatten,
    GlobalPool,
    KernelLayer,
    Shape,
)
from netsurgery.networks.topology import Topology


def is_conv_cell(topology: Topology, position: int) -> bool:
    """Whether a complete conv cell starts at `position`."""
    layers = topology.layers[position : position + CONV_CELL_LENGTH]
    return tuple(map(type, layers)) == CONV_CELL_KINDS


def flattening_position(topology: Topology) -> int | None:
    """The layer that makes the image flat, by flattening or global pooling; None without one."""
    for i, layer in enumerate(topology.layers):
        if isinstance(layer, Flatten | GlobalPool) and len(topology.input_shapes[i]) > 1:
            return i
    return None


def flattened_image_reader(topology: Topology) -> int | None:
    """The dense layer that reads the flattened image; None without one."""
    end = flattening_position(topology)
    return topology.consumer(end) if end in topology.positions(Flatten) else None


def dense_block_end(topology: Topology, position: int) -> int:
    """The position after a dense layer and its own normalization, activation and dropout."""
    end = position + 1
    while topology.layers[end].is_elementwise:
        end += 1
    return end


def with_width(topology: Topology, position: int, width: int) -> Topology:
    """The topology with another number of channels or units in the layer at `position`."""
    layer = topology.layers[position]
    assert isinstance(layer, KernelLayer)
    return topology.replace(position, layer.with_width(width))


def image_channels(image: Shape) -> int:
    """Channels of (height, width, channels), or of (height, width): one."""
    return image[2] if len(image) == 3 else 1
