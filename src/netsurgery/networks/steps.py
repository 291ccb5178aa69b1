"""The layers of a tree of blocks, one after the other: the order in which everything walks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from netsurgery.networks.blocks import Block, Row
from netsurgery.networks.layers import Layer

INPUT = -1  # stands for the network's input among the inputs of a step

# index in the main row, row of the block there, index in that row, and so on: of odd length
Path = tuple[int, ...]
# what a path is called: an index in the main row, or a text such as "3.body.1"
Place = int | str


@dataclass(frozen=True)
class Step:
    """One layer of a network, at its place in the tree.

    Attributes:
        layer: the layer; a block is represented by the layer that joins its rows.
        inputs: positions of the steps whose outputs it takes, `INPUT` for the network's input.
        path: of the layer, or of the block.
    """

    layer: Layer
    inputs: tuple[int, ...]
    path: Path


def steps_of(row: Row) -> tuple[Step, ...]:
    """The steps of a network, each after those whose outputs it takes."""
    steps: list[Step] = []

    def walk(row: Row, entering: int, parent: Path) -> int:
        for i, node in enumerate(row):
            path = (*parent, i)
            if isinstance(node, Block):
                ends = (walk(inner, entering, (*path, k)) for k, inner in enumerate(node.rows))
                steps.append(Step(node.join, tuple(ends), path))
            else:
                steps.append(Step(node, (entering,), path))
            entering = len(steps) - 1
        return entering

    walk(row, INPUT, ())
    return tuple(steps)


def edit(row: Row, path: Path, change: Callable[[Row, int], Row]) -> Row:
    """The tree with another row at a path.

    Args:
        row: the main row.
        path: of a node, or of the end of a row.
        change: gives the new row from the old one and the index in it.
    """
    index, *rest = path
    if not rest:
        return change(row, index)
    block, (branch, *inner) = row[index], rest
    assert isinstance(block, Block)
    rows = list(block.rows)
    rows[branch] = edit(rows[branch], tuple(inner), change)
    return (*row[:index], block.with_rows(rows), *row[index + 1 :])


def place_of(row: Row, path: Path) -> Place:
    """What a path is called."""
    index, *rest = path
    if not rest:
        return index
    block, (branch, *inner) = row[index], rest
    assert isinstance(block, Block)
    return f"{index}.{block.row_names[branch]}.{place_of(block.rows[branch], tuple(inner))}"
