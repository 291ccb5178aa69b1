"""A network of the same shape, as large as the limits allow."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from netsurgery.networks.topology import Topology
from netsurgery.search.size_limit import SizeLimits, why_too_large
from netsurgery.surgery.channel_groups import channel_groups
from netsurgery.surgery.structure import with_width

STEP = 1.02  # from one factor to the next
STEPS = 400  # of the largest factor, and down to the smallest one: about 2,750 times
MULTIPLE = 4  # of channels and units of wide layers, which are faster then
WIDE = 16


REFINEMENTS = 20  # steps by which single layers may be larger than the others


def widths(topology: Topology) -> dict[int, int]:
    """All channels and units but for the outputs: the width of each group, by its owner."""
    groups = channel_groups(topology).groups
    return {group.owner: group.width for group in groups if group.owner is not None}


def with_widths(topology: Topology, wanted: Mapping[int, int]) -> Topology:
    """The topology with other widths, by owner."""
    for owner, width in wanted.items():
        topology = with_width(topology, owner, width)
    return topology


def scaled(topology: Topology, factor: float) -> dict[int, int]:
    """All widths times a factor, by owner; each is at least 1."""
    return {owner: _rounded(width * factor) for owner, width in widths(topology).items()}


def _rounded(width: float) -> int:
    """A whole width; that of a wide layer is a multiple of `MULTIPLE`."""
    if width < WIDE:
        return max(1, round(width))
    return MULTIPLE * round(width / MULTIPLE)


@lru_cache(maxsize=256)
def scaled_to_limits(topology: Topology, limits: SizeLimits) -> Topology | None:
    """The largest network of a shape that all limits allow; None if not even the smallest is.

    All widths grow by the same factor; what rounding leaves, single layers get, the last one first.

    Args:
        topology: whose widths keep their proportions.
        limits: of the search.
    """
    smallest, largest = -STEPS, STEPS

    def fits(wanted: Mapping[int, int]) -> bool:
        made = with_widths(topology, wanted)
        return why_too_large(made, made, limits) is None

    def at(exponent: int) -> dict[int, int]:
        return scaled(topology, STEP**exponent)

    if not fits(at(smallest)):
        return None
    while smallest < largest:  # the largest exponent that fits is among these
        middle = (smallest + largest + 1) // 2
        smallest, largest = (middle, largest) if fits(at(middle)) else (smallest, middle - 1)
    found = at(smallest)
    for exponent in range(smallest + 1, smallest + 1 + REFINEMENTS):
        for owner, width in reversed(at(exponent).items()):
            if fits(wider := found | {owner: width}):
                found = wider
    return with_widths(topology, found)
