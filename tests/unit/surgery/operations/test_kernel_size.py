"""Larger and smaller kernels."""

from __future__ import annotations

import numpy as np
import pytest

from netsurgery.networks.inference import layer_input, pre_activation, predict
from netsurgery.networks.layers import VALID, Conv, Dense, Flatten, KernelLayer
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import IllegalMutation, Mutation, mutate, operations
from tests.support.random_networks import trained
from tests.support.surgery_helpers import assert_computes_the_same, generator


def one_convolution(sides: tuple[int, int] = (7, 8), **settings: object) -> Network:
    row = (Conv(3, **settings), Flatten(), Dense(2, "linear"))  # type: ignore[arg-type]
    return trained(Topology((*sides, 2), row), generator())


@pytest.mark.parametrize("sides", [(7, 8), (1, 2), (9, 4)])
@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize(("kernel", "grown"), [(1, 3), (3, 5), (2, 4), (1, 7), (4, 6)])
def test_zeros_around_a_kernel_keep_the_output(
    sides: tuple[int, int], strides: int, kernel: int, grown: int
) -> None:
    network = one_convolution(sides, kernel=kernel, strides=strides)
    child = mutate(network, Mutation(operations.GROW_KERNEL, 0, grown)).network
    assert child.topology.layers[0] == Conv(3, grown, strides=strides)
    assert (child.weights[0][0] == 0).any()
    assert_computes_the_same(child, network, generator(1).normal(size=(3, *sides, 2)))


def test_kernel_grows_by_two_if_no_size_is_given() -> None:
    child = mutate(one_convolution(kernel=3), Mutation(operations.GROW_KERNEL, 0)).network
    assert child.weights[0][0].shape == (5, 5, 2, 3)
    child = mutate(one_convolution(kernel=5), Mutation(operations.SHRINK_KERNEL, 0)).network
    assert child.weights[0][0].shape == (3, 3, 2, 3)


def test_taps_that_remain_keep_their_weights_and_slots() -> None:
    network = one_convolution(kernel=5)
    slots = {"momentum": tuple(tuple(2 * a for a in arrays) for arrays in network.weights)}
    smaller = mutate(network, Mutation(operations.SHRINK_KERNEL, 0), slots=slots)
    np.testing.assert_array_equal(smaller.network.weights[0][0], network.weights[0][0][1:-1, 1:-1])
    larger = mutate(smaller.network, Mutation(operations.GROW_KERNEL, 0), slots=smaller.slots)
    for name, arrays in (("weights", larger.network.weights), ("slots", larger.slots["momentum"])):
        kernel, bias = arrays[0]
        factor = 1 if name == "weights" else 2
        np.testing.assert_array_equal(
            kernel[1:-1, 1:-1], factor * network.weights[0][0][1:-1, 1:-1]
        )
        np.testing.assert_array_equal(bias, factor * network.weights[0][1])
        assert not kernel[0].any()
        assert not kernel[:, -1].any()


def test_samples_fit_a_smaller_kernel_to_what_the_larger_one_gave() -> None:
    network = one_convolution(kernel=5, activation="relu")
    x = generator(2).normal(size=(64, 7, 8, 2)).cumsum(axis=1).cumsum(axis=2)  # smooth images
    mutation = Mutation(operations.SHRINK_KERNEL, 0)

    def error(child: Network) -> float:
        layer, before = child.topology.layers[0], network.topology.layers[0]
        assert isinstance(layer, KernelLayer)
        assert isinstance(before, KernelLayer)
        wanted = pre_activation(before, network.weights[0], layer_input(network, 0, x))
        given = pre_activation(layer, child.weights[0], layer_input(child, 0, x))
        return float(np.square(given - wanted).mean())

    cut, fitted = (
        mutate(network, mutation).network,
        mutate(network, mutation, calibration=x).network,
    )
    assert error(fitted) < 0.5 * error(cut)
    change = np.abs(predict(fitted, x) - predict(network, x)).mean()
    assert change < 0.5 * np.abs(predict(cut, x) - predict(network, x)).mean()


@pytest.mark.parametrize(
    ("operation", "kernel", "width", "reason"),
    [
        (operations.GROW_KERNEL, 3, 4, "size 4 must differ from 3 by an even number"),
        (operations.GROW_KERNEL, 3, 3, "size 3 is not above the current 3"),
        (operations.SHRINK_KERNEL, 3, 5, "size 5 is not between 1 and 2"),
        (operations.SHRINK_KERNEL, 1, None, "size -1 is not between 1 and 0"),
    ],
)
def test_sizes_that_are_refused(
    operation: operations.Operation, kernel: int, width: int | None, reason: str
) -> None:
    with pytest.raises(IllegalMutation, match=reason):
        mutate(one_convolution(kernel=kernel), Mutation(operation, 0, width))


def test_kernels_without_padding_keep_their_size() -> None:
    with pytest.raises(IllegalMutation, match="padding is valid: with another kernel its output"):
        mutate(one_convolution(padding=VALID), Mutation(operations.GROW_KERNEL, 0))
