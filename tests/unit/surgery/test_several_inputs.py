"""What surgery does in the rows of several inputs, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest

from netsurgery.networks.blocks import Parallel, Row
from netsurgery.networks.inference import predict
from netsurgery.networks.layers import Dense, Flatten, GlobalPool, conv_cell, input_parts
from netsurgery.networks.topology import Topology
from netsurgery.surgery import OPERATIONS, Mutation, legal_mutations, mutate, operations
from netsurgery.surgery.mutations import legal_children, why_illegal
from tests.support.random_networks import inputs, trained, with_several_inputs
from tests.support.surgery_helpers import generator

IMAGE, ROW = input_parts({"image": (8, 8, 3), "row": (5,)})
HEADS: dict[str, Row] = {
    "pooled": (GlobalPool(),),
    "flat": (Flatten(),),
    "dense": (Flatten(), Dense(6)),
}


def network(head: str) -> Topology:
    image = (IMAGE, *conv_cell(4), *conv_cell(6), *HEADS[head])
    return Topology((ROW.stop,), (Parallel((image, (ROW, Dense(4)))), Dense(3)))


def places(topology: Topology, name: str) -> list[int | str | None]:
    operation = next(each for each in OPERATIONS if each.name == name)
    return [m.position for m in legal_mutations(topology, operations=[operation])]


def test_a_row_with_an_input_stays() -> None:
    removals = [operation for operation in OPERATIONS if operation.is_removal]
    for seed in range(10):
        topology = with_several_inputs(generator(seed))
        for _, child in legal_children(topology, operations=removals):
            assert child.inputs == topology.inputs
    reason = why_illegal(network("dense"), Mutation(operations.REMOVE_BRANCH, "0.1.1"))
    assert reason == "each input of the network needs one layer that takes it"


@pytest.mark.parametrize(
    ("head", "added", "removed"),
    [
        ("pooled", ["0.0.1", "0.0.5", "0.0.9"], ["0.0.1"]),
        ("flat", [], []),
        ("dense", ["0.0.1", "0.0.5", "0.0.9"], ["0.0.1", "0.0.5"]),
    ],
)
def test_conv_cells_change_where_the_size_of_the_image_may(
    head: str, added: list[str], removed: list[str]
) -> None:
    topology = network(head)
    assert places(topology, "add_conv_cell") == added
    assert places(topology, "remove_conv_cell") == removed
    for name in ("add_conv_cell", "remove_conv_cell"):
        for place in places(topology, name):
            operation = next(each for each in OPERATIONS if each.name == name)
            rng = generator()
            parent = trained(topology, rng)
            child = mutate(parent, Mutation(operation, place), rng).network
            assert np.isfinite(predict(child, inputs(topology, rng))).all()


def test_each_row_has_a_first_dense_layer() -> None:
    assert places(network("dense"), "add_dense") == [1]
    reason = why_illegal(network("dense"), Mutation(operations.ADD_DENSE, "0.1.1"))
    assert reason == "it is the first dense layer: new ones go after it"


def test_joined_outputs_are_named() -> None:
    reason = why_illegal(network("pooled"), Mutation(operations.REMOVE_CONV_CELL, "0.0.5"))
    assert reason == "the concatenate at 0 joins its outputs with others"


def test_an_input_that_no_layer_takes_is_refused() -> None:
    with pytest.raises(ValueError, match="each input of the network needs one layer"):
        Topology((ROW.stop,), (Parallel(((IMAGE, Flatten()),)), Dense(3)))
