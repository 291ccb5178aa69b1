"""What contributes least goes first."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.blocks import Parallel, Residual
from netsurgery.networks.layers import Conv, Dense, GlobalPool
from netsurgery.networks.topology import Topology
from netsurgery.surgery import legal_mutations, mutate, operations
from netsurgery.surgery.contributions import contributions, least_first
from tests.support.random_networks import branched, inputs, trained
from tests.support.surgery_helpers import generator

REMOVALS = [operations.REMOVE_BLOCK, operations.REMOVE_BRANCH]
THREE = Topology(
    (6, 6, 2),
    (
        Conv(4),
        *[Residual((Conv(4, activation="relu"), Conv(4)))] * 3,
        Parallel(((Conv(2),), (Conv(3),))),
        Conv(2),
        GlobalPool(),
        Dense(2, "linear"),
    ),
)


def test_every_part_that_may_go_has_a_contribution() -> None:
    for seed in range(100):
        rng = generator(seed)
        network = trained(branched(rng), rng)
        found = contributions(network, inputs(network.topology, rng))
        places = {m.position for m in legal_mutations(network.topology, operations=REMOVALS)}
        assert places <= set(found)
        assert all(np.isfinite(value) and value >= 0 for value in found.values())


def test_contribution_grows_with_the_last_kernel() -> None:
    network, x = trained(THREE, generator()), generator(1).normal(size=(20, 6, 6, 2))
    ends = {1: 3.0, 2: 0.01, 3: 0.3}
    changed = {}
    for place, factor in ends.items():
        end = THREE.position(f"{place}.body.1")
        changed[end] = tuple(array * np.float32(factor) for array in network.weights[end])
    network = network.with_arrays(changed)
    found = contributions(network, x)
    assert sorted(ends, key=lambda place: found[place]) == [2, 3, 1]
    assert np.isclose(found["4.0.0"] ** 2 + found["4.1.0"] ** 2, 1)
    first, *_, last = least_first(
        legal_mutations(THREE, operations=[operations.REMOVE_BLOCK]), found
    )
    assert (first.position, last.position) == (2, 1)


def test_new_block_contributes_nothing() -> None:
    network, x = trained(THREE, generator()), generator(1).normal(size=(20, 6, 6, 2))
    mutation = legal_mutations(THREE, operations=[operations.ADD_RESIDUAL_BLOCK])[0]
    child = mutate(network, mutation, generator()).network
    assert contributions(child, x)[1] == 0
