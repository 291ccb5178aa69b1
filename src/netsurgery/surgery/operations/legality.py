"""Reasons that forbid an operation, shared by several of them; None where there is no reason."""

from __future__ import annotations

from netsurgery.networks.layers import (
    BatchNorm,
    Conv,
    Dense,
    Join,
    KeptJoin,
    KernelLayer,
    Layer,
    LayerNorm,
    Other,
)
from netsurgery.networks.topology import Topology
from netsurgery.surgery.channel_groups import Fixed, Obstacle, channel_groups


def wrong_kind(topology: Topology, position: int, kind: type[Layer], name: str) -> str | None:
    """The layer at `position` is of another kind than `kind`."""
    layer = topology.layers[position]
    if isinstance(layer, Other):
        return f"the {layer} there is {_kept(layer)}"
    return None if isinstance(layer, kind) else f"the layer there is {layer}, not a {name}"


def no_reader(topology: Topology, position: int) -> str | None:
    """No layer reads the outputs of the one at `position` in a way that surgery can change."""
    if topology.consumer(position) is not None:
        return None
    rest = [(i, topology.layers[i]) for i in sorted(topology.descendants(position))]
    for i, layer in rest:
        if isinstance(layer, Join) and not isinstance(layer, KeptJoin):
            if any(_computes(later) for _, later in rest):
                return f"the {layer} at {topology.places[i]} joins its outputs with others"
            break
        if not layer.keeps_channels_apart and any(_computes(later) for _, later in rest):
            kept = _kept(layer) if isinstance(layer, Other) else "kept as it is"
            return f"the {layer} at {i} reads its outputs and is {kept}"
    return "it is the output layer, which never changes"


def not_owner(topology: Topology, position: int) -> str | None:
    """The outputs of the layer at `position` cannot change, or change with another layer."""
    groups = channel_groups(topology).at(position)
    fixed = next((group.fixed for group in groups if group.fixed), None)
    if fixed is not None:
        return _why_fixed(topology, position, fixed)
    owners = [group.owner for group in groups]
    if owners == [position]:
        return None
    if None in owners:
        return "its outputs are joined with parts of the outputs of several layers"
    places = " and ".join(f"{topology.places[i]}" for i in owners if i is not None)
    return f"its outputs change together with those of the layer at {places}: name that one"


def _why_fixed(topology: Topology, position: int, fixed: Fixed) -> str:
    if fixed.obstacle in (Obstacle.READER, Obstacle.OUTPUT) and topology.is_row:
        return no_reader(topology, position) or ""
    if fixed.obstacle is Obstacle.OUTPUT:
        return "its outputs are among those of the network, which never change"
    if fixed.obstacle is Obstacle.INPUT:
        return "its outputs are joined with the network's input, which never changes"
    layer, place = topology.layers[fixed.position], topology.places[fixed.position]
    if fixed.obstacle is Obstacle.JOIN:
        return f"the {layer} at {place} joins its outputs with a flattened image"
    kept = _kept(layer) if isinstance(layer, Other) else "kept as it is"
    if fixed.obstacle is Obstacle.READER:
        return f"the {layer} at {place} reads its outputs and is {kept}"
    return f"its outputs are joined with those of the {layer} at {place}, which is {kept}"


def _computes(layer: Layer) -> bool:
    """Whether a layer makes the one before it a hidden one."""
    is_other = isinstance(layer, Other) and not layer.keeps_channels_apart
    return is_other or isinstance(layer, KernelLayer)


def _kept(layer: Other) -> str:
    """Why surgery does not change a layer."""
    return f"kept as it is because of {layer.reason}" if layer.reason else "kept as it is"


def not_hidden_dense(topology: Topology, position: int) -> str | None:
    """The layer at `position` is no dense layer, or the output layer."""
    return wrong_kind(topology, position, Dense, "dense layer") or no_reader(topology, position)


def not_hidden_conv(topology: Topology, position: int) -> str | None:
    """The layer at `position` is no convolution, or the output layer."""
    return wrong_kind(topology, position, Conv, "convolution") or no_reader(topology, position)


def not_removable(topology: Topology, position: int, end: int) -> str | None:
    """The layers from `position` to `end` cannot go without what comes after them."""
    reader = topology.consumer(position)
    between = topology.layers[end:reader]
    if any(isinstance(layer, BatchNorm | LayerNorm) for layer in between):
        return "a later batch normalization would lose the outputs that it normalizes"
    layers = between if reader is None else (*between, topology.layers[reader])
    for layer in layers:
        if layer.has_channel_arrays or _reads_twice(layer):
            return f"the {layer} that follows holds numbers for each of its outputs"
    return None


def _reads_twice(layer: Layer) -> bool:
    """Whether a layer has an array by input beside the kernel that mixes them."""
    return sum(axis is not None for axis in layer.input_axes) > 1


def not_wider(topology: Topology, position: int, width: int) -> str | None:
    """The new width is no larger than the current one."""
    current = topology.output_shapes[position][-1]
    return None if width > current else f"the new width {width} is not above the current {current}"


def not_narrower(topology: Topology, position: int, width: int) -> str | None:
    """The new width is no smaller than the current one, or below 1."""
    current = topology.output_shapes[position][-1]
    if width < 1:
        return f"at least one of its {current} outputs must remain"
    return None if width < current else f"the new width {width} is not below the current {current}"


def not_as_wide_as_input(width: int, entering: int) -> str | None:
    """A layer that passes its input on has another width than its input."""
    return None if width == entering else f"its width must be {entering}, that of its input"
