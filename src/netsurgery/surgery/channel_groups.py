"""Which channels or units of a network must change together.

A layer with a kernel writes a **group** of channels; elementwise layers, pooling, flattening and
normalization pass it on, and other layers with kernels read it. In a row a group is written by one
layer and read by one. A sum or product makes one group of those that enter it, so that a residual
stage is one group: the layer before its first block and the last layer of every body write it.
Concatenation puts groups side by side.

Groups that the network's input, its output, or a layer that surgery keeps as it is depend on cannot
change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from netsurgery.networks.layers import InputPart, Join, KernelLayer, Shape
from netsurgery.networks.steps import INPUT
from netsurgery.networks.topology import Topology
from netsurgery.surgery.layouts import Layout, Run, Segment


class Obstacle(Enum):
    """What keeps a group from changing."""

    INPUT = "the network's input"
    OUTPUT = "the network's output"
    READER = "a layer that reads it is kept as it is"
    WRITER = "a layer that writes it is kept as it is"
    JOIN = "a layer joins it with pixels of a flattened image"


@dataclass(frozen=True)
class Fixed:
    """Why a group cannot change: the obstacle, and the position of the layer that is one."""

    obstacle: Obstacle
    position: int = INPUT


@dataclass(frozen=True)
class ChannelGroup:
    """Channels or units that change together.

    Attributes:
        number: identifies the group in layouts.
        width: how many channels.
        writers: positions of the layers with a kernel whose outputs it is, or is a part of.
        members: positions of all layers whose output holds it, writers included.
        readers: positions of the layers with a kernel that take it.
        owner: the first writer whose whole output it is: the place at which it can be changed.
            None if it cannot.
        fixed: why it cannot change; None if it can.
    """

    number: int
    width: int
    writers: tuple[int, ...]
    members: tuple[int, ...]
    readers: tuple[int, ...]
    owner: int | None
    fixed: Fixed | None


@dataclass(frozen=True)
class ChannelGroups:
    """All groups of a topology.

    Attributes:
        groups: by number.
        entering: the layout of what each layer takes; of the first input where there are several.
        leaving: the layout of what each layer gives.
    """

    groups: tuple[ChannelGroup, ...]
    entering: tuple[Layout, ...]
    leaving: tuple[Layout, ...]

    def at(self, position: int) -> list[ChannelGroup]:
        """The groups that the output of a layer holds, in their order there."""
        numbers = (each.group for run in self.leaving[position] for each in run.segments)
        return [self.groups[number] for number in dict.fromkeys(numbers)]

    def owned(self, position: int) -> ChannelGroup:
        """The group that changes with the layer at `position`, which owns it."""
        (group,) = self.at(position)
        assert group.owner == position
        return group


@lru_cache(maxsize=256)
def channel_groups(topology: Topology) -> ChannelGroups:
    """The groups of channels of a topology."""
    nodes = _Nodes()
    fixed: list[tuple[_Outline, Fixed]] = []
    outlines = {INPUT: _outline(nodes.new(_features(topology.input_shape)))}
    fixed.append((outlines[INPUT], Fixed(Obstacle.INPUT)))
    for position, step in enumerate(topology.steps):
        entering = [outlines[i] for i in step.inputs]
        first, layer = entering[0], step.layer
        before, after = topology.input_shapes[position], topology.output_shapes[position]
        if isinstance(layer, Join):
            if layer.has_channels_in_common:
                if not all(_unify(nodes, first, other) for other in entering[1:]):
                    fixed += [(each, Fixed(Obstacle.JOIN, position)) for each in entering]
                outlines[position] = first
            else:
                outlines[position] = _side_by_side(entering)
        elif isinstance(layer, InputPart):
            outlines[position] = _outline(nodes.new(_features(after)))
            fixed.append((outlines[position], Fixed(Obstacle.INPUT)))
        elif isinstance(layer, KernelLayer):
            outlines[position] = _outline(nodes.new(layer.width))
        elif not layer.keeps_channels_apart:
            outlines[position] = _outline(nodes.new(_features(after)))
            fixed.append((first, Fixed(Obstacle.READER, position)))
            fixed.append((outlines[position], Fixed(Obstacle.WRITER, position)))
        elif after[-1] == before[-1]:
            outlines[position] = first
        else:  # flattened
            pixels = after[-1] // before[-1]
            ((_, channels),) = first
            outlines[position] = ((pixels, channels),)
    fixed.append((outlines[len(topology.steps) - 1], Fixed(Obstacle.OUTPUT)))
    return _resolved(topology, nodes, outlines, fixed)


# --- the walk: channels are known by nodes, which become groups at the end ------------------------

_Outline = tuple[tuple[int, tuple[int, ...]], ...]  # pixels, and the nodes of each of them


class _Nodes:
    """Runs of channels; a node may turn out to be the same as another one, or as several."""

    def __init__(self) -> None:
        self.widths: list[int] = []
        self.parts: dict[int, tuple[int, ...]] = {}

    def new(self, width: int) -> int:
        self.widths.append(width)
        return len(self.widths) - 1

    def leaves(self, nodes: Iterable[int]) -> list[int]:
        """What nodes consist of, as far as is known by now."""
        found: list[int] = []
        for node in nodes:
            parts = self.parts.get(node)
            found += [node] if parts is None else self.leaves(parts)
        return found

    def unify(self, ones: Sequence[int], others: Sequence[int]) -> None:
        """Make channels the same, one by one; both have the same number of them."""
        left, right = list(ones)[::-1], list(others)[::-1]
        while left:
            pair = []
            for stack in (left, right):
                stack += self.leaves([stack.pop()])[::-1]
                pair.append(stack.pop())
            narrow, wide = sorted(pair, key=lambda node: (self.widths[node], node))
            if narrow == wide:
                continue
            rest = self.widths[wide] - self.widths[narrow]
            if rest == 0:
                self.parts[wide] = (narrow,)
                continue
            self.parts[wide] = (narrow, self.new(rest))
            (left if wide == pair[0] else right).append(self.parts[wide][1])


def _features(shape: Shape) -> int:
    """The length of the last axis; 1 where it is unknown."""
    return (shape or (1,))[-1] or 1


def _outline(node: int) -> _Outline:
    return ((1, (node,)),)


def _side_by_side(entering: Sequence[_Outline]) -> _Outline:
    """Outlines one after the other; those of one pixel become one."""
    joined: list[tuple[int, tuple[int, ...]]] = []
    for pixels, nodes in (run for outline in entering for run in outline):
        if joined and pixels == 1 and joined[-1][0] == 1:
            joined[-1] = (1, joined[-1][1] + nodes)
        else:
            joined.append((pixels, nodes))
    return tuple(joined)


def _unify(nodes: _Nodes, one: _Outline, other: _Outline) -> bool:
    """Make the channels of two outlines the same; False if they do not fit together."""

    def widths(outline: _Outline) -> list[tuple[int, int]]:
        return [(pixels, sum(nodes.widths[i] for i in run)) for pixels, run in outline]

    if widths(one) != widths(other):
        return False
    for (_, mine), (_, others) in zip(one, other, strict=True):
        nodes.unify(mine, others)
    return True


def _resolved(
    topology: Topology,
    nodes: _Nodes,
    outlines: dict[int, _Outline],
    fixed: Sequence[tuple[_Outline, Fixed]],
) -> ChannelGroups:
    """Groups and layouts, once it is known which nodes are the same."""
    leaves = {
        position: [nodes.leaves(run) for _, run in outline]
        for position, outline in outlines.items()
    }
    held = {position: [i for run in runs for i in run] for position, runs in leaves.items()}
    numbers = {leaf: n for n, leaf in enumerate(sorted({i for run in held.values() for i in run}))}
    reasons: dict[int, Fixed] = {}
    for outline, reason in fixed:
        for leaf in nodes.leaves(i for _, run in outline for i in run):
            reasons.setdefault(leaf, reason)
    layouts: dict[int, Layout] = {
        position: tuple(
            Run(pixels, tuple(Segment(numbers[i], nodes.widths[i]) for i in run))
            for (pixels, _), run in zip(outline, leaves[position], strict=True)
        )
        for position, outline in outlines.items()
    }
    kernels = topology.positions(KernelLayer)
    inputs = [step.inputs for step in topology.steps]

    among = {position: set(run) for position, run in held.items()}

    def group(leaf: int) -> ChannelGroup:
        members = [i for i in range(len(topology.steps)) if leaf in among[i]]
        writers = [i for i in kernels if leaf in among[i]]
        readers = [i for i in kernels if leaf in among[inputs[i][0]]]
        whole = [i for i in writers if held[i] == [leaf]]
        reason = reasons.get(leaf)
        owner = whole[0] if whole and reason is None else None
        return ChannelGroup(
            numbers[leaf],
            nodes.widths[leaf],
            tuple(writers),
            tuple(members),
            tuple(readers),
            owner,
            reason,
        )

    return ChannelGroups(
        tuple(map(group, numbers)),
        tuple(layouts[step.inputs[0]] for step in topology.steps),
        tuple(layouts[i] for i in range(len(topology.steps))),
    )
