"""The networks that may train to the end: templates and the shape that grew, and smaller ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from netsurgery.networks.topology import Topology
from netsurgery.search.arbor.scaling import scaled_to_limits
from netsurgery.search.arbor.templates import small_template_for, templates_for
from netsurgery.search.size_limit import SizeLimits

SCALED, SMALLER = "scaled", "smaller"
TENTH = "auto"  # of the parameters of the final network


def shapes(trunk: Topology, limits: SizeLimits) -> dict[str, Topology]:
    """The networks by where their shape comes from, the templates first; equal ones once.

    Args:
        trunk: that grew.
        limits: of the search; each network is the largest of its shape within them.
    """
    found: dict[str, Topology] = {}
    for origin, shape in (*templates_for(trunk).items(), (SCALED, trunk)):
        made = scaled_to_limits(shape, limits)
        if made is not None and made not in found.values():
            found[origin] = made
    return found


def smaller_networks(
    final: Topology, sizes: Sequence[int] | str, limits: SizeLimits
) -> dict[int, Topology]:
    """Networks to train besides the final one, by the parameters that they have less than.

    Args:
        final: the network that trains to the end.
        sizes: the parameters, or `auto`: a tenth of the final network's.
        limits: of the search.
    """
    wanted = (final.parameters // 10,) if isinstance(sizes, str) else sizes
    shape = small_template_for(final) or final
    found: dict[int, Topology] = {}
    for size in sorted(each for each in wanted if 0 < each <= final.parameters):
        made = scaled_to_limits(shape, replace(limits, max_parameters=size))
        if made is not None and made not in found.values():
            found[size] = made
    return found
