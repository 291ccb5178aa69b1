"""Added cells without pooling pass their input on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from netsurgery.networks.inference import predict
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    Layer,
    Shape,
)
from netsurgery.networks.topology import Topology
from netsurgery.surgery import Mutation, is_exact, legal_mutations, mutate, operations, why_illegal
from tests.support.random_networks import trained
from tests.support.surgery_helpers import generator

CELL = operations.ADD_CELL
HEAD = (GlobalPool(), Dense(5), Dense(3, "linear"))


def topology(*layers: Layer, shape: Shape = (6, 7, 2), head: tuple[Layer, ...] = HEAD) -> Topology:
    return Topology(shape, (*layers, *head))


IMAGES = topology(Conv(4), BatchNorm(), Activation("relu"), Conv(3, 5, "tanh"))
SERIES = topology(Conv(4, activation="relu"), Conv(3, strides=2), shape=(9, 2))


@pytest.mark.parametrize("network", [IMAGES, SERIES], ids=["images", "series"])
def test_predictions_stay_the_same(network: Topology) -> None:
    parent = trained(network, generator())
    x = generator(1).normal(3, 10, size=(50, *network.input_shape))
    before = predict(parent, x)
    found = legal_mutations(network, operations=[CELL])
    assert len(found) >= 2
    for samples in (None, x):
        for mutation in found:
            child = mutate(parent, mutation, calibration=samples).network
            assert np.abs(predict(child, x) - before).max() < 1e-5 * np.abs(before).max()
            assert is_exact(network, mutation)


@pytest.mark.parametrize(("position", "activation"), [(2, "relu"), (3, "linear")])
def test_activation_cuts_nothing_off(position: int, activation: str) -> None:
    child = mutate(trained(IMAGES, generator()), Mutation(CELL, position)).network
    width = IMAGES.output_shapes[position][-1]
    cell = child.topology.layers[position + 1 : position + 4]
    assert cell == (Conv(width), BatchNorm(), Activation(activation))


def test_normalization_has_the_statistics_of_samples() -> None:
    parent, x = trained(IMAGES, generator()), generator(1).normal(size=(40, 6, 7, 2))
    gamma, beta, mean, variance = mutate(parent, Mutation(CELL, 2), calibration=x).network.weights[
        4
    ]
    leaving = predict(
        replace(
            parent,
            topology=Topology((6, 7, 2), IMAGES.row[:3]),
            weights=parent.weights[:3],
        ),
        x,
    )
    np.testing.assert_allclose(mean, leaving.mean(axis=(0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(variance, leaving.var(axis=(0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(gamma, np.sqrt(variance + 1e-3), rtol=1e-6)
    np.testing.assert_array_equal(beta, mean)


def test_other_layers_keep_weights_and_slots() -> None:
    parent = trained(IMAGES, generator())
    layers = zip(IMAGES.layers, parent.weights, strict=True)
    slots = {"momentum": tuple(arrays[: layer.trainable_arrays] for layer, arrays in layers)}
    result = mutate(parent, Mutation(CELL, 2), slots=slots)
    kept = [*range(3), *range(6, len(result.network.weights))]
    assert [result.network.weights[i] for i in kept] == [*parent.weights]
    assert not any(array.any() for i in (3, 4) for array in result.slots["momentum"][i])
    assert [result.slots["momentum"][i] for i in kept] == [*slots["momentum"]]


@pytest.mark.parametrize(
    ("mutation", "reason"),
    [
        (Mutation(CELL, 0), "the batch norm at 1 belongs to it"),
        (Mutation(CELL, 5), "what leaves it is flat"),
        (Mutation(CELL, 6), "it gives the network's output"),
        (Mutation(CELL, 3, 4), "its width must be 3"),
    ],
)
def test_reason_says_why_not_there(mutation: Mutation, reason: str) -> None:
    assert reason in str(why_illegal(IMAGES, mutation))


def test_flattened_image_takes_no_cell() -> None:
    flat = topology(Conv(4), head=(Flatten(), Dense(2)))
    assert [m.position for m in legal_mutations(flat, operations=[CELL])] == [0]
