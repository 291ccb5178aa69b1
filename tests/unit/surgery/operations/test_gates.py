"""Squeeze and excitation: gates more or less."""

from __future__ import annotations

import numpy as np
import pytest

from netsurgery.networks.blocks import Parallel, Residual, Row
from netsurgery.networks.inference import predict
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    DepthwiseConv,
    Flatten,
    GlobalPool,
    Multiply,
    Pool,
    Rescaling,
    SeparableConv,
)
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import (
    Growth,
    IllegalMutation,
    Mutation,
    legal_mutations,
    mutate,
    operations,
)
from tests.support.random_networks import trained
from tests.support.surgery_helpers import assert_computes_the_same, generator

CELL = (Conv(8), BatchNorm(), Activation("relu"))
HEAD = (Flatten(), Dense(3, "linear"))
SQUEEZED = (GlobalPool(), Dense(2), Dense(8, "sigmoid"))
GATE = Parallel(((), SQUEEZED), "multiply")


def network_of(*row: object) -> Network:
    return trained(Topology((6, 5, 2), row), generator())  # type: ignore[arg-type]


def images(count: int = 4) -> np.ndarray:
    return generator(1).normal(size=(count, 6, 5, 2))


def test_gates_go_behind_cells_and_blocks() -> None:
    block = Residual((Conv(8, activation="relu"), Conv(8), BatchNorm()))
    network = network_of(*CELL, Pool(), block, Activation("relu"), *HEAD)
    found = legal_mutations(network.topology, operations=[operations.ADD_GATE])
    assert [mutation.position for mutation in found] == [2, 3, "4.body.0", "4.body.2", 5]
    assert {mutation.width for mutation in found} == {2}


@pytest.mark.parametrize("place", [2, "3.body.1"])
def test_new_gates_are_one_and_learn(place: int | str) -> None:
    tf = pytest.importorskip("tensorflow")
    from netsurgery.keras_io import conversion

    network = network_of(*CELL, Residual((Conv(8, activation="relu"), Conv(8))), *HEAD)
    child = mutate(network, Mutation(operations.ADD_GATE, place)).network
    np.testing.assert_array_equal(predict(child, images()), predict(network, images()))
    model = conversion.to_keras(child)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(images().astype("f4"), training=True) ** 2)
    position = next(
        i for i, each in enumerate(child.topology.layers) if each == Dense(8, "sigmoid")
    )
    (kernel,) = (
        variable
        for variable in model.trainable_variables
        if tuple(variable.shape) == child.weights[position][0].shape == (2, 8)
    )
    assert np.abs(tape.gradient(loss, kernel)).max() > 0


def test_gate_that_was_added_goes_without_a_trace() -> None:
    network = network_of(*CELL, *HEAD)
    slots = {"momentum": tuple(arrays[:1] for arrays in network.weights)}
    added = mutate(network, Mutation(operations.ADD_GATE, 2), slots=slots)
    (join,) = added.network.topology.positions(Multiply)
    place = added.network.topology.places[join]
    removed = mutate(added.network, Mutation(operations.REMOVE_GATE, place), slots=added.slots)
    assert removed.network.topology == network.topology
    assert_computes_the_same(removed.network, network, images())
    assert removed.slots["momentum"][0] is slots["momentum"][0]


def constant(network: Network, position: int, logits: np.ndarray) -> Network:
    """The network with a gate that does not depend on its input."""
    kernel, _ = network.weights[position]
    return network.with_arrays({position: (0 * kernel, logits.astype(np.float32))})


@pytest.mark.parametrize(
    ("row", "gated"),
    [
        ((*CELL, GATE, Pool("max"), *HEAD), 3),  # the next layer takes the factors
        ((*CELL, Residual((Conv(8), BatchNorm(), GATE)), *HEAD), "3.body.2"),  # normalization
        ((*CELL, Residual((Conv(8, activation="relu"), GATE)), *HEAD), "3.body.1"),  # convolution
        ((*CELL, GATE, Activation("tanh"), *HEAD), 3),
        ((*CELL, Residual((SeparableConv(8), GATE)), *HEAD), "3.body.1"),
        ((*CELL, Residual((DepthwiseConv(), Activation("relu"), GATE)), *HEAD), "3.body.2"),
    ],
)
@pytest.mark.parametrize("calibrated", [False, True])
def test_factors_of_a_constant_gate_move_to_other_weights(
    row: Row, gated: int | str, calibrated: bool
) -> None:
    network = network_of(*row)
    (dense,) = (i for i, each in enumerate(network.topology.layers) if each == SQUEEZED[-1])
    network = constant(network, dense, generator(3).normal(size=8))
    samples = images(50) if calibrated else None
    child = mutate(network, Mutation(operations.REMOVE_GATE, gated), calibration=samples).network
    assert not child.topology.positions(Multiply)
    np.testing.assert_allclose(predict(child, images()), predict(network, images()), rtol=1e-4)


def test_samples_tell_the_best_constant_factors() -> None:
    network = network_of(*CELL, GATE, GlobalPool(), Dense(3, "linear"))
    x = images(300)
    before, mutation = predict(network, x), Mutation(operations.REMOVE_GATE, 3)
    plain, fitted = mutate(network, mutation), mutate(network, mutation, calibration=x)
    error, least = (np.square(predict(r.network, x) - before).mean() for r in (plain, fitted))
    assert 0 < least < 0.5 * error


@pytest.mark.parametrize(
    ("row", "place", "reason"),
    [
        ((*CELL, *HEAD), 2, "no gate ends there, the layer is relu"),
        ((Parallel(((Conv(8),), (Conv(8),)), "multiply"), *HEAD), 0, "two computed images"),
        ((Parallel(((), (Conv(2),)), "multiply"), *HEAD), 0, "a factor for each pixel"),
        ((Parallel(((), ()), "multiply"), *HEAD), 0, "two computed images"),
    ],
)
def test_what_is_no_gate_is_not_removed(row: Row, place: int, reason: str) -> None:
    with pytest.raises(IllegalMutation, match=reason):
        mutate(network_of(*row), Mutation(operations.REMOVE_GATE, place))


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (0, "its normalization or activation follows"),
        (3, "the output there is flat"),
    ],
)
def test_places_where_gates_are_refused(place: int, reason: str) -> None:
    with pytest.raises(IllegalMutation, match=reason):
        mutate(network_of(*CELL, *HEAD), Mutation(operations.ADD_GATE, place))


def test_gates_need_a_cell_before_them() -> None:
    with pytest.raises(IllegalMutation, match="the layer there is rescaling"):
        mutate(network_of(Rescaling(2.0), *CELL, *HEAD), Mutation(operations.ADD_GATE, 0))


@pytest.mark.parametrize("growth", Growth)
def test_stage_with_a_new_gate_can_still_be_widened(growth: Growth) -> None:
    block = Residual((Conv(8, activation="relu"), Conv(8)))
    gated = mutate(network_of(*CELL, block, *HEAD), Mutation(operations.ADD_GATE, 3)).network
    gated = trained(gated.topology, generator(2))
    wider = mutate(gated, Mutation(operations.ADD_CHANNELS, 0, 11), growth=growth).network
    assert wider.topology.output_shapes[wider.topology.position(4)][-1] == 11
    assert_computes_the_same(wider, gated, images())


def test_noise_counts_the_scale_of_what_it_passes() -> None:
    rows = [(Dense(5, "linear"), Rescaling(scale), Dense(2, "linear")) for scale in (1.0, -2.0)]
    networks = [trained(Topology((3,), row), generator()) for row in rows]
    grown = Mutation(operations.ADD_UNITS, 0, 7)
    one, other = (mutate(network, grown, noise=0.1).noise_bound for network in networks)
    assert other == pytest.approx(2 * one)


def test_removed_layer_takes_its_scale_with_it() -> None:
    row = (Dense(5, "linear"), Rescaling(0.5, 0.3), Dense(4, "linear"), Dense(2, "linear"))
    network, x = trained(Topology((3,), row), generator()), generator(1).normal(size=(4, 3))
    child = mutate(network, Mutation(operations.REMOVE_DENSE, 0)).network
    assert child.topology.row == row[2:]
    assert_computes_the_same(child, network, x)
