"""Where the layers of a network are drawn: rows of a block beside each other, joins as nodes.

Positions are along the network, from input to output, and across it. A plot says how large a layer
is drawn, so that the same arrangement serves plots from top to bottom and from left to right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from netsurgery.networks.blocks import Block, Residual, Row
from netsurgery.networks.layers import Flatten, Join, KernelLayer, Layer
from netsurgery.networks.topology import Topology


@dataclass(frozen=True)
class Part:
    """What is drawn as one box or node.

    Attributes:
        position: of its layer.
        layer: with a kernel, or any other one that follows none.
        following: layers without kernels behind it, such as normalization and activation.
    """

    position: int
    layer: Layer
    following: tuple[Layer, ...] = ()

    @property
    def is_join(self) -> bool:
        """Whether it joins the rows of a block."""
        return isinstance(self.layer, Join)

    @property
    def last(self) -> int:
        """The position of its last layer."""
        return self.position + len(self.following)


@dataclass(frozen=True)
class Branches:
    """A block: the parts of its rows, and the node that joins them."""

    block: Block
    rows: tuple[Parts, ...]
    join: Part


Parts = tuple["Part | Branches", ...]


def parts_of(topology: Topology) -> Parts:
    """The parts of a network."""
    positions = iter(range(len(topology.steps)))

    def walk(row: Row) -> Parts:
        found: list[Part | Branches] = []
        for node in row:
            if isinstance(node, Block):
                rows = tuple(walk(inner) for inner in node.rows)
                found.append(Branches(node, rows, Part(next(positions), node.join)))
                continue
            position, before = next(positions), found[-1] if found else None
            if isinstance(before, Part) and _follows(node, before):
                found[-1] = replace(before, following=(*before.following, node))
            else:
                found.append(Part(position, node))
        return tuple(found)

    return walk(topology.row)


def _follows(layer: Layer, part: Part) -> bool:
    own = isinstance(layer, KernelLayer | Flatten)
    return isinstance(part.layer, KernelLayer) and not own


@dataclass(frozen=True)
class Sizes:
    """How large parts are drawn, in inches.

    Attributes:
        of: length along the network and width across it of a part; None if it is not drawn.
        gap: along, between parts.
        lane: across, between rows.
    """

    of: Callable[[Part], tuple[float, float] | None]
    gap: float
    lane: float


@dataclass(frozen=True)
class Placed:
    """A part with its middle."""

    part: Part
    along: float
    across: float
    length: float
    width: float


@dataclass(frozen=True)
class Line:
    """A connection from one part to another, perhaps around others.

    Attributes:
        start: along and across.
        end: along and across.
        lane: where across it runs, if it passes a row.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    lane: float | None = None


@dataclass(frozen=True)
class Layout:
    """All parts and lines, and the space they need: length, and from where to where across."""

    parts: tuple[Placed, ...]
    lines: tuple[Line, ...]
    length: float
    left: float
    right: float


def arrange(topology: Topology, sizes: Sizes) -> Layout:
    """Arrange a network that begins at (0, 0)."""
    return _arrange_row(parts_of(topology), sizes, 0.0, 0.0)


def _arrange_row(row: Parts, sizes: Sizes, along: float, across: float) -> Layout:
    """Arrange a row; a line leads to its first part, from `along`."""
    found: list[Layout] = []
    at = along
    for part in row:
        if isinstance(part, Part):
            if (size := sizes.of(part)) is None:
                continue
            length, width = size
            start = at + sizes.gap
            placed = Placed(part, start + length / 2, across, length, width)
            line = Line((at, across), (start, across))
            reach = width / 2
            found.append(Layout((placed,), (line,), start + length, across - reach, across + reach))
        else:
            found.append(_arrange_branches(part, sizes, at, across))
        at = found[-1].length
    return Layout(
        tuple(placed for each in found for placed in each.parts),
        tuple(line for each in found for line in each.lines),
        at,
        min((each.left for each in found), default=across),
        max((each.right for each in found), default=across),
    )


def _arrange_branches(branches: Branches, sizes: Sizes, along: float, across: float) -> Layout:
    split = along + sizes.gap * 0.6  # where lines part
    rows = list(_beside(branches, sizes, split, across))
    length, width = sizes.of(branches.join) or (0.0, 0.0)
    end = max([split + sizes.gap, *(layout.length for layout, _ in rows)]) + sizes.gap
    join = Placed(branches.join, end + length / 2, across, length, width)
    lines = [Line((along, across), (split, across))]
    for layout, axis in rows:
        lines += layout.lines
        if layout.parts:
            lines.append(Line((split, across), (split, axis)))
            lines.append(Line((layout.length, axis), (join.along, axis)))
            lines.append(Line((join.along, axis), (join.along, across)))
        else:
            lines.append(Line((split, across), (join.along, across), axis))
    placed = tuple(each for layout, _ in rows for each in layout.parts)
    return Layout(
        (*placed, join),
        tuple(lines),
        end + length,
        min([across - width / 2, *(min(layout.left, axis) for layout, axis in rows)]),
        max([across + width / 2, *(max(layout.right, axis) for layout, axis in rows)]),
    )


def _beside(
    branches: Branches, sizes: Sizes, along: float, across: float
) -> Iterator[tuple[Layout, float]]:
    """The rows of a block and where across they lie: a residual's body straight on, others spread.

    Rows of other blocks are centred around the row that the block is in.
    """
    extents = [_arrange_row(row, sizes, along, 0.0) for row in branches.rows]
    axes, right = [], 0.0
    for number, extent in enumerate(extents):
        gap = sizes.lane if number else 0.0
        axes.append(right + gap - extent.left)
        right = axes[-1] + extent.right
    middle = axes[0] if isinstance(branches.block, Residual) else right / 2
    for row, axis in zip(branches.rows, axes, strict=True):
        moved = across + axis - middle
        yield _arrange_row(row, sizes, along, moved), moved
