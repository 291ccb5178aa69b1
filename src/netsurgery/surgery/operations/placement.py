"""Where a whole block or cell may go, shared by the operations that add them."""

from __future__ import annotations

from netsurgery.networks.activations import ACROSS_CHANNELS, ACTIVATIONS
from netsurgery.networks.blocks import Block
from netsurgery.networks.layers import (
    BatchNorm,
    Flatten,
    Join,
    KeptJoin,
    KernelLayer,
    Layer,
    Pool,
    Shape,
)
from netsurgery.networks.steps import INPUT
from netsurgery.networks.topology import Topology

# of gates and outputs, or without a bound on their growth
UNUSABLE = {"linear", "exponential", "sigmoid", "hard_sigmoid", "sparse_sigmoid", *ACROSS_CHANNELS}


def no_end_of_cell(topology: Topology, position: int) -> str | None:
    """Why nothing whole goes behind the layer at `position`: no cell or block ends there."""
    if not computes_later(topology, position):
        return "it gives the network's output, which never changes"
    if not _is_computed(topology, position):
        return "no layer with a kernel computes what leaves it: blocks and cells go behind those"
    if (later := _same_cell(topology, position)) is not None:
        layer, place = topology.layers[later], topology.places[later]
        return f"the {layer} at {place} belongs to it: blocks and cells go behind that"
    return None


def computes_later(topology: Topology, position: int) -> bool:
    """Whether a layer that surgery knows, with a kernel, depends on the one at `position`."""
    return any(isinstance(topology.layers[i], KernelLayer) for i in topology.descendants(position))


def _is_computed(topology: Topology, position: int) -> bool:
    """Whether a layer with a kernel gives the channels or units there, alone or in a sum."""
    if position == INPUT:
        return False
    layer, inputs = topology.layers[position], topology.steps[position].inputs
    if isinstance(layer, KernelLayer):
        return True
    if isinstance(layer, Join):
        is_kept = isinstance(layer, KeptJoin)
        return not is_kept and any(_is_computed(topology, i) for i in inputs)
    if not layer.keeps_channels_apart:
        return False
    if isinstance(layer, Flatten) and len(topology.input_shapes[position]) > 1:
        return False
    return _is_computed(topology, inputs[0])


def _same_cell(topology: Topology, position: int) -> int | None:
    """A later normalization, activation or dropout of the same cell, perhaps behind pooling."""
    for later in topology.chain(position):
        if topology.layers[later].is_elementwise:
            return later
        if not isinstance(topology.layers[later], Pool):
            return None
    return None


def hidden_activation(topology: Topology, position: int) -> str:
    """The activation that the network uses last at or before `position`; relu by default."""
    for layer in reversed(topology.layers[: position + 1]):
        function = layer.activation_function
        if function in ACTIVATIONS and function not in UNUSABLE:
            return function
    return "relu"


def is_normalized(topology: Topology, shape: Shape) -> bool:
    """Whether the network normalizes data with as many axes as `shape` by batches."""
    pairs = zip(topology.layers, topology.input_shapes, strict=True)
    return any(isinstance(layer, BatchNorm) and len(s) == len(shape) for layer, s in pairs)


def normalization(normalized: bool) -> tuple[Layer, ...]:
    """Batch normalization, or nothing."""
    return (BatchNorm(),) if normalized else ()


def gives_non_negative(topology: Topology, position: int) -> bool:
    """Whether what leaves the layer at `position` is never negative, as far as is known."""
    entering = topology.non_negative_inputs[position]
    return topology.layers[position].is_non_negative(entering)


def fills_its_row(topology: Topology, position: int) -> bool:
    """Whether the layer or block at `position` is all that its row holds."""
    *parent, _ = topology.steps[position].path
    return sum(step.path[:-1] == tuple(parent) for step in topology.steps) == 1


def parent(topology: Topology, position: int) -> Block | None:
    """The block that holds the row of the layer or block at `position`; None in the main row."""
    path = topology.steps[position].path[:-2]
    return next(
        (topology.block(i) for i, step in enumerate(topology.steps) if path and step.path == path),
        None,
    )
