"""Which mutations a topology allows, and the topology each one gives. No arrays are touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from netsurgery.forward import IDEMPOTENT
from netsurgery.network import (
    CELL_LENGTH,
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    Pool,
    Topology,
    conv_cell,
)


class Operation(StrEnum):
    """The nine operations of ECToNAS (section 3.2)."""

    IDENTITY = "identity"
    ADD_DENSE = "add_dense"
    REMOVE_DENSE = "remove_dense"
    ADD_UNITS = "add_units"
    REMOVE_UNITS = "remove_units"
    ADD_CONV_CELL = "add_conv_cell"
    REMOVE_CONV_CELL = "remove_conv_cell"
    ADD_CHANNELS = "add_channels"
    REMOVE_CHANNELS = "remove_channels"


@dataclass(frozen=True)
class Mutation:
    """An operation at a place.

    `position` is the layer it changes, or before which it puts new ones; None for the identity.
    `pooling` is the kind of pooling of an added conv cell.
    """

    operation: Operation
    position: int | None = None
    pooling: str | None = None


@dataclass(frozen=True)
class Sizes:
    """How much an operation changes."""

    units_fraction: float = 0.1
    units_minimum: int = 2
    channels: int = 3
    pooling: str = "average"  # of added conv cells; or "max", or "random": drawn for each

    def units(self, width: int) -> int:
        """Units to add to, or remove from, a dense layer of this width."""
        return max(self.units_minimum, int(self.units_fraction * width))


class IllegalMutation(ValueError):  # noqa: N818 - it reads as what it says
    """The network does not allow the mutation; the message says why."""


def is_cell(topology: Topology, position: int) -> bool:
    """Whether a whole conv cell starts at `position`."""
    kinds = tuple(type(layer) for layer in topology.layers[position : position + CELL_LENGTH])
    return kinds == (Conv, Pool, BatchNorm, Activation)


def hidden_dense(topology: Topology) -> list[int]:
    """Positions of the dense layers but the output layer, which is never changed."""
    return topology.positions(Dense)[:-1]


def _add_dense(topology: Topology, sizes: Sizes) -> Iterator[int]:
    yield from topology.positions(Dense)[1:]


def _remove_dense(topology: Topology, sizes: Sizes) -> Iterator[int]:
    yield from hidden_dense(topology)


def _add_units(topology: Topology, sizes: Sizes) -> Iterator[int]:
    yield from hidden_dense(topology)


def _remove_units(topology: Topology, sizes: Sizes) -> Iterator[int]:
    for position in hidden_dense(topology):
        units = topology.shapes[position + 1][0]
        if units - sizes.units(units) >= 1:
            yield position


def _add_conv_cell(topology: Topology, sizes: Sizes) -> Iterator[int]:
    for flatten in topology.positions(Flatten):
        height, width, _ = topology.shapes[flatten]
        if min(height, width) > 1:  # else there is nothing left to pool
            yield from topology.positions(Conv)
            yield flatten


def _remove_conv_cell(topology: Topology, sizes: Sizes) -> Iterator[int]:
    yield from (p for p in topology.positions(Conv) if is_cell(topology, p))


def _add_channels(topology: Topology, sizes: Sizes) -> Iterator[int]:
    yield from topology.positions(Conv)


def _remove_channels(topology: Topology, sizes: Sizes) -> Iterator[int]:
    for position in topology.positions(Conv):
        channels = topology.shapes[position + 1][-1]
        if is_cell(topology, position) and channels - sizes.channels >= 1:
            yield position


PLACES: dict[Operation, Callable[[Topology, Sizes], Iterator[int]]] = {
    Operation.ADD_DENSE: _add_dense,
    Operation.REMOVE_DENSE: _remove_dense,
    Operation.ADD_UNITS: _add_units,
    Operation.REMOVE_UNITS: _remove_units,
    Operation.ADD_CONV_CELL: _add_conv_cell,
    Operation.REMOVE_CONV_CELL: _remove_conv_cell,
    Operation.ADD_CHANNELS: _add_channels,
    Operation.REMOVE_CHANNELS: _remove_channels,
}


def legal_mutations(
    topology: Topology, sizes: Sizes, rng: np.random.Generator | None = None
) -> list[Mutation]:
    """All mutations a topology allows, the identity first, in a fixed order.

    Args:
        topology: the parent's.
        sizes: how much each operation changes.
        rng: draws the pooling of added conv cells; needed with `pooling: random` only.
    """

    def pooling(operation: Operation) -> str | None:
        if operation is not Operation.ADD_CONV_CELL:
            return None
        if sizes.pooling != "random":
            return sizes.pooling
        if rng is None:
            raise ValueError("pooling: random needs a generator to draw from")
        return str(rng.choice(["average", "max"]))

    return [
        Mutation(Operation.IDENTITY),
        *(
            Mutation(operation, position, pooling(operation))
            for operation, places in PLACES.items()
            for position in places(topology, sizes)
        ),
    ]


def check_legal(topology: Topology, mutation: Mutation, sizes: Sizes) -> None:
    """Refuse what the topology does not allow.

    Raises:
        IllegalMutation: naming the places where the operation is legal.
    """
    if mutation.operation is Operation.IDENTITY:
        if mutation.position is not None:
            raise IllegalMutation(f"identity at position {mutation.position}: it has no position")
        return
    places = list(PLACES[mutation.operation](topology, sizes))
    if mutation.position not in places:
        where = f"only at {', '.join(map(str, places))}" if places else "nowhere"
        raise IllegalMutation(
            f"{mutation.operation} at position {mutation.position}: "
            f"in this network it is legal {where}"
        )


def _repeatable(topology: Topology, position: int) -> str:
    """The activation of a layer put in at `position`: one that leaves its input as it is.

    A repeated relu changes nothing; behind any other activation the new layer is linear. The
    network's own input is taken for non-negative, as pixels are.
    """
    if position == 0:
        return "relu"
    before = topology.layers[position - 1]
    last = before.function if isinstance(before, Activation) else None
    activation = last or getattr(before, "activation", "linear")
    return activation if activation in IDEMPOTENT else "linear"


def edit(topology: Topology, mutation: Mutation, sizes: Sizes) -> Topology:
    """The topology after a mutation.

    Raises:
        IllegalMutation: see `check_legal`.
    """
    check_legal(topology, mutation, sizes)
    position = mutation.position
    if position is None:
        return topology
    layer = topology.layers[position]
    match mutation.operation:
        case Operation.ADD_DENSE:
            activation = _repeatable(topology, position)
            return topology.insert(position, Dense(topology.shapes[position][0], activation))
        case Operation.REMOVE_DENSE:
            return topology.remove(position)
        case Operation.ADD_UNITS | Operation.REMOVE_UNITS:
            assert isinstance(layer, Dense)
            change = sizes.units(layer.units)
            units = layer.units + (change if mutation.operation is Operation.ADD_UNITS else -change)
            return topology.replace(position, Dense(units, layer.activation, layer.use_bias))
        case Operation.ADD_CONV_CELL:
            channels = topology.shapes[position][-1]
            pooling, activation = mutation.pooling or "average", _repeatable(topology, position)
            return topology.insert(
                position, *conv_cell(channels, pooling=pooling, activation=activation)
            )
        case Operation.REMOVE_CONV_CELL:
            return topology.remove(position, CELL_LENGTH)
        case Operation.ADD_CHANNELS | Operation.REMOVE_CHANNELS:
            assert isinstance(layer, Conv)
            added = mutation.operation is Operation.ADD_CHANNELS
            channels = layer.channels + (sizes.channels if added else -sizes.channels)
            return topology.replace(
                position, Conv(channels, layer.kernel, layer.activation, layer.use_bias)
            )
        case _:
            raise AssertionError(mutation)
