"""A new operation is one class and one entry in the registry: nothing else needs to change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from netsurgery.keras_io import conversion, model_surgery
from netsurgery.networks.layers import Dense
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import (
    IllegalMutation,
    Mutation,
    Operation,
    legal_mutations,
    mutate,
    mutate_topology,
    operations,
)
from netsurgery.surgery.operations import legality
from netsurgery.surgery.weight_transfer import Origin, WeightTransfer, replaced, unchanged
from tests.support.strategies import trained
from tests.support.surgery_helpers import CELLS, assert_computes_the_same, generator


class ReverseUnits(Operation):
    """Reverse the order of a hidden layer's units; exact."""

    name = "reverse_units"
    label = "reversed units"
    takes_width = False

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        return legality.not_hidden_dense(topology, position)

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        return topology

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        order = np.arange(child.output_shapes[position][-1])[::-1]
        consumer = network.topology.consumer(position)
        assert consumer is not None
        moved = {
            position: Origin(position, outputs=order),
            consumer: Origin(consumer, inputs=order),
        }
        return WeightTransfer(child, replaced(unchanged(len(child.layers)), moved), {})

    def is_exact(self, topology: Topology, position: int) -> bool:
        return True


@pytest.fixture
def reverse(monkeypatch: pytest.MonkeyPatch) -> Operation:
    operation = ReverseUnits()
    monkeypatch.setattr(operations, "OPERATIONS", (*operations.OPERATIONS, operation))
    return operation


def test_new_operation_is_found_by_name(reverse: Operation) -> None:
    mutation = Mutation(reverse, 9)
    assert mutation.to_json()["operation"] == "reverse_units"
    assert Mutation.from_json(mutation.to_json()) == mutation


def test_new_operation_is_listed_where_it_is_legal(reverse: Operation) -> None:
    found = legal_mutations(CELLS, operations=[reverse])
    assert found == [Mutation(reverse, 9), Mutation(reverse, 10)]
    with pytest.raises(IllegalMutation, match="output layer, which never changes; legal at 9, 10"):
        mutate_topology(CELLS, Mutation(reverse, 11))
    with pytest.raises(IllegalMutation, match="takes no width"):
        mutate_topology(CELLS, Mutation(reverse, 9, 4))


def test_new_operation_moves_weights_and_slots(reverse: Operation) -> None:
    network = trained(CELLS, generator())
    slots = {"momentum": tuple(arrays[:1] for arrays in network.weights)}
    result = mutate(network, Mutation(reverse, 10), slots=slots)
    np.testing.assert_array_equal(result.network.weights[10][0], network.weights[10][0][:, ::-1])
    np.testing.assert_array_equal(result.slots["momentum"][11][0], slots["momentum"][11][0][::-1])
    x = generator(1).normal(size=(4, *CELLS.input_shape))
    assert_computes_the_same(result.network, network, x)


def test_new_operation_applies_to_keras_models(reverse: Operation) -> None:
    topology = Topology((4,), (Dense(5), replace(Dense(3), activation="linear")))
    model = conversion.to_keras(trained(topology, generator()))
    (legal,) = model_surgery.list_mutations(model, [reverse])
    result = model_surgery.apply(model, legal.mutation)
    assert result.summary.startswith("reverse_units at 0: dense 5 (relu)")
    assert legal.exact


def test_unknown_operation_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown operation 'explode': expected one of identity,"):
        operations.by_name("explode")
