"""Structural questions that operations ask of a topology."""

from __future__ import annotations

from netsurgery.networks.activations import NON_NEGATIVE
from netsurgery.networks.layers import (
    CELL_LENGTH,
    ELEMENTWISE,
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Pool,
    Rescaling,
    Reshape,
    Shape,
)
from netsurgery.networks.network import Topology


def is_conv_cell(topology: Topology, position: int) -> bool:
    """Whether a complete conv cell starts at `position`."""
    kinds = tuple(type(layer) for layer in topology.layers[position : position + CELL_LENGTH])
    return kinds == (Conv, Pool, BatchNorm, Activation)


def flattening_position(topology: Topology) -> int | None:
    """The layer that makes the image flat, by flattening or global pooling; None without one."""
    for i, layer in enumerate(topology.layers):
        if isinstance(layer, Flatten | GlobalPool) and len(topology.shapes[i]) > 1:
            return i
    return None


def flattened_image_reader(topology: Topology) -> int | None:
    """The dense layer that reads the flattened image; None without one."""
    end = flattening_position(topology)
    return topology.consumer(end) if end in topology.positions(Flatten) else None


def dense_block_end(topology: Topology, position: int) -> int:
    """The position after a dense layer and its own normalization, activation and dropout."""
    end = position + 1
    while isinstance(topology.layers[end], ELEMENTWISE):
        end += 1
    return end


def image_channels(image: Shape) -> int:
    """Channels of (height, width, channels), or of (height, width): one."""
    return image[2] if len(image) == 3 else 1


def has_non_negative_input(topology: Topology, position: int) -> bool:
    """Whether the input of the layer at `position` is never negative.

    The network's own input counts as non-negative, as pixels are.
    """
    for layer in reversed(topology.layers[:position]):
        match layer:
            case Activation():
                return layer.function in NON_NEGATIVE
            case Conv() | Dense():
                return layer.activation in NON_NEGATIVE
            case Rescaling():
                if layer.scale < 0 or layer.offset < 0:
                    return False
            case Pool() | GlobalPool() | Flatten() | Dropout() | Reshape():
                pass
            case _:
                return False
    return True
