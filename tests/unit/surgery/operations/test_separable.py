"""Convolutions that become separable, and back."""

from __future__ import annotations

import numpy as np
import pytest

from netsurgery.networks.inference import predict
from netsurgery.networks.layers import Conv, Dense, DepthwiseConv, Flatten, Layer
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import IllegalMutation, Mutation, mutate, operations
from tests.support.random_networks import trained
from tests.support.surgery_helpers import assert_computes_the_same, generator

SEPARATE, JOIN = operations.SEPARATE, operations.JOIN_SEPARABLE
HEAD = (Flatten(), Dense(3, "linear"))


def network_of(*row: Layer, sides: tuple[int, ...] = (7, 8)) -> Network:
    return trained(Topology((*sides, 3), (*row, *HEAD)), generator())


@pytest.mark.parametrize(
    ("row", "sides"),
    [
        ((DepthwiseConv(3), Conv(4, 1, "relu")), (7, 8)),
        ((DepthwiseConv(3, use_bias=False, strides=2), Conv(4, 1, use_bias=False)), (7, 8)),
        ((DepthwiseConv(2, padding="valid"), Conv(4, 1, use_bias=False)), (7, 8)),
        ((DepthwiseConv(3, dilation=2), Conv(4, 1)), (9,)),
    ],
)
def test_joined_halves_compute_the_same(row: tuple[Layer, ...], sides: tuple[int, ...]) -> None:
    network = network_of(*row, sides=sides)
    child = mutate(network, Mutation(JOIN, 0)).network
    assert isinstance(child.topology.layers[0], Conv)
    assert_computes_the_same(child, network, generator(1).normal(size=(4, *sides, 3)))


@pytest.mark.parametrize("sides", [(7, 8), (9,)])
def test_kernels_of_rank_one_are_separated_exactly(sides: tuple[int, ...]) -> None:
    halves = network_of(DepthwiseConv(3), Conv(4, 1, "relu"), sides=sides)
    whole = mutate(halves, Mutation(JOIN, 0)).network
    child = mutate(whole, Mutation(SEPARATE, 0)).network
    assert child.topology.layers[:2] == (DepthwiseConv(3, use_bias=False), Conv(4, 1, "relu"))
    assert_computes_the_same(child, whole, generator(1).normal(size=(4, *sides, 3)))


def test_samples_fit_the_mixing_half() -> None:
    network = network_of(Conv(4, 3, "relu"))
    x = generator(2).normal(size=(200, 7, 8, 3)).cumsum(axis=1).cumsum(axis=2)  # smooth images
    before = predict(network, x)
    plain, fitted = (
        mutate(network, Mutation(SEPARATE, 0), calibration=samples).network for samples in (None, x)
    )
    error, least = (np.square(predict(child, x) - before).mean() for child in (plain, fitted))
    assert 0 < least < 0.7 * error


@pytest.mark.parametrize(
    ("operation", "row", "reason"),
    [
        (SEPARATE, (Conv(4, 1),), "one tap: there is nothing to separate"),
        (SEPARATE, (Conv(4, 3, strides=(1, 2)),), "strides differ by side"),
        (JOIN, (DepthwiseConv(3, "relu"), Conv(4, 1)), "there has an activation"),
        (JOIN, (DepthwiseConv(3), Conv(4, 3)), "does not mix single pixels"),
        (JOIN, (DepthwiseConv(3),), "no convolution alone reads it directly"),
    ],
)
def test_layers_that_are_refused(
    operation: operations.Operation, row: tuple[Layer, ...], reason: str
) -> None:
    with pytest.raises(IllegalMutation, match=reason):
        mutate(network_of(*row), Mutation(operation, 0))
