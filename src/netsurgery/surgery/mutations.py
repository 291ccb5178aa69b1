"""Which mutations a topology allows, and the topology each one gives. No weights are touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from netsurgery.networks import penalties
from netsurgery.networks.layers import POOLINGS, Flatten, Shape
from netsurgery.networks.steps import Place
from netsurgery.networks.topology import Topology
from netsurgery.surgery.operations import ECTONAS, Operation, by_name
from netsurgery.surgery.sizes import MutationSizes
from netsurgery.surgery.structure import flattened_image_reader, flattening_position

RANDOM = "random"  # pooling of added conv cells: drawn for each


@dataclass(frozen=True)
class Mutation:
    """An operation at a place.

    Attributes:
        operation: what to do.
        position: the place (see `netsurgery.networks.topology`) of the layer or block that changes,
            or next to which new ones are inserted; None for the identity.
        width: units or channels of the changed or new layer afterwards; None for the default size,
            and where a layer is removed.
        pooling: the kind of pooling of an added conv cell; None for average.
    """

    operation: Operation
    position: Place | None = None
    width: int | None = None
    pooling: str | None = None

    def at(self, topology: Topology) -> int:
        """The position of its place in the parent's topology; 0 for the identity.

        Raises:
            KeyError: there is no such place.
        """
        return 0 if self.position is None else topology.position(self.position)

    def to_json(self) -> dict[str, Any]:
        """Plain values: the operation by its name."""
        return {
            "operation": self.operation.name,
            "position": self.position,
            "width": self.width,
            "pooling": self.pooling,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Mutation:
        """What `to_json` wrote; other keys are ignored."""
        return cls(
            by_name(values["operation"]), values["position"], values["width"], values["pooling"]
        )


class IllegalMutation(ValueError):  # noqa: N818 - it reads as what it says
    """The network does not allow the mutation; the message says why and where it is legal."""


def with_default_width(
    topology: Topology, mutation: Mutation, sizes: MutationSizes | None = None
) -> Mutation:
    """The mutation with a width: its own, or the operation's default for `sizes`."""
    place = mutation.position
    if mutation.width is not None or place not in topology.places:
        return mutation
    position = mutation.at(topology)
    width = mutation.operation.default_width(topology, position, sizes or MutationSizes())
    return mutation if width is None else replace(mutation, width=width)


def why_illegal(topology: Topology, mutation: Mutation) -> str | None:
    """Why a topology does not allow a mutation; None if it does."""
    child = _child_or_reason(topology, mutation)
    return child if isinstance(child, str) else None


def _child_or_reason(topology: Topology, mutation: Mutation) -> Topology | str:
    """The topology after a mutation, or why it is illegal."""
    operation, place = mutation.operation, mutation.position
    if not operation.takes_position:
        return topology if place is None else "it takes no position"
    if place is None:
        return "it needs a position"
    if place not in topology.places:
        return f"there is no such layer, the last one is {topology.places[-1]}"
    position = mutation.at(topology)
    if mutation.width is not None and not operation.takes_width:
        return "it takes no width"
    if mutation.pooling is not None:
        if not operation.takes_pooling:
            return "it takes no pooling"
        if mutation.pooling not in POOLINGS:
            return f"pooling must be {' or '.join(POOLINGS)}, not {mutation.pooling}"
    mutation = with_default_width(topology, mutation)
    width, pooling = mutation.width or 0, mutation.pooling or "average"
    if reason := operation.why_illegal(topology, position, width):
        return reason
    try:
        child = operation.child_topology(topology, position, width, pooling)
    except ValueError as impossible:  # a later layer cannot take its new input
        return str(impossible)
    origins = operation.layer_origins(topology, child, position)
    if operation.resizes_image:
        reason = _why_not_resizable(topology, child, position, origins)
        if reason is not None:
            return reason
    return penalties.inherited(topology, child, origins)


def _why_not_resizable(
    topology: Topology, child: Topology, position: int, origins: Sequence[int | None]
) -> str | None:
    """Why a flattened image cannot have another size; None if it can, or has the same."""
    reader = flattened_image_reader(topology, position)
    for i, origin in enumerate(origins):
        if origin is None or not isinstance(topology.layers[origin], Flatten):
            continue
        own = topology.consumer(origin)
        if (own is None or own != reader) and _sides(topology, origin) != _sides(child, i):
            return (
                f"the flatten layer at {topology.places[origin]} gives numbers that are joined with"
                " others, or that surgery cannot change: it supports one image size only"
            )
    if reader is None:
        return None
    grown = len(child.layers) - len(topology.layers)
    between = topology.layers[flattening_position(topology, position) : reader]
    if (
        child.shape_before_flatten(reader + grown)[:-1]
        == topology.shape_before_flatten(reader)[:-1]
    ):
        return None
    if any(layer.has_channel_arrays for layer in between):
        return "the batch normalization after the flatten layer supports one image size only"
    return None


def _sides(topology: Topology, position: int) -> Shape:
    return topology.input_shapes[position][:-1]


def legal_mutations(
    topology: Topology,
    sizes: MutationSizes | None = None,
    rng: np.random.Generator | None = None,
    operations: Iterable[Operation] = ECTONAS,
) -> list[Mutation]:
    """All mutations a topology allows, in a fixed order: by operation, then by position.

    With the default operations they are ECToNAS's offspring, the identity first.

    Args:
        topology: the parent's.
        sizes: how much each operation changes.
        rng: draws the pooling of added conv cells; only `pooling: random` needs it.
        operations: those to list.

    Raises:
        ValueError: the pooling is random and there is no generator.
    """
    return [mutation for mutation, _ in legal_children(topology, sizes, rng, operations=operations)]


def legal_children(
    topology: Topology,
    sizes: MutationSizes | None = None,
    rng: np.random.Generator | None = None,
    operations: Iterable[Operation] = ECTONAS,
) -> Iterator[tuple[Mutation, Topology]]:
    """The same mutations, each with the topology that it gives."""
    sizes = sizes or MutationSizes()

    def pooling() -> str:
        if sizes.pooling != RANDOM:
            return sizes.pooling
        if rng is None:
            raise ValueError("pooling: random needs a random generator (rng)")
        return str(rng.choice(POOLINGS))

    for operation in operations:
        for place in topology.places if operation.takes_position else [None]:
            mutation = with_default_width(topology, Mutation(operation, place), sizes)
            child = _child_or_reason(topology, mutation)
            if isinstance(child, str):
                continue
            if operation.takes_pooling:
                mutation = replace(mutation, pooling=pooling())
                child = mutate_topology(topology, mutation)
            yield mutation, child


def mutate_topology(topology: Topology, mutation: Mutation) -> Topology:
    """The topology after a mutation.

    Raises:
        IllegalMutation: the topology does not allow it; the message says why and where it is legal.
    """
    child = _child_or_reason(topology, mutation)
    if isinstance(child, str):
        operation, place = mutation.operation, mutation.position
        raise IllegalMutation(
            f"{operation} at position {place}: {child}; {_where_legal(topology, operation)}"
        )
    return child


def _where_legal(topology: Topology, operation: Operation) -> str:
    if not operation.takes_position:
        return "it changes nothing"
    places = [str(each.position) for each in legal_mutations(topology, operations=[operation])]
    return f"legal at {', '.join(places)}" if places else "legal nowhere in this network"


def is_exact(topology: Topology, mutation: Mutation) -> bool:
    """Whether the output stays the same up to rounding after a mutation, whatever the weights are.

    True for growth, unless it inserts pooling, or widens a layer before a softmax.
    """
    if mutation.position is None:
        return True
    return mutation.operation.is_exact(topology, mutation.at(topology))
