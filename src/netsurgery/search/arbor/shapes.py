"""The networks that may train to the end: templates, and the shape that grew, all full-size."""

from __future__ import annotations

from netsurgery.networks.topology import Topology
from netsurgery.search.arbor.scaling import scaled_to_limits
from netsurgery.search.arbor.templates import templates_for
from netsurgery.search.size_limit import SizeLimits

SCALED = "scaled"


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
