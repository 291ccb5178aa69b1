"""When removing dense layers is exact."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks.layers import Dense
from netsurgery.surgery import Mutation, mutate, operations
from tests.support.strategies import (
    SEEDS,
    Example,
    networks,
    topologies,
    trained,
)
from tests.support.surgery_helpers import (
    assert_computes_the_same,
    generator,
    hidden_layer,
)

YES = st.just(True)


@given(networks(topologies(biases=YES)), st.integers(0, 2), st.booleans(), SEEDS)
def test_removing_a_linear_dense_layer_is_exact(
    example: Example, choice: int, use_bias: bool, seed: int
) -> None:
    network, x = example
    position = hidden_layer(network, choice)
    units = network.topology.output_shapes[position][0]
    topology = network.topology.replace(position, Dense(units, "linear", use_bias))
    network = trained(topology, generator(seed))
    child = mutate(network, Mutation(operations.REMOVE_DENSE, position), generator(seed)).network
    assert child.topology == topology.remove(position)
    assert_computes_the_same(child, network, x)
