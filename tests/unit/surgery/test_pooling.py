"""How pooling reaches the weights of the first dense layer, by both rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks.layers import Dense, Flatten, conv_cell
from netsurgery.networks.topology import Topology
from netsurgery.surgery import Mutation, Operation, mutate, operations
from netsurgery.surgery.pooling import aggregated, resampled
from tests.support.strategies import SEEDS, trained
from tests.support.surgery_helpers import generator

SIDES = st.lists(st.integers(1, 7), min_size=1, max_size=2)


def blocks_of(kernel: np.ndarray, sides: list[int]) -> dict[tuple[int, ...], np.ndarray]:
    """The weights (pixels, c, out) that each pixel of the smaller image stands for."""
    return {
        index: kernel[tuple(slice(2 * i, 2 * i + 2) for i in index)].reshape(-1, *kernel.shape[-2:])
        for index in np.ndindex(*sides)
    }


@given(SIDES, st.sampled_from(["average", "max"]), SEEDS)
def test_aggregated_weights_are_pooled_like_the_image(
    sides: list[int], pooling: str, seed: int
) -> None:
    kernel = generator(seed).normal(size=(*sides, 2, 3))
    smaller = [(side + 1) // 2 for side in sides]
    found = aggregated(kernel, smaller, pooling)
    for index, block in blocks_of(kernel, smaller).items():
        largest = np.take_along_axis(block, np.abs(block).argmax(axis=0)[None], axis=0)[0]
        expected = largest if pooling == "max" else block.mean(axis=0)
        np.testing.assert_allclose(found[index], expected)


@given(SIDES, st.sampled_from(["average", "max"]), SEEDS)
def test_repeated_weights_aggregate_to_what_they_were(
    sides: list[int], pooling: str, seed: int
) -> None:
    kernel = generator(seed).normal(size=([(side + 1) // 2 for side in sides] + [2, 3]))
    repeated = aggregated(kernel, sides, pooling)
    for index in np.ndindex(*sides):
        np.testing.assert_array_equal(repeated[index], kernel[tuple(i // 2 for i in index)])
    np.testing.assert_allclose(aggregated(repeated, kernel.shape[:-2], pooling), kernel)


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_a_search_may_transfer_pooling_as_published(pooling: str) -> None:
    cells = conv_cell(2, pooling=pooling, activation="relu")
    network = trained(Topology((8, 8, 1), (*cells, Flatten(), Dense(3))), generator())
    last = len(network.topology.layers) - 1
    kernel = network.weights[last][0].reshape(4, 4, 2, 3)

    def dense_after(operation: Operation, position: int, rule: str = "sum") -> np.ndarray:
        kind = pooling if operation.takes_pooling else None
        mutation = Mutation(operation, position, pooling=kind)
        return mutate(network, mutation, pooling_transfer=rule).network.weights[-1][0]

    added = dense_after(operations.ADD_CONV_CELL, 4, "aggregate")
    np.testing.assert_array_equal(added, aggregated(kernel, (2, 2), pooling).reshape(-1, 3))
    summed = dense_after(operations.ADD_CONV_CELL, 4)
    np.testing.assert_array_equal(summed, resampled(kernel, (2, 2)).reshape(-1, 3))
    shared = dense_after(operations.REMOVE_CONV_CELL, 0)
    repeated = dense_after(operations.REMOVE_CONV_CELL, 0, "aggregate")
    np.testing.assert_allclose(repeated, 4 * shared, rtol=1e-6)
