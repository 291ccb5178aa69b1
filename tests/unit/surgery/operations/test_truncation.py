"""When a truncated SVD is exact, and that it is optimal."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks.layers import Dense
from netsurgery.networks.topology import Topology
from netsurgery.surgery import Mutation, MutationSizes, mutate, operations
from tests.support.strategies import (
    SEEDS,
    VARIED,
    Example,
    networks,
    trained,
)
from tests.support.surgery_helpers import (
    ROUNDING,
    assert_computes_the_same,
    generator,
    legal,
)


@given(st.integers(2, 12), st.integers(2, 8), st.booleans(), SEEDS)
def test_truncation_gives_the_closest_layer_of_its_rank(
    entering: int, units: int, use_bias: bool, seed: int
) -> None:
    topology = Topology((entering,), (Dense(units, "relu", use_bias), Dense(3, "linear")))
    network = trained(topology, generator(seed))
    original = network.weights[0][0].astype(np.float64)
    lost = np.linalg.svd(original, compute_uv=False)
    for rank in range(1, min(entering, units)):
        child = mutate(network, Mutation(operations.TRUNCATE, 0, rank)).network
        assert child.topology.layers[0] == Dense(rank, "linear", use_bias=False)
        assert child.topology.layers[1:] == topology.layers
        first, second = (child.weights[i][0].astype(np.float64) for i in (0, 1))
        distance = np.linalg.norm(first @ second - original)
        np.testing.assert_allclose(distance, np.linalg.norm(lost[rank:]), rtol=0, atol=ROUNDING)
        for one, other in zip(child.weights[1][1:], network.weights[0][1:], strict=True):
            np.testing.assert_array_equal(one, other)


@given(networks(VARIED), SEEDS)
def test_truncation_to_the_rank_of_a_layer_is_exact(example: Example, seed: int) -> None:
    network, x = example
    rng = generator(seed)
    for mutation in legal(network, MutationSizes(), operations.TRUNCATE):
        position, rank = mutation.at(network.topology), mutation.width
        assert rank is not None
        kernel, *bias = network.weights[position]
        factors = rng.normal(size=(len(kernel), rank)), rng.normal(size=(rank, kernel.shape[1]))
        narrow = (factors[0] @ factors[1] / np.sqrt(rank * len(kernel))).astype(np.float32)
        parent = network.with_arrays({position: (narrow, *bias)})
        assert_computes_the_same(mutate(parent, mutation).network, parent, x)
