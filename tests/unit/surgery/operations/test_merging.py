"""Two linear layers that become one."""

from __future__ import annotations

import numpy as np
import pytest

from netsurgery.networks.blocks import Block, Residual, Row
from netsurgery.networks.inference import predict, run_layers
from netsurgery.networks.layers import (
    SAME,
    VALID,
    Activation,
    BatchNorm,
    Conv,
    Dense,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    Pool,
    SeparableConv,
)
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import IllegalMutation, Mutation, is_exact, mutate, operations
from tests.support.random_networks import trained
from tests.support.surgery_helpers import assert_computes_the_same, generator

MERGE, NORMALIZE = operations.MERGE_CONVOLUTIONS, operations.MERGE_NORMALIZATION
HEAD = (Flatten(), Dense(3, "linear"))


def network_of(*row: Layer | Block, sides: tuple[int, int] = (9, 10)) -> Network:
    return trained(Topology((*sides, 2), (*row, *HEAD)), generator())


def images(count: int = 4, sides: tuple[int, int] = (9, 10)) -> np.ndarray:
    return generator(1).normal(size=(count, *sides, 2))


@pytest.mark.parametrize(
    ("first", "second", "merged"),
    [
        (Conv(3, 3, padding=VALID), Conv(4, 3, padding=VALID), Conv(4, 5, padding=VALID)),
        (Conv(3, 2, padding=VALID), Conv(4, 3, padding=VALID), Conv(4, 4, padding=VALID)),
        (Conv(3, 3), Conv(4, 1, "relu"), Conv(4, 3, "relu")),
        (Conv(3, 1), Conv(4, 3, padding=VALID), Conv(4, 3, padding=VALID)),
        (Conv(3, 1, use_bias=False), Conv(4, 3), Conv(4, 3)),
        (Conv(3, 1, use_bias=False), Conv(4, 5, use_bias=False), Conv(4, 5, use_bias=False)),
        (
            Conv(3, 3, strides=2, padding=VALID),
            Conv(4, 2, padding=VALID),
            Conv(4, 5, strides=2, padding=VALID),
        ),
        (Conv(3, 1, strides=2), Conv(4, 1, strides=2), Conv(4, 1, strides=4)),
    ],
    ids=str,
)
def test_convolutions_without_padding_between_merge_exactly(
    first: Conv, second: Conv, merged: Conv
) -> None:
    network = network_of(first, second)
    assert is_exact(network.topology, Mutation(MERGE, 0))
    child = mutate(network, Mutation(MERGE, 0)).network
    assert child.topology.layers[0] == merged
    assert_computes_the_same(child, network, images())


def convolved(network: Network, count: int) -> np.ndarray:
    return run_layers(network, {-1: images()}, 0, count)[count - 1]


def test_padded_convolutions_merge_exactly_inside_the_image() -> None:
    network = network_of(Conv(3), Conv(4))
    assert not is_exact(network.topology, Mutation(MERGE, 0))
    child = mutate(network, Mutation(MERGE, 0)).network
    assert child.topology.layers[0] == Conv(4, 5)
    before, after = convolved(network, 2), convolved(child, 1)
    np.testing.assert_allclose(after[:, 2:-2, 2:-2], before[:, 2:-2, 2:-2], atol=1e-5)
    assert np.abs(after[:, 0] - before[:, 0]).max() > 0.1


def test_samples_fit_merged_convolutions_at_the_border() -> None:
    network, x = network_of(Conv(3), Conv(4, activation="relu")), images(200)
    before = predict(network, x)
    plain, fitted = (
        mutate(network, Mutation(MERGE, 0), calibration=samples).network for samples in (None, x)
    )
    error, least = (np.square(predict(child, x) - before).mean() for child in (plain, fitted))
    assert least < 0.7 * error


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((Conv(3, activation="relu"), Conv(4)), "there has an activation"),
        ((Conv(3), Activation("relu"), Conv(4)), "no convolution follows, the next layer is relu"),
        ((Conv(3), Flatten(), Dense(4)), "no convolution follows, the next layer is flatten"),
        ((Conv(3, padding=SAME), Conv(4, padding=VALID)), "pads the image as these two do"),
        ((Conv(3, padding=VALID), Conv(4, padding=SAME)), "pads the image as these two do"),
        ((Conv(3, 2), Conv(4, 2)), "pads the image as these two do"),
        ((Conv(3), Residual((Conv(3),))), "reads its outputs"),
    ],
)
def test_convolutions_that_do_not_merge(row: Row, reason: str) -> None:
    with pytest.raises(IllegalMutation, match=reason):
        mutate(network_of(*row), Mutation(MERGE, 0))


@pytest.mark.parametrize(
    ("row", "position"),
    [
        ((Conv(3), BatchNorm(), Activation("relu")), 1),
        ((Conv(3, use_bias=False), Pool("average", 3, 2), BatchNorm(scale=False)), 2),
        ((Conv(3), GlobalPool(), Dropout(0.5), BatchNorm(center=False)), 3),
        ((Flatten(), Dense(5, "linear"), BatchNorm(), Activation("tanh")), 2),
        ((DepthwiseConv(3, use_bias=False), BatchNorm()), 1),
        ((SeparableConv(3, use_bias=False), BatchNorm()), 1),
        ((SeparableConv(4), Pool("average"), BatchNorm()), 2),
    ],
)
def test_normalization_becomes_part_of_a_linear_layer(row: Row, position: int) -> None:
    network = network_of(*row)
    child = mutate(network, Mutation(NORMALIZE, position)).network
    assert not child.topology.positions(BatchNorm)
    assert_computes_the_same(child, network, images())


def test_normalization_that_ends_a_body_merges() -> None:
    network = network_of(Conv(3), Residual((Conv(5, activation="relu"), Conv(3), BatchNorm())))
    child = mutate(network, Mutation(NORMALIZE, "1.body.2")).network
    assert child.topology.row[1] == Residual((Conv(5, activation="relu"), Conv(3)))
    assert_computes_the_same(child, network, images())


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ((Conv(3, activation="relu"), BatchNorm()), 1),
        ((Conv(3), Pool("max"), BatchNorm()), 2),
        ((Conv(3), Flatten(), BatchNorm()), 2),
        ((BatchNorm(), Conv(3)), 0),
        ((Conv(3), Residual((BatchNorm(), Conv(3)))), "1.body.0"),
    ],
)
def test_normalization_of_other_outputs_stays(row: Row, place: int | str) -> None:
    with pytest.raises(IllegalMutation, match="no linear layer comes before it that it alone"):
        mutate(network_of(*row), Mutation(NORMALIZE, place))
