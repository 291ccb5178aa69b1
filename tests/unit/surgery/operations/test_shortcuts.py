"""Plain cells become residual ones, and back."""

from __future__ import annotations

import numpy as np
import pytest

from netsurgery.networks.blocks import Residual
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
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import Mutation, Operation, is_exact, mutate, operations, why_illegal
from tests.support.random_networks import inputs, trained
from tests.support.surgery_helpers import assert_computes_the_same, generator

RESIDUAL, PLAIN = operations.MAKE_RESIDUAL, operations.MAKE_PLAIN
HEAD = (GlobalPool(), Dense(3, "linear"))
TALL = (BatchNorm(), Activation("relu"))


@pytest.mark.parametrize(
    ("shape", "layer"),
    [
        ((6, 5, 3), Conv(3)),
        ((6, 5, 3), Conv(3, 2, "relu")),
        ((6, 5, 3), Conv(3, (5, 1), "softmax", use_bias=False)),
        ((6, 5, 3), Conv(3, 3, "tanh", dilation=2)),
        ((6, 5, 3), Conv(3, 1, padding="valid")),
        ((9, 3), Conv(3, 4, "relu")),
        ((9, 3), Conv(3, 3, padding="causal", dilation=2)),
        ((3,), Dense(3, "relu", use_bias=False)),
    ],
    ids=str,
)
def test_one_layer_takes_a_shortcut_exactly(shape: Shape, layer: Layer) -> None:
    head = HEAD if len(shape) > 1 else HEAD[1:]
    topology = Topology(shape, (layer, BatchNorm(), *head))
    network, x = trained(topology, generator()), inputs(topology, generator(1))
    child = mutate(network, Mutation(RESIDUAL, 0)).network
    block, *_ = child.topology.row
    assert isinstance(block, Residual)
    assert len(block.body) == 1
    assert_computes_the_same(child, network, x)
    assert is_exact(topology, Mutation(RESIDUAL, 0))
    assert RESIDUAL.is_exact_in_training(topology, 0)
    back = mutate(child, Mutation(PLAIN, 0)).network
    assert is_exact(child.topology, Mutation(PLAIN, 0))
    assert_computes_the_same(back, network, x)
    for one, other in zip(back.weights[0], network.weights[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


def test_normalization_at_the_end_of_the_body_goes_into_the_kernel() -> None:
    body = (Conv(3, use_bias=False), BatchNorm(), BatchNorm(scale=False))
    topology = Topology((6, 5, 3), (Residual(body), *TALL, *HEAD))
    network = trained(topology, generator())
    child = mutate(network, Mutation(PLAIN, 0)).network
    assert child.topology.row == (Conv(3), *TALL, *HEAD)
    assert_computes_the_same(child, network, inputs(topology, generator(1)))
    position = topology.position(0)
    assert PLAIN.is_exact(topology, position)
    assert not PLAIN.is_exact_in_training(topology, position)


TWO = Topology((6, 6, 4), (Conv(9), *TALL, Conv(4, activation="relu"), *HEAD))
BLOCK = Topology((6, 6, 4), (Residual((Conv(9), *TALL, Conv(4), BatchNorm())), *HEAD))


@pytest.mark.parametrize(
    ("operation", "topology", "row"),
    [
        (
            RESIDUAL,
            TWO,
            (Residual((Conv(9), *TALL, Conv(4))), Activation("relu"), *HEAD),
        ),
        (PLAIN, BLOCK, (Conv(9), *TALL, Conv(4), *HEAD)),
    ],
    ids=["residual", "plain"],
)
def test_samples_bring_two_layers_closer(
    operation: Operation, topology: Topology, row: tuple
) -> None:
    losses: dict[bool, list[float]] = {False: [], True: []}
    for seed in range(3):
        rng = generator(seed)
        network = trained(topology, rng)
        x, other = rng.normal(size=(2, 100, 6, 6, 4))
        before = predict(network, other)
        for samples in (None, x):
            child = mutate(network, Mutation(operation, 0), calibration=samples).network
            assert child.topology.row == row
            change = np.square(predict(child, other) - before).mean() / before.var()
            losses[samples is not None].append(float(change))
    assert not is_exact(topology, Mutation(operation, 0))
    assert np.median(losses[True]) < 0.2
    assert np.median(losses[True]) < 0.5 * np.median(losses[False])


def slots_of(network: Network) -> dict:
    layers = zip(network.topology.layers, network.weights, strict=True)
    return {"momentum": tuple(arrays[: layer.trainable_arrays] for layer, arrays in layers)}


def test_exact_shortcut_keeps_slots_and_later_layers() -> None:
    topology = Topology((6, 5, 3), (Conv(3), *TALL, Conv(4), *HEAD))
    network = trained(topology, generator())
    slots = slots_of(network)
    x = generator(1).normal(size=(9, 6, 5, 3))
    result = mutate(network, Mutation(RESIDUAL, 0), calibration=x, slots=slots)
    found = result.slots["momentum"]
    assert found[0][0] is slots["momentum"][0][0]
    assert found[2:] == slots["momentum"][1:]
    assert result.network.weights[2:] == network.weights[1:]


OTHERS = Topology(
    (6, 6, 4),
    (
        Conv(4, strides=2),
        Conv(5),
        Residual((Conv(5),)),
        Residual((Conv(5), Activation("relu"))),
        Residual((Conv(3),), (Conv(3, 1),)),
        Flatten(),
        Dense(27),
        Residual((Dense(27, "linear"),)),
    ),
)


@pytest.mark.parametrize(
    ("mutation", "reason"),
    [
        (Mutation(RESIDUAL, 0), "neither its output nor that of the layer that reads it"),
        (Mutation(RESIDUAL, 1), "its output has another shape than its input"),
        (Mutation(RESIDUAL, 2), "not a convolution or dense layer"),
        (Mutation(RESIDUAL, "2.body.0"), "it is the body of a residual block already"),
        (Mutation(RESIDUAL, "7.body.0"), "it gives the network's output"),
        (Mutation(PLAIN, 1), "not a residual block"),
        (Mutation(PLAIN, 3), "its body does not end with a linear layer"),
        (Mutation(PLAIN, 4), "its shortcut is a projection"),
        (Mutation(PLAIN, 7), "it gives the network's output"),
        (Mutation(PLAIN, 2), None),
    ],
    ids=lambda value: f"{value.operation}-{value.position}" if isinstance(value, Mutation) else "",
)
def test_reason_says_why_not_there(mutation: Mutation, reason: str | None) -> None:
    found = why_illegal(OTHERS, mutation)
    assert found is None if reason is None else reason in str(found)
