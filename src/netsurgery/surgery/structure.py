"""Questions that operations ask of a topology, and edits that they share."""

from __future__ import annotations

from netsurgery.networks.layers import (
    CONV_CELL_KINDS,
    CONV_CELL_LENGTH,
    Cropping,
    Dropout,
    Flatten,
    GlobalPool,
    InputPart,
    KernelLayer,
    Layer,
    Pool,
    Windowed,
    ZeroPadding,
)
from netsurgery.networks.steps import Path
from netsurgery.networks.topology import Topology
from netsurgery.surgery.channel_groups import channel_groups
from netsurgery.surgery.layouts import occurrences

# layers that tell sides from channels
OF_SIDES = (Windowed, Pool, GlobalPool, ZeroPadding, Cropping)


def is_conv_cell(topology: Topology, position: int) -> bool:
    """Whether a complete conv cell starts at `position`."""
    layers = topology.layers[position : position + CONV_CELL_LENGTH]
    return tuple(map(type, layers)) == CONV_CELL_KINDS


def flattening_position(topology: Topology, position: int = 0) -> int | None:
    """The layer that makes an image or a series flat, also global pooling; None without one.

    It is in the main row, or in the row of the input that the layer at `position` belongs to: a
    gate that pools globally in a block leaves the image as it is.
    """
    own = _row_of_input(topology, position)
    for row in dict.fromkeys([own, ()]):
        for i, layer in enumerate(topology.layers):
            is_flat = len(topology.input_shapes[i]) == 1
            if (
                topology.steps[i].path[:-1] == row
                and isinstance(layer, Flatten | GlobalPool)
                and not is_flat
            ):
                return i
    return None


def _row_of_input(topology: Topology, position: int) -> Path:
    """The row that begins with an input and holds a layer, also in blocks; else the main row."""
    path = topology.steps[position].path
    starts = [topology.steps[i].path[:-1] for i in topology.positions(InputPart)]
    return next((row for row in starts if row and path[: len(row)] == row), ())


def flattened_image_reader(topology: Topology, position: int = 0) -> int | None:
    """The dense layer that alone reads the flattened image; None without one.

    See `flattening_position`.
    """
    end = flattening_position(topology, position)
    return topology.consumer(end) if end in topology.positions(Flatten) else None


def dense_block_end(topology: Topology, position: int) -> int:
    """The position after a dense layer and its own normalization, activation and dropout."""
    end = position + 1
    while topology.layers[end].is_elementwise:
        end += 1
    return end


def with_width(topology: Topology, position: int, width: int) -> Topology:
    """The topology with another width of the group of channels that a layer owns."""
    groups = channel_groups(topology)
    group = groups.owned(position)
    changed: dict[int, Layer] = {}
    for i in group.writers:
        layer = topology.layer(i, KernelLayer)
        times = len(occurrences(groups.leaving[i], group.number))
        changed[i] = layer.with_width(layer.width + times * (width - group.width))
    return topology.with_layers(changed)


def is_series(topology: Topology) -> bool:
    """Whether samples are series (steps, channels): a layer takes two axes for them.

    Otherwise two axes are those of an image (height, width) without a channel axis.
    """
    layers = zip(topology.layers, topology.input_shapes, strict=True)
    return any(_tells_sides(layer) and len(shape) == 2 for layer, shape in layers)


def _tells_sides(layer: Layer) -> bool:
    return isinstance(layer, OF_SIDES) or (isinstance(layer, Dropout) and bool(layer.shared_axes))


def channels_at(topology: Topology, position: int) -> int:
    """Channels of the image or series that enters a layer: one of an image without such an axis."""
    shape = topology.input_shapes[position]
    return shape[-1] if len(shape) == 3 or is_series(topology) else 1
