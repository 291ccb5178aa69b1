"""The networks in which operations are timed."""

from __future__ import annotations

from benchmarks import operation_costs

from netsurgery.surgery import OPERATIONS, Mutation, legal_mutations, operations


def test_networks_allow_every_operation_and_have_a_million() -> None:
    topologies = operation_costs.topologies()
    legal = {
        mutation.operation
        for topology in topologies.values()
        for mutation in legal_mutations(topology, operations=OPERATIONS)
    }
    assert legal == set(OPERATIONS)
    for topology in topologies.values():
        assert 950_000 < topology.parameters < 1_050_000


def test_table_shows_both_times() -> None:
    mutation = Mutation(operations.ADD_CHANNELS, 0)
    cost = operation_costs.Cost("cells", mutation, 1200, 0.5, 1.25)
    *_, line = operation_costs.table([cost], {"cells": 1000}).splitlines()
    assert line == "| `add_channels` | cells | 0 | 1,000 → 1,200 | 0.50 | 1.25 |"
