"""Dropout layers more or less."""

from __future__ import annotations

import pytest

from netsurgery.networks.blocks import Residual
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    Layer,
)
from netsurgery.networks.topology import Topology
from netsurgery.surgery import IllegalMutation, Mutation, legal_mutations, mutate, operations
from tests.support.random_networks import trained
from tests.support.surgery_helpers import assert_computes_the_same, generator

ROW = (Conv(3), BatchNorm(), Activation("relu"), Flatten(), Dense(5), Dense(2, "softmax"))
NETWORK = Topology((4, 4, 2), ROW)


def test_dropout_goes_behind_activations() -> None:
    found = legal_mutations(NETWORK, operations=[operations.ADD_DROPOUT])
    assert [mutation.position for mutation in found] == [2, 4]


@pytest.mark.parametrize(("position", "rate"), [(2, 0.2), (4, 0.5)])
def test_added_dropout_keeps_the_output_and_goes_again(position: int, rate: float) -> None:
    network = trained(NETWORK, generator())
    slots = {"momentum": tuple(arrays[:1] for arrays in network.weights)}
    added = mutate(network, Mutation(operations.ADD_DROPOUT, position), slots=slots)
    assert added.network.topology.layers[position + 1] == Dropout(rate)
    x = generator(1).normal(size=(4, 4, 4, 2))
    assert_computes_the_same(added.network, network, x)
    removal = Mutation(operations.REMOVE_DROPOUT, position + 1)
    removed = mutate(added.network, removal, slots=added.slots)
    assert removed.network.topology == NETWORK
    assert removed.network.weights == network.weights
    assert removed.slots["momentum"] == slots["momentum"]


def test_dropout_in_a_body_keeps_the_block() -> None:
    body = (Dense(4, "tanh"), Dense(3, "linear"))
    topology = Topology((3,), (Residual(body), Dense(2, "linear")))
    child = mutate(trained(topology, generator()), Mutation(operations.ADD_DROPOUT, "0.body.0"))
    assert child.network.topology.row[0] == Residual((body[0], Dropout(0.5), body[1]))


@pytest.mark.parametrize(
    ("row", "position", "reason"),
    [
        (ROW, 0, "dropout goes behind an activation, and the layer there is conv 3"),
        (ROW, 5, "the layer there is dense 2"),
        ((*ROW[:5], Dense(2, "sigmoid")), 5, "it is the output layer"),
        ((Flatten(), Dense(5), Dropout(0.1), Dense(2)), 1, "dropout follows already"),
        ((Flatten(), Dense(5), BatchNorm(), Dense(2)), 1, "falsify the variance"),
    ],
)
def test_places_where_dropout_is_refused(
    row: tuple[Layer, ...], position: int, reason: str
) -> None:
    network = trained(Topology((4, 4, 2), row), generator())
    with pytest.raises(IllegalMutation, match=reason):
        mutate(network, Mutation(operations.ADD_DROPOUT, position))
