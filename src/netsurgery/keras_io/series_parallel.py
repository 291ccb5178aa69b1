"""Graphs as rows that split and join: what `netsurgery.networks.blocks` can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netsurgery.networks.steps import INPUT

Row = tuple["int | Fork", ...]


@dataclass(frozen=True)
class Fork:
    """Rows that start from one output and end in a node that takes all of theirs.

    Attributes:
        rows: one for each input of the join, in order; an empty one passes the output on.
        join: the node.
    """

    rows: tuple[Row, ...]
    join: int


class CrossingRowsError(ValueError):
    """The graph is not series-parallel; `node` is on two rows that join."""

    def __init__(self, node: int) -> None:
        super().__init__(f"node {node} is on two rows")
        self.node = node


def rows_of(inputs: Sequence[Sequence[int]]) -> Row:
    """The rows of a graph with one input and one output.

    Args:
        inputs: for each node the nodes whose outputs it takes, all of them before it; `INPUT` for
            the graph's input. The last node gives the graph's output, which all others lead to.

    Raises:
        CrossingRowsError: the graph is not series-parallel.
    """
    splits = _dominators(inputs)
    seen: set[int] = set()

    def row(start: int, end: int) -> Row:
        found: list[int | Fork] = []
        while end != start:
            if end in seen:
                raise CrossingRowsError(end)
            seen.add(end)
            if len(inputs[end]) == 1:
                found.append(end)
            else:
                found.append(Fork(tuple(row(splits[end], each) for each in inputs[end]), end))
            end = splits[end]
        return tuple(reversed(found))

    return row(INPUT, len(inputs) - 1)


def _dominators(inputs: Sequence[Sequence[int]]) -> list[int]:
    """The last node before each one that all ways from the input to it have in common."""
    above: list[int] = []
    for entering in inputs:
        common, *others = entering
        for other in others:
            while common != other:  # the later of two nodes cannot dominate the other
                if common > other:
                    common = above[common]
                else:
                    other = above[other]
        above.append(common)
    return above
