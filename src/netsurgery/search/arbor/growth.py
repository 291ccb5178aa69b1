"""The growths of a network that a round may try."""

from __future__ import annotations

from netsurgery.networks.topology import Topology
from netsurgery.search.arbor.plans import Allowance, Part
from netsurgery.search.arbor.settings import GrowthSettings
from netsurgery.search.size_limit import why_too_large
from netsurgery.search.winners import Winners
from netsurgery.surgery import Mutation, MutationSizes, legal_mutations, mutate_topology


def possible_growths(
    trunk: Winners, allowed: Allowance, settings: GrowthSettings
) -> list[Mutation]:
    """List the growths that the next generation may try: none unless it is a round."""
    if allowed.part is not Part.ROUND:
        return []
    return growths(Topology.from_json(trunk.records[0].topology), settings)


def growths(topology: Topology, settings: GrowthSettings) -> list[Mutation]:
    """List all growths within the limits (see `grown`)."""
    return list(grown(topology, settings).values())


def grown(topology: Topology, settings: GrowthSettings) -> dict[Topology, Mutation]:
    """All networks within the limits that a growth gives, in a fixed order, each by the first one.

    Args:
        topology: of the trunk.
        settings: of the search.
    """
    sizes = MutationSizes(width_factor=settings.width_factor)
    found: dict[Topology, Mutation] = {}
    for mutation in legal_mutations(topology, sizes, operations=settings.chosen_operations):
        made = mutate_topology(topology, mutation)
        if why_too_large(made, topology, settings.limits) is None:
            found.setdefault(made, mutation)
    return found
