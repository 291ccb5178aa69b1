"""Which mutations a topology allows, and the topology each one gives. No arrays are touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

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
    Layer,
    Other,
    Pool,
    Rescaling,
    Reshape,
    Shape,
    conv_cell,
)
from netsurgery.networks.network import Topology


class Operation(StrEnum):
    """The nine operations of ECToNAS (section 3.2), and the one that only the Surgeon has."""

    IDENTITY = "identity"
    ADD_DENSE = "add_dense"
    REMOVE_DENSE = "remove_dense"
    ADD_UNITS = "add_units"
    REMOVE_UNITS = "remove_units"
    ADD_CONV_CELL = "add_conv_cell"
    REMOVE_CONV_CELL = "remove_conv_cell"
    ADD_CHANNELS = "add_channels"
    REMOVE_CHANNELS = "remove_channels"
    TRUNCATE = "truncate"


ECTONAS = tuple(operation for operation in Operation if operation is not Operation.TRUNCATE)
# a wider layer, or one that passes on what it gets: the network's output stays as it is
GROWTH = (Operation.ADD_DENSE, Operation.ADD_UNITS, Operation.ADD_CHANNELS)


# what goes as a whole has no width afterwards
WHOLE = (Operation.REMOVE_DENSE, Operation.REMOVE_CONV_CELL)
POOLINGS = ("average", "max")

# a pooling more or less: images have another size from there on
RESIZING = (Operation.ADD_CONV_CELL, Operation.REMOVE_CONV_CELL)


@dataclass(frozen=True)
class Mutation:
    """An operation at a place.

    `position` is the layer it changes, or before which it puts new ones; None for the identity.
    `width` is how many units or channels the changed or the new layer has afterwards; None for
    ECToNAS's own change, and where a layer is removed. `pooling` is the kind of pooling of an added
    conv cell; None for average.
    """

    operation: Operation
    position: int | None = None
    width: int | None = None
    pooling: str | None = None


@dataclass(frozen=True)
class MutationSizes:
    """How much an operation changes where nothing else is said: ECToNAS's defaults."""

    units_change_fraction: float = 0.1
    min_units_change: int = 2
    channels_change: int = 3
    pooling: str = "average"  # of added conv cells; or "max", or "random": drawn for each

    def units(self, width: int) -> int:
        """Units to add to, or remove from, a dense layer of this width."""
        return max(self.min_units_change, int(self.units_change_fraction * width))


class IllegalMutation(ValueError):  # noqa: N818 - it reads as what it says
    """The network does not allow the mutation; the message says why."""


def is_cell(topology: Topology, position: int) -> bool:
    """Whether a whole conv cell starts at `position`."""
    kinds = tuple(type(layer) for layer in topology.layers[position : position + CELL_LENGTH])
    return kinds == (Conv, Pool, BatchNorm, Activation)


def image_end(topology: Topology) -> int | None:
    """Where the image is made flat, by a flatten layer or by global pooling; None if nowhere."""
    for i, layer in enumerate(topology.layers):
        if isinstance(layer, Flatten | GlobalPool) and len(topology.shapes[i]) > 1:
            return i
    return None


def flat_reader(topology: Topology) -> int | None:
    """The dense layer that reads the flattened image; None if there is none."""
    end = image_end(topology)
    return topology.consumer(end) if end in topology.positions(Flatten) else None


def dense_end(topology: Topology, position: int) -> int:
    """Behind a dense layer and what belongs to it: normalisation, activation, dropout."""
    end = position + 1
    while isinstance(topology.layers[end], ELEMENTWISE):
        end += 1
    return end


def _channels(image: Shape) -> int:
    """Channels of (height, width, channels), or of (height, width): one."""
    return image[2] if len(image) == 3 else 1


def with_default_width(
    topology: Topology, mutation: Mutation, sizes: MutationSizes | None = None
) -> Mutation:
    """The mutation with its width, by `sizes` if it has none yet."""
    position = mutation.position
    if mutation.width is not None or position is None or position >= len(topology.layers):
        return mutation
    sizes = sizes or MutationSizes()
    layer, entering = topology.layers[position], topology.shapes[position]
    width: int | None = None
    match mutation.operation, layer:
        case Operation.ADD_UNITS, Dense():
            width = layer.units + sizes.units(layer.units)
        case Operation.REMOVE_UNITS, Dense():
            width = layer.units - sizes.units(layer.units)
        case Operation.ADD_CHANNELS, Conv():
            width = layer.channels + sizes.channels_change
        case Operation.REMOVE_CHANNELS, Conv():
            width = layer.channels - sizes.channels_change
        case Operation.ADD_DENSE, Dense():
            width = entering[-1]
        case Operation.ADD_CONV_CELL, _:
            width = _channels(entering)
        case Operation.TRUNCATE, Dense():
            width = max(1, min(entering[-1], layer.units) // 2)
    return mutation if width is None else replace(mutation, width=width)


# --- where an operation is refused, and why -------------------------------------------------------


def _is(topology: Topology, position: int, kind: type, name: str) -> str | None:
    layer = topology.layers[position]
    if isinstance(layer, Other):
        return f"the {layer} there has a kind or a setting that is not known here"
    return None if isinstance(layer, kind) else f"that is not a {name} but a layer of {layer}"


def _has_reader(topology: Topology, position: int) -> str | None:
    if topology.consumer(position) is not None:
        return None
    behind = topology.layers[position + 1 :]
    if any(isinstance(layer, Dense | Conv | Other) for layer in behind):
        return "a layer behind it mixes its values in a way that is not known here"
    return "it is the output layer, which is never changed"


def _hidden_dense(topology: Topology, mutation: Mutation, position: int) -> str | None:
    return _is(topology, position, Dense, "dense layer") or _has_reader(topology, position)


def _removable(topology: Topology, position: int, end: int) -> str | None:
    """Why the layers up to `end` cannot go without what is behind them; None if they can."""
    between = topology.layers[end : topology.consumer(position)]
    if any(isinstance(layer, BatchNorm) for layer in between):
        return "a batch normalisation behind it would be left without what it normalises"
    return None


def _remove_dense(topology: Topology, mutation: Mutation, position: int) -> str | None:
    if reason := _hidden_dense(topology, mutation, position):
        return reason
    return _removable(topology, position, dense_end(topology, position))


def _add_dense(topology: Topology, mutation: Mutation, position: int) -> str | None:
    if reason := _is(topology, position, Dense, "dense layer"):
        return reason
    if topology.positions(Dense)[0] == position:
        return "it is the first dense layer: new ones stand behind that"
    entering = topology.shapes[position][-1]
    return (
        None if mutation.width == entering else f"its width must be {entering}, that of its input"
    )


def _wider(topology: Topology, mutation: Mutation, position: int) -> str | None:
    width = topology.shapes[position + 1][-1]
    assert mutation.width is not None
    return (
        None if mutation.width > width else f"{mutation.width} is no more than the {width} it has"
    )


def _narrower(topology: Topology, mutation: Mutation, position: int) -> str | None:
    width = topology.shapes[position + 1][-1]
    assert mutation.width is not None
    if mutation.width < 1:
        return f"of {width}, at least one must stay"
    return (
        None if mutation.width < width else f"{mutation.width} is no less than the {width} it has"
    )


def _add_units(topology: Topology, mutation: Mutation, position: int) -> str | None:
    return _hidden_dense(topology, mutation, position) or _wider(topology, mutation, position)


def _remove_units(topology: Topology, mutation: Mutation, position: int) -> str | None:
    return _hidden_dense(topology, mutation, position) or _narrower(topology, mutation, position)


def _hidden_conv(topology: Topology, position: int) -> str | None:
    return _is(topology, position, Conv, "convolution") or _has_reader(topology, position)


def _add_channels(topology: Topology, mutation: Mutation, position: int) -> str | None:
    return _hidden_conv(topology, position) or _wider(topology, mutation, position)


def _remove_channels(topology: Topology, mutation: Mutation, position: int) -> str | None:
    return _hidden_conv(topology, position) or _narrower(topology, mutation, position)


def _makes_sequences(layer: Layer) -> bool:
    """Whether a layer, like an embedding, gives two axes that are not a height and a width."""
    if not isinstance(layer, Other) or len(layer.leaving) != 2:
        return False
    return layer.trainable > 0 or layer.leaving != layer.entering


def _add_conv_cell(topology: Topology, mutation: Mutation, position: int) -> str | None:
    end = image_end(topology)
    if end is None:
        return "the network does not work on images"
    if position > end:
        return "the image is flat there"
    if any(_makes_sequences(layer) for layer in topology.layers[:position]):
        return "it works on sequences there, not on images"
    if mutation.width != _channels(topology.shapes[position]):
        return f"its width must be {_channels(topology.shapes[position])}, that of its input"
    if min(topology.shapes[end][:2]) == 1:
        return "the image that is flattened is 1 wide or high: nothing is left to pool"
    if position != end and not isinstance(topology.layers[position], Conv):
        return "conv cells stand before convolutions and before the image is flattened"
    return None


def _remove_conv_cell(topology: Topology, mutation: Mutation, position: int) -> str | None:
    if reason := _hidden_conv(topology, position):
        return reason
    if not is_cell(topology, position):
        return "no whole conv cell (convolution, pooling, batch normalisation, activation) is there"
    return _removable(topology, position, position + CELL_LENGTH)


def _truncate(topology: Topology, mutation: Mutation, position: int) -> str | None:
    if reason := _hidden_dense(topology, mutation, position):
        return reason
    assert mutation.width is not None
    largest = min(topology.shapes[position][-1], topology.shapes[position + 1][-1]) - 1
    if 1 <= mutation.width <= largest:
        return None
    return f"a rank of {mutation.width} is not between 1 and {largest}"


REFUSALS: dict[Operation, Callable[[Topology, Mutation, int], str | None]] = {
    Operation.ADD_DENSE: _add_dense,
    Operation.REMOVE_DENSE: _remove_dense,
    Operation.ADD_UNITS: _add_units,
    Operation.REMOVE_UNITS: _remove_units,
    Operation.ADD_CONV_CELL: _add_conv_cell,
    Operation.REMOVE_CONV_CELL: _remove_conv_cell,
    Operation.ADD_CHANNELS: _add_channels,
    Operation.REMOVE_CHANNELS: _remove_channels,
    Operation.TRUNCATE: _truncate,
}


def why_illegal(topology: Topology, mutation: Mutation) -> str | None:
    """Why a topology does not allow a mutation; None if it does."""
    position = mutation.position
    if mutation.operation is Operation.IDENTITY:
        return None if position is None else "it has no position"
    if position is None:
        return "it needs a position"
    if not 0 <= position < len(topology.layers):
        return f"there is no such layer, the last is {len(topology.layers) - 1}"
    if mutation.width is not None and mutation.operation in WHOLE:
        return "it takes no width"
    if mutation.pooling is not None:
        if mutation.operation is not Operation.ADD_CONV_CELL:
            return "only an added conv cell has a kind of pooling"
        if mutation.pooling not in POOLINGS:
            return f"pooling is {' or '.join(POOLINGS)}, not {mutation.pooling}"
    mutation = with_default_width(topology, mutation)
    if reason := REFUSALS[mutation.operation](topology, mutation, position):
        return reason
    try:
        child = _edited(topology, mutation, position)
    except ValueError as impossible:  # a layer behind it cannot follow
        return str(impossible)
    return _resized(topology, child, mutation)


def _resized(topology: Topology, child: Topology, mutation: Mutation) -> str | None:
    """Why the flattened image cannot have another size; None if it can, or has not."""
    reader = flat_reader(topology)
    if reader is None or mutation.operation not in RESIZING:
        return None
    grown = len(child.layers) - len(topology.layers)
    between = topology.layers[image_end(topology) : reader]
    if child.unfolded(reader + grown)[:2] == topology.unfolded(reader)[:2]:
        return None
    if any(isinstance(layer, BatchNorm) for layer in between):
        return "batch normalisation behind the flatten layer knows images of one size only"
    return None


def legal_mutations(
    topology: Topology,
    sizes: MutationSizes | None = None,
    rng: np.random.Generator | None = None,
    operations: Sequence[Operation] = ECTONAS,
) -> list[Mutation]:
    """All mutations a topology allows, in a fixed order: by operation, then by position.

    With the default operations they are ECToNAS's offspring, the identity first.

    Args:
        topology: the parent's.
        sizes: how much each operation changes.
        rng: draws the pooling of added conv cells; needed with `pooling: random` only.
        operations: those to list.
    """
    sizes = sizes or MutationSizes()

    def pooling() -> str:
        if sizes.pooling != "random":
            return sizes.pooling
        if rng is None:
            raise ValueError("pooling: random needs a generator to draw from")
        return str(rng.choice(POOLINGS))

    found = []
    for operation in operations:
        places = [None] if operation is Operation.IDENTITY else range(len(topology.layers))
        for position in places:
            mutation = with_default_width(topology, Mutation(operation, position), sizes)
            if why_illegal(topology, mutation) is None:
                cell = operation is Operation.ADD_CONV_CELL
                found.append(replace(mutation, pooling=pooling()) if cell else mutation)
    return found


# --- the topology a mutation gives ----------------------------------------------------------------


def _non_negative(topology: Topology, position: int) -> bool:
    """Whether nothing below zero enters the layer at `position`.

    The network's own input is taken for non-negative, as pixels are.
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


def _edited(topology: Topology, mutation: Mutation, position: int) -> Topology:
    layer, width = topology.layers[position], mutation.width or 0
    passing = "relu" if _non_negative(topology, position) else "linear"
    match mutation.operation, layer:
        case Operation.ADD_DENSE, _:
            return topology.insert(position, Dense(width, passing))
        case Operation.REMOVE_DENSE, _:
            return topology.remove(position, dense_end(topology, position) - position)
        case ((Operation.ADD_UNITS | Operation.REMOVE_UNITS), Dense()):
            return topology.replace(position, replace(layer, units=width))
        case Operation.TRUNCATE, _:
            return topology.insert(position, Dense(width, "linear", use_bias=False))
        case Operation.ADD_CONV_CELL, _:
            pooling, shape = mutation.pooling or "average", topology.shapes[position]
            cell = conv_cell(width, pooling=pooling, activation=passing)
            axis = [Reshape((*shape, 1))] if len(shape) == 2 else []
            return topology.insert(position, *axis, *cell)
        case Operation.REMOVE_CONV_CELL, _:
            return topology.remove(position, CELL_LENGTH)
        case ((Operation.ADD_CHANNELS | Operation.REMOVE_CHANNELS), Conv()):
            return topology.replace(position, replace(layer, channels=width))
        case _:
            raise AssertionError(mutation)


def mutate_topology(topology: Topology, mutation: Mutation) -> Topology:
    """The topology after a mutation.

    Raises:
        IllegalMutation: the topology does not allow it; the message says why, and where it would.
    """
    operation, position = mutation.operation, mutation.position
    if reason := why_illegal(topology, mutation):
        places = [
            str(legal.position) for legal in legal_mutations(topology, operations=[operation])
        ]
        where = f"legal at {', '.join(places)}" if places else "legal nowhere in this network"
        if operation is Operation.IDENTITY:
            where = "it changes nothing"
        raise IllegalMutation(f"{operation} at position {position}: {reason}; {where}")
    if position is None:
        return topology
    return _edited(topology, with_default_width(topology, mutation), position)


def is_exact(topology: Topology, mutation: Mutation) -> bool:
    """Whether the network computes the same after a mutation, up to rounding, whatever its weights.

    Growth does, unless it inserts pooling, or widens a layer in front of a softmax, which weighs
    its values against each other.
    """
    position, operation = mutation.position, mutation.operation
    if position is None:
        return True
    if operation not in GROWTH:
        return False
    if operation is Operation.ADD_DENSE:
        return True
    end = topology.consumer(position)
    return all(
        "softmax" not in (getattr(layer, "activation", None), getattr(layer, "function", None))
        for layer in topology.layers[position:end]
    )
