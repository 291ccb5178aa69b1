"""A network as lines of text, one for each layer, indented by the blocks around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from netsurgery.networks.blocks import Block, Row
from netsurgery.networks.steps import Place
from netsurgery.networks.topology import Topology


@dataclass(frozen=True)
class Line:
    """A layer, or a block, which comes before the layers in it.

    Attributes:
        place: what users call it.
        depth: how many blocks it is in.
        text: what it is.
        position: of the layer; of the layer that joins its rows for a block.
    """

    place: Place
    depth: int
    text: str
    position: int


def outline(topology: Topology) -> list[Line]:
    """The lines of a network, from input to output."""
    positions = {step.path: position for position, step in enumerate(topology.steps)}

    def walk(row: Row, parent: tuple[int, ...]) -> Iterator[Line]:
        for i, node in enumerate(row):
            path = (*parent, i)
            position, depth = positions[path], len(parent) // 2
            text = f"{node.kind} block: {node.join}" if isinstance(node, Block) else str(node)
            yield Line(topology.places[position], depth, text, position)
            if isinstance(node, Block):
                for k, inner in enumerate(node.rows):
                    yield from walk(inner, (*path, k))

    return list(walk(topology.row, ()))
