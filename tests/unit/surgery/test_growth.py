"""Growth keeps the output, and its random choices follow the generator."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks.layers import Dense
from netsurgery.networks.network import Network
from netsurgery.surgery import Mutation, MutationSizes, Operation, is_exact, mutate, operations
from tests.support import exactness
from tests.support.random_networks import branched
from tests.support.strategies import (
    SEEDS,
    SIZES,
    TOPOLOGIES,
    VARIED,
    Example,
    networks,
    one_in,
    trained,
)
from tests.support.surgery_helpers import (
    CELLS,
    ROUNDING,
    assert_computes_the_same,
    generator,
    legal,
    next_with_kernel,
    outgoing,
)

WIDENING = (operations.ADD_UNITS, operations.ADD_CHANNELS)
GROWTH = (*WIDENING, operations.ADD_DENSE)


def exact(network: Network, sizes: MutationSizes) -> list[Mutation]:
    """All growth but that before a softmax or a layer normalization."""
    return [m for m in legal(network, sizes, *GROWTH) if is_exact(network.topology, m)]


def test_exact_growth_keeps_the_output_of_rows() -> None:
    """Any arrangement of layers, with any activation that numpy supports but softmax."""
    found = list(exactness.changes(range(200)))
    assert len(found) > 600
    assert {change.mutation.operation for change in found} == set(GROWTH)
    assert max(found, key=lambda change: change.relative).relative < ROUNDING


def test_exact_growth_keeps_the_output_of_blocks() -> None:
    """Also residual stages, branches and gates, which change as a whole."""
    found = list(exactness.changes(range(60), branched))
    assert len(found) > 150
    assert {change.mutation.operation for change in found} >= set(WIDENING)
    assert max(found, key=lambda change: change.relative).relative < ROUNDING


@given(networks(st.one_of(TOPOLOGIES, VARIED)), SIZES, SEEDS)
def test_growth_of_any_size_keeps_the_output(
    example: Example, sizes: MutationSizes, seed: int
) -> None:
    network, x = example
    for mutation in exact(network, sizes):
        child = mutate(network, mutation, generator(seed)).network
        assert_computes_the_same(child, network, x)


@one_in(2)
@given(networks(VARIED), SIZES, SEEDS)
def test_repeated_growth_keeps_the_output(
    example: Example, sizes: MutationSizes, seed: int
) -> None:
    network, x = example
    rng, grown = generator(seed), network
    for _ in range(6):
        mutations = exact(grown, sizes) or [Mutation(operations.IDENTITY)]
        grown = mutate(grown, mutations[rng.integers(len(mutations))], rng).network
    assert_computes_the_same(grown, network, x)


@given(networks(), SIZES, SEEDS)
def test_copies_share_outgoing_weights_unequally(
    example: Example, sizes: MutationSizes, seed: int
) -> None:
    network, _ = example
    for mutation in legal(network, sizes, operations.ADD_UNITS, operations.ADD_CHANNELS):
        position = mutation.at(network.topology)
        child = mutate(network, mutation, generator(seed)).network
        end = next_with_kernel(network.topology, position)
        before = [array for arrays in network.weights[position:end] for array in arrays]
        after = [array for arrays in child.weights[position:end] for array in arrays]
        width, wider = before[0].shape[-1], after[0].shape[-1]
        for old, new in zip(before, after, strict=True):
            np.testing.assert_array_equal(new[..., :width], old)
        groups = [[source] for source in range(width)]
        for copy in range(width, wider):
            (source,) = (
                s
                for s in range(width)
                if all(
                    np.array_equal(new[..., copy], old[..., s])
                    for old, new in zip(before, after, strict=True)
                )
            )
            groups[source].append(copy)
        whole, shared = outgoing(network, position), outgoing(child, position)
        for source, group in enumerate(groups):
            weights = whole[:, source, :]
            np.testing.assert_allclose(
                shared[:, group, :].sum(axis=1), weights, rtol=0, atol=1e-6 * np.abs(whole).max()
            )
            for one, other in combinations(group, 2):
                assert (shared[:, one, :] != shared[:, other, :]).any(axis=0).all()


@pytest.mark.parametrize(
    ("operation", "position"), [(operations.ADD_UNITS, 9), (operations.ADD_CHANNELS, 0)]
)
def test_equal_copies_share_equally_and_keep_the_output(
    operation: Operation, position: int
) -> None:
    network = trained(CELLS, generator())
    width = 5 * network.topology.output_shapes[position][-1]  # many copies of each
    mutation = Mutation(operation, position, width)
    child = mutate(network, mutation, generator(1), growth="equal_copies").network
    x = generator(2).normal(size=(5, *network.topology.input_shape)).astype(np.float32)
    assert_computes_the_same(child, network, x)
    incoming = child.weights[position][0].reshape(-1, width)
    whole, shared = outgoing(network, position), outgoing(child, position)
    for source in range(whole.shape[1]):
        (group,) = np.nonzero((incoming == incoming[:, source, None]).all(axis=0))
        for copy in group:
            np.testing.assert_array_equal(
                shared[:, copy, :], whole[:, source, :] / np.float32(len(group))
            )


@pytest.mark.parametrize(
    ("operation", "position"), [(operations.ADD_UNITS, 9), (operations.ADD_CHANNELS, 0)]
)
def test_copied_units_and_channels_are_drawn(operation: Operation, position: int) -> None:
    network = trained(CELLS, generator())
    old = network.weights[position][1]
    drawn: set[float] = set()
    for seed in range(100):
        child = mutate(network, Mutation(operation, position), generator(seed)).network
        drawn |= set(child.weights[position][1][len(old) :])
    assert drawn == set(old)


@given(networks(), SEEDS)
def test_added_dense_layer_is_an_idempotent_identity(example: Example, seed: int) -> None:
    network, _ = example
    for mutation in legal(network, MutationSizes(), operations.ADD_DENSE):
        position = mutation.at(network.topology)
        before = network.topology.layers[position - 1]
        assert isinstance(before, Dense)
        activation = "relu" if before.activation == "relu" else "linear"
        child = mutate(network, mutation, generator(seed)).network
        assert child.topology.layers[position] == Dense(before.units, activation)
