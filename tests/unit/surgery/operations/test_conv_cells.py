"""When adding and removing conv cells is exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks.inference import predict
from netsurgery.networks.layers import BatchNorm, Conv, Flatten, conv_cell
from netsurgery.networks.network import initialise
from netsurgery.networks.topologies import build
from netsurgery.networks.topology import Topology
from netsurgery.surgery import Mutation, MutationSizes, mutate, operations
from tests.support.strategies import (
    CHANNELS,
    SEEDS,
    images_constant_in_blocks,
    inputs,
    pointwise_topologies,
    topologies,
    trained,
    with_layer,
)
from tests.support.surgery_helpers import ROUNDING, assert_computes_the_same, generator, legal

YES, NO, RELU = st.just(True), st.just(False), st.just("relu")


@given(pointwise_topologies(), SEEDS, st.booleans())
def test_added_cell_is_exact_on_blockwise_constant_images(
    topology: Topology, seed: int, pixels: bool
) -> None:
    topology = replace(topology, non_negative_input=pixels)
    network = trained(topology, generator(seed))
    size = 2 ** (len(topology.positions(Conv)) + 1)
    x = images_constant_in_blocks(topology, size, generator(seed))
    mutations = legal(network, MutationSizes(), operations.ADD_CONV_CELL)
    assert [m.position for m in mutations] == [
        *topology.positions(Conv),
        *topology.positions(Flatten),
    ]
    for mutation in mutations:
        child = mutate(network, mutation, generator(seed)).network
        assert len(child.topology.layers) == len(topology.layers) + 4
        assert child.topology.non_negative_input == pixels
        assert_computes_the_same(child, network, x)


@given(pointwise_topologies(), SEEDS)
def test_removing_an_added_cell_restores_the_output(topology: Topology, seed: int) -> None:
    network = trained(topology, generator(seed))
    size = 2 ** (len(topology.positions(Conv)) + 1)
    x = images_constant_in_blocks(topology, size, generator(seed))
    for mutation in legal(network, MutationSizes(), operations.ADD_CONV_CELL):
        child = mutate(network, mutation, generator(seed)).network
        removal = Mutation(operations.REMOVE_CONV_CELL, mutation.position)
        back = mutate(child, removal, generator(seed)).network
        assert back.topology == topology
        assert_computes_the_same(back, network, x)


@given(topologies(images=YES, cells=st.integers(0, 2), cell_activations=RELU, bare=NO), SEEDS)
def test_removing_an_averaging_cell_is_exact(topology: Topology, seed: int) -> None:
    flatten = topology.positions(Flatten)[0]
    width = topology.input_shapes[flatten][-1]
    network = trained(topology.insert(flatten, *conv_cell(width)), generator(seed))
    dirac = np.zeros((3, 3, width, width))
    dirac[1, 1] = np.eye(width)
    zeros, ones = np.zeros(width), np.ones(width)
    network = with_layer(network, flatten, Conv(width), dirac, zeros)
    # Keras divides by sqrt(variance + epsilon)
    neutral = np.sqrt(1.001) * ones, zeros, zeros, ones
    network = with_layer(network, flatten + 2, BatchNorm(), *neutral)
    x = np.abs(inputs(topology, generator(seed)))
    removal = Mutation(operations.REMOVE_CONV_CELL, flatten)
    child = mutate(network, removal, generator(seed)).network
    assert child.topology == topology
    assert_computes_the_same(child, network, x)


@given(topologies(images=YES, cells=st.integers(0, 2), biases=YES), CHANNELS, st.booleans(), SEEDS)
def test_removing_a_linear_one_tap_cell_is_exact(
    topology: Topology, width: int, use_bias: bool, seed: int
) -> None:
    rng = generator(seed)
    flatten = topology.positions(Flatten)[0]
    _, *rest = conv_cell(width, activation="linear")
    network = trained(topology.insert(flatten, Conv(width, use_bias=use_bias), *rest), rng)
    kernel, *bias = network.weights[flatten]
    one_tap = np.zeros_like(kernel)
    one_tap[1, 1] = 3 * kernel[1, 1]
    network = network.with_arrays({flatten: (one_tap, *bias)})
    removal = Mutation(operations.REMOVE_CONV_CELL, flatten)
    child = mutate(network, removal, rng).network
    assert child.topology == topology
    assert_computes_the_same(child, network, inputs(topology, rng))


@given(pointwise_topologies(st.integers(1, 3)), CHANNELS, st.integers(0, 2), SEEDS)
def test_removing_a_linear_cell_before_a_1x1_conv_is_exact(
    topology: Topology, width: int, choice: int, seed: int
) -> None:
    rng = generator(seed)
    convs = topology.positions(Conv)
    position = convs[choice % len(convs)]
    _, *rest = conv_cell(width, activation="linear")
    network = trained(topology.insert(position, Conv(width, 1), *rest), rng)
    x = images_constant_in_blocks(topology, 2 ** (len(convs) + 1), rng)
    child = mutate(network, Mutation(operations.REMOVE_CONV_CELL, position), rng).network
    assert child.topology == topology
    assert_computes_the_same(child, network, x - 0.5)


@given(
    topologies(images=YES, sides=st.sampled_from([4, 6, 8, 10, 12]), cells=st.just(0), biases=YES),
    CHANNELS,
    SEEDS,
)
def test_removed_convolution_leaves_the_sum_of_its_taps(
    topology: Topology, width: int, seed: int
) -> None:
    # with equal weights for all pixels and a black border, an output pixel's position is irrelevant
    rng = generator(seed)
    cell = conv_cell(width, activation="linear")
    network = trained(topology.insert(0, *cell), rng)
    dense = len(cell) + 1
    kernel, bias = network.weights[dense]
    pixels = kernel.shape[0] // width
    same = np.tile(kernel[:width], (pixels, 1)) / np.float32(np.sqrt(pixels))
    network = network.with_arrays({dense: (same, bias)})
    x = inputs(topology, rng)
    x[:, [0, -1]] = 0
    x[:, :, [0, -1]] = 0
    child = mutate(network, Mutation(operations.REMOVE_CONV_CELL, 0), rng).network
    assert child.topology == topology
    assert_computes_the_same(child, network, x)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "linear", "sigmoid", "tanh"])
def test_added_cell_changes_the_output_only_by_pooling(
    activation: str,
) -> None:
    """Average pooling does not change channels that are constant over the image."""
    cell: dict = {"conv_cell": {"channels": 3, "activation": activation}}
    hidden = [cell, {"dense": {"units": 4}}]
    fresh = initialise(build(hidden, (8, 8, 1), 3), np.random.default_rng(0))
    constant = (np.zeros((3, 3, 1, 3), np.float32), np.array([-1, 0.5, 2], np.float32))
    network = fresh.with_arrays({0: constant})
    mutation = Mutation(operations.ADD_CONV_CELL, 4, pooling="average")
    child = mutate(network, mutation, np.random.default_rng(0)).network
    x = np.ones((1, 8, 8, 1))
    np.testing.assert_allclose(predict(child, x), predict(network, x), atol=ROUNDING)


@pytest.mark.parametrize(("pixels", "activation"), [(True, "relu"), (False, "linear")])
def test_a_cell_at_the_input_cuts_off_no_negative_values(pixels: bool, activation: str) -> None:
    topology = build([{"conv": {"channels": 3}}], (8, 8, 2), 3)
    topology = replace(topology, non_negative_input=pixels)
    network = trained(topology, generator())
    child = mutate(network, Mutation(operations.ADD_CONV_CELL, 0)).network
    assert child.topology.layers[:4] == tuple(conv_cell(2, activation=activation))
    grown = mutate(child, Mutation(operations.ADD_CONV_CELL, 0)).network
    assert grown.topology.layers[:4] == tuple(conv_cell(2, activation=activation))
