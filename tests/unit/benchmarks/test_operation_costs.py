"""The networks in which operations are timed."""

from __future__ import annotations

from benchmarks import operation_costs

from netsurgery.surgery import OPERATIONS, legal_mutations, operations


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
    cost = operation_costs.Cost(operations.ADD_CHANNELS, 7, 0.0123, "blocks", "3.body.0", 1.25)
    *_, line = operation_costs.table([cost]).splitlines()
    assert line == "| `add_channels` | 7 | 0.012 | 3.body.0 in blocks | 1.25 |"
