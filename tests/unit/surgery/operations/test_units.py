"""When removing units is exact, and what it keeps."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks.layers import Dense
from netsurgery.networks.topology import Topology
from netsurgery.surgery import Mutation, mutate, operations
from tests.support.strategies import (
    SEEDS,
    Example,
    networks,
    topologies,
    trained,
    with_layer,
)
from tests.support.surgery_helpers import (
    ROUNDING,
    assert_computes_the_same,
    generator,
    hidden_layer,
)

YES = st.just(True)


@given(networks(topologies(biases=YES)), st.integers(0, 2), st.integers(2, 8), st.data())
def test_removing_redundant_linear_units_is_exact(
    example: Example, choice: int, units: int, data: st.DataObject
) -> None:
    network, x = example
    position = hidden_layer(network, choice)
    rng = generator(data.draw(SEEDS))
    removed, use_bias = data.draw(st.integers(1, units - 1)), data.draw(st.booleans())
    rank = data.draw(st.integers(1, units - removed))
    topology = network.topology.replace(position, Dense(units, "linear", use_bias))
    network = trained(topology, rng)
    entering = topology.input_shapes[position][0]
    kernel = rng.normal(size=(entering, rank)) @ rng.normal(size=(rank, units))
    kernel /= np.sqrt(entering * rank)
    bias = rng.normal(size=entering) @ kernel / np.sqrt(entering)
    network = with_layer(
        network, position, topology.layers[position], kernel, *([bias] if use_bias else [])
    )
    removal = Mutation(operations.REMOVE_UNITS, position, units - removed)
    child = mutate(network, removal, rng).network
    assert child.topology.output_shapes[position] == (units - removed,)
    assert_computes_the_same(child, network, x)


@given(st.integers(1, 12), st.integers(2, 8), st.integers(1, 7), SEEDS)
def test_removal_keeps_the_largest_singular_values(
    entering: int, units: int, removed: int, seed: int
) -> None:
    removed = min(removed, units - 1)
    topology = Topology((entering,), (Dense(units, "linear"), Dense(units, "linear")))
    network = trained(topology, generator(seed))
    network = with_layer(network, 1, topology.layers[1], np.eye(units), np.zeros(units))
    removal = Mutation(operations.REMOVE_UNITS, 0, units - removed)
    child = mutate(network, removal, generator()).network
    kernel, basis = (child.weights[i][0].astype(np.float64) for i in (0, 1))
    original = network.weights[0][0].astype(np.float64)
    lost = np.linalg.svd(original, compute_uv=False)[units - removed :]
    distance = np.linalg.norm(kernel @ basis - original)
    np.testing.assert_allclose(distance, np.linalg.norm(lost), rtol=0, atol=ROUNDING)
    # the remaining units are mostly positive mixtures of the old ones, which a relu lets through
    assert (basis.sum(axis=1) > -ROUNDING).all()
