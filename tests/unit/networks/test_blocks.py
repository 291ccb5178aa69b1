"""Blocks: rows of layers beside each other, as values."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given

from netsurgery.networks.blocks import Parallel, Residual
from netsurgery.networks.inference import predict
from netsurgery.networks.layers import Add, Concatenate, Conv, Dense, Flatten, Multiply
from netsurgery.networks.network import Network
from netsurgery.networks.steps import INPUT
from netsurgery.networks.topology import Topology
from tests.support.random_networks import branched, inputs, trained
from tests.support.strategies import SEEDS

BODY = (Dense(3), Dense(4, "linear"))
NESTED = Topology(
    (4,),
    (
        Dense(4),
        Residual((Residual(BODY), Dense(4, "linear"))),
        Parallel(((Dense(2),), ())),
        Dense(1),
    ),
)


def test_a_step_comes_after_those_whose_outputs_it_takes() -> None:
    assert [(str(step.layer), step.inputs) for step in NESTED.steps] == [
        ("dense 4 (relu)", (INPUT,)),
        ("dense 3 (relu)", (0,)),
        ("dense 4 (linear)", (1,)),
        ("add", (2, 0)),
        ("dense 4 (linear)", (3,)),
        ("add", (4, 0)),
        ("dense 2 (relu)", (5,)),
        ("concatenate", (6, 5)),
        ("dense 1 (relu)", (7,)),
    ]
    assert NESTED.output_shapes[-2:] == ((6,), (1,))
    assert NESTED.readers[0] == (1, 3, 5)
    assert NESTED.descendants(6) == {7, 8}


def test_places_name_layers_and_blocks() -> None:
    assert NESTED.places == (
        0,
        "1.body.0.body.0",
        "1.body.0.body.1",
        "1.body.0",
        "1.body.1",
        1,
        "2.0.0",
        2,
        3,
    )
    assert NESTED.block(3) == Residual(BODY)
    assert NESTED.block(4) is None
    with pytest.raises(KeyError):
        NESTED.position("1.shortcut.0")


@given(SEEDS)
def test_every_place_has_one_position(seed: int) -> None:
    topology = branched(np.random.default_rng(seed))
    assert [topology.position(place) for place in topology.places] == [*range(len(topology.steps))]


@given(SEEDS)
def test_blocks_survive_json(seed: int) -> None:
    topology = branched(np.random.default_rng(seed))
    assert Topology.from_json(json.loads(json.dumps(topology.to_json()))) == topology


@pytest.mark.parametrize(
    ("edited", "row"),
    [
        (NESTED.replace(1, Dense(7)).row[1], (Residual((Dense(7), BODY[1])), Dense(4, "linear"))),
        (
            NESTED.insert(4, Dense(9, "linear")).row[1],
            (Residual(BODY), Dense(9, "linear"), Dense(4, "linear")),
        ),
        (
            NESTED.append(2, Dense(4)).row[1],
            (Residual((*BODY, Dense(4))), Dense(4, "linear")),
        ),
        (NESTED.append(5, Dense(8)).row[2], Dense(8)),
        (NESTED.remove(3).row[1], Residual((Dense(4, "linear"),))),
        (NESTED.remove(5).row[1], NESTED.row[2]),
    ],
)
def test_edits_stay_in_their_row(edited: object, row: object) -> None:
    assert edited == (Residual(row) if isinstance(row, tuple) else row)


@pytest.mark.parametrize(
    ("join", "shapes", "message"),
    [
        (Add(), ((4,), (5,)), r"add needs inputs of one shape, not \(4,\) and \(5,\)"),
        (Concatenate(), ((2, 2, 1), (2, 3, 1)), "differ in their channels only"),
        (Multiply(), ((2, 2, 3), (2, 1, 3)), "or one number per channel"),
    ],
)
def test_joins_refuse_shapes_that_do_not_fit(join, shapes, message) -> None:
    with pytest.raises(ValueError, match=message):
        join.output_shape(*shapes)


def test_joins_give_the_shape_of_all_inputs() -> None:
    assert Add().output_shape((2, 3, 4), (2, 3, 4)) == (2, 3, 4)
    assert Concatenate().output_shape((2, 3, 4), (2, 3, 1)) == (2, 3, 5)
    assert Multiply().output_shape((4,), (2, 3, 4), (1, 1, 4)) == (2, 3, 4)


def layer(network: Network, position: int, x: np.ndarray) -> np.ndarray:
    kernel, bias = (array.astype(np.float64) for array in network.weights[position])
    function = network.topology.layers[position].activation_function
    return x @ kernel + bias if function == "linear" else np.maximum(x @ kernel + bias, 0)


def test_numpy_computes_rows_and_joins() -> None:
    network = trained(NESTED, np.random.default_rng(0))
    x = inputs(NESTED, np.random.default_rng(1))
    a = layer(network, 0, x)
    inner = layer(network, 2, layer(network, 1, a)) + a
    b = layer(network, 4, inner) + a
    joined = np.concatenate([layer(network, 6, b), b], axis=-1)
    np.testing.assert_allclose(predict(network, x), layer(network, 8, joined), rtol=1e-12)


def test_a_consumer_alone_reads_a_layer() -> None:
    topology = Topology(
        (4, 4, 2), (Conv(3), Residual((Conv(5, 1), Conv(3, 1))), Flatten(), Dense(2))
    )
    assert [topology.consumer(i) for i in range(4)] == [None, 2, None, 5]
