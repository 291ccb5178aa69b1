"""Flatten layers that become global pooling, and back."""

from __future__ import annotations

import numpy as np
import pytest

from netsurgery.networks.inference import predict
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
)
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import IllegalMutation, Mutation, is_exact, mutate, operations
from tests.support.random_networks import trained
from tests.support.strategies import with_layer
from tests.support.surgery_helpers import assert_computes_the_same, generator

TO_POOLING, TO_FLATTEN = operations.FLATTEN_TO_GLOBAL_POOLING, operations.GLOBAL_POOLING_TO_FLATTEN


def convolved(*head: Layer, sides: tuple[int, int] = (5, 4)) -> Network:
    """A convolution of one tap, so that constant images stay constant, and a head."""
    return trained(
        Topology((*sides, 2), (Conv(3, 1, "relu"), *head, Dense(2, "linear"))), generator()
    )


def test_pooling_is_exact_for_constant_images() -> None:
    network = convolved(Flatten(), Dense(6, "tanh"))
    child = mutate(network, Mutation(TO_POOLING, 1)).network
    assert child.topology.layers[1] == GlobalPool()
    assert child.topology.parameters < network.topology.parameters
    constant = np.broadcast_to(generator(1).normal(size=(4, 1, 1, 2)), (4, 5, 4, 2))
    assert_computes_the_same(child, network, constant)
    assert not is_exact(network.topology, Mutation(TO_POOLING, 1))


def test_pooling_is_exact_for_images_of_one_pixel() -> None:
    network = convolved(Flatten(), Dense(6, "tanh"), sides=(1, 1))
    assert is_exact(network.topology, Mutation(TO_POOLING, 1))
    child = mutate(network, Mutation(TO_POOLING, 1)).network
    assert_computes_the_same(child, network, generator(1).normal(size=(4, 1, 1, 2)))


@pytest.mark.parametrize("between", [(), (BatchNorm(),), (Dropout(0.5), BatchNorm(scale=False))])
def test_flatten_after_average_pooling_is_exact(between: tuple[Layer, ...]) -> None:
    network = convolved(GlobalPool(), *between, Dense(6, "tanh"))
    mutation = Mutation(TO_FLATTEN, 1)
    assert is_exact(network.topology, mutation)
    slots = {"momentum": tuple(arrays[:1] for arrays in network.weights)}
    result = mutate(network, mutation, slots=slots)
    assert result.network.topology.layers[1] == Flatten()
    assert_computes_the_same(result.network, network, generator(1).normal(size=(4, 5, 4, 2)))
    for i, layer in enumerate(between, start=2):
        if isinstance(layer, BatchNorm):  # one number per pixel, with the channel's momentum
            assert result.slots["momentum"][i][0].shape == (60,)


@pytest.mark.parametrize("head", [[GlobalPool("max")], [GlobalPool(), Activation("tanh")]])
def test_flatten_is_approximate_where_pixels_do_not_add_up(head: list[Layer]) -> None:
    network = convolved(*head, Dense(6, "tanh"))
    mutation = Mutation(TO_FLATTEN, 1)
    assert not is_exact(network.topology, mutation)
    x = generator(1).normal(size=(400, 5, 4, 2))
    before = predict(network, x)
    plain, fitted = mutate(network, mutation), mutate(network, mutation, calibration=x)
    error, least = (np.square(predict(r.network, x) - before).mean() for r in (plain, fitted))
    assert 0 < least < 0.7 * error


def test_samples_fit_pooling_to_what_pixels_gave() -> None:
    network = convolved(Flatten(), Dense(6, "tanh"))
    x = generator(1).normal(size=(400, 5, 4, 2)).cumsum(axis=1).cumsum(axis=2)  # smooth images
    before = predict(network, x)
    mutation = Mutation(TO_POOLING, 1)
    plain, fitted = mutate(network, mutation), mutate(network, mutation, calibration=x)
    error, least = (np.square(predict(r.network, x) - before).mean() for r in (plain, fitted))
    assert least < 0.9 * error


def test_samples_change_nothing_where_flatten_is_exact() -> None:
    network = convolved(GlobalPool(), Dense(6, "tanh"))
    x = generator(1).normal(size=(40, 5, 4, 2))
    plain, given = (
        mutate(network, Mutation(TO_FLATTEN, 1), calibration=samples).network
        for samples in (None, x)
    )
    for one, other in zip(plain.weights, given.weights, strict=True):
        for mine, its in zip(one, other, strict=True):
            np.testing.assert_array_equal(mine, its)


def test_weights_are_shared_equally_and_summed_up_again() -> None:
    network = convolved(GlobalPool(), Dense(6, "tanh"))
    there = mutate(network, Mutation(TO_FLATTEN, 1)).network
    back = mutate(there, Mutation(TO_POOLING, 1)).network
    np.testing.assert_allclose(back.weights[2][0], network.weights[2][0], rtol=1e-6)
    doubled = with_layer(there, 2, Dense(6, "tanh"), 2 * there.weights[2][0], there.weights[2][1])
    back = mutate(doubled, Mutation(TO_POOLING, 1)).network
    np.testing.assert_allclose(back.weights[2][0], 2 * network.weights[2][0], rtol=1e-6)


@pytest.mark.parametrize(
    ("row", "position", "reason"),
    [
        ((Flatten(), Dense(3)), 0, "no convolution comes before it"),
        ((Conv(3), Flatten(), BatchNorm(), Dense(3)), 1, "supports one image size only"),
        ((Conv(3), Flatten(), Flatten(), Dense(3)), 2, "its input is flat already"),
        ((Conv(3), Flatten()), 1, "it is the output layer"),
        ((Conv(3), GlobalPool(), Dense(3)), 1, "not a flatten layer"),
    ],
)
def test_places_where_pooling_is_refused(
    row: tuple[Layer, ...], position: int, reason: str
) -> None:
    network = trained(Topology((4, 4, 2), row), generator())
    with pytest.raises(IllegalMutation, match=reason):
        mutate(network, Mutation(TO_POOLING, position))
