"""Topologies, their shapes and parameters, and networks."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from hypothesis import given

from netsurgery.networks.inference import predict
from netsurgery.networks.layers import (
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    Layer,
    Pool,
    Shape,
    conv_cell,
)
from netsurgery.networks.network import Network, initialise
from netsurgery.networks.topologies import NAMED, build, named
from netsurgery.networks.topology import Topology
from netsurgery.storage.random_streams import random_stream
from tests.support.strategies import SEEDS, TOPOLOGIES, trained


def test_only_trainable_arrays_count_as_parameters() -> None:
    layers = (Conv(4, kernel=2, use_bias=False), BatchNorm(), Flatten(), Dense(3, use_bias=False))
    assert Topology((5, 7, 2), layers).parameters == 2 * 2 * 2 * 4 + 2 * 4 + 5 * 7 * 4 * 3


def test_shapes_follow_the_layers() -> None:
    topology = build([{"conv_cell": {"channels": 4}}, {"dense": {"units": 6}}], (5, 8, 2), 3)
    assert topology.output_shapes == (
        (5, 8, 4),
        *[(3, 4, 4)] * 3,
        (48,),
        (6,),
        (3,),
    )
    assert topology.array_shapes == (
        ((3, 3, 2, 4), (4,)),
        (),
        ((4,),) * 4,
        (),
        (),
        ((48, 6), (6,)),
        ((6, 3), (3,)),
    )


@pytest.mark.parametrize(
    ("input_shape", "layers", "message"),
    [
        ((20,), [Conv(7)], r"conv 7 \(3x3\) needs .* not \(20,\)"),
        ((20,), [Pool("max")], r"max pool 2x2 needs .* not \(20,\)"),
        ((8, 8, 1), [Flatten(), *conv_cell(5)], r"conv 5 \(3x3\) needs .* not \(64,\)"),
        ((8, 8, 1), [Dense(5)], r"dense 5 \(relu\) needs .* not \(8, 8, 1\): add a flatten"),
        ((8, 8, 1), [*conv_cell(2), Dense(6)], r"dense 6 \(relu\) needs .* not \(4, 4, 2\)"),
    ],
)
def test_impossible_order_of_layers_names_the_layer(
    input_shape: Shape, layers: list[Layer], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Topology(input_shape, tuple(layers))


# --- editing --------------------------------------------------------------------------------------


def test_edits_return_a_new_topology() -> None:
    topology = Topology((4,), (Dense(5), Dense(6), Dense(7)))
    assert topology.replace(1, Dense(9)).layers == (Dense(5), Dense(9), Dense(7))
    assert topology.insert(1, Dense(8), Dense(9)).layers == (
        Dense(5),
        Dense(8),
        Dense(9),
        Dense(6),
        Dense(7),
    )
    assert topology.remove(0, 2).layers == (Dense(7),)
    assert topology == Topology((4,), (Dense(5), Dense(6), Dense(7)))


def test_edit_with_an_unacceptable_shape_is_an_error() -> None:
    topology = build(named("cnn-large"), (8, 8, 1), 2)
    with pytest.raises(ValueError, match="add a flatten layer before it"):
        topology.remove(4)


def test_consumer_is_the_next_layer_with_a_kernel() -> None:
    topology = build(named("cnn-medium"), (8, 8, 1), 2)
    last = len(topology.layers) - 1
    assert [topology.consumer(i) for i in range(last)] == [4, 4, 4, 4, 9, 9, 9, 9, 9, 10, 11]
    assert topology.consumer(last) is None


# --- JSON ---------------------------------------------------------------------------------


@given(TOPOLOGIES)
def test_topologies_survive_json(topology: Topology) -> None:
    copy = Topology.from_json(json.loads(json.dumps(topology.to_json())))
    assert copy == topology
    assert copy.output_shapes == topology.output_shapes


# --- arrays ---------------------------------------------------------------------------------------


def arrays_of(shapes: tuple[tuple[Shape, ...], ...]) -> tuple[tuple[np.ndarray, ...], ...]:
    return tuple(tuple(np.zeros(shape, np.float32) for shape in layer) for layer in shapes)


@pytest.mark.parametrize(
    ("position", "shapes", "message"),
    [
        (0, ((3, 3, 2, 4), (4,)), r"layer 0 \(conv 4 \(3x3\)\)"),
        (0, ((3, 3, 1, 4),), r"layer 0 \(conv 4 \(3x3\)\)"),
        (1, ((4,),), r"layer 1 \(average pool 2x2\)"),
        (2, ((4,),) * 3, r"layer 2 \(batch norm\)"),
        (2, ((4,), (4,), (5,), (4,)), r"layer 2 \(batch norm\)"),
        (5, ((6, 64), (6,)), r"layer 5 \(dense 6 \(relu\)\)"),
        (6, ((6, 3), (1, 3)), r"layer 6 \(dense 3 \(softmax\)\)"),
    ],
)
def test_array_of_the_wrong_shape_names_the_layer(
    position: int, shapes: tuple[Shape, ...], message: str
) -> None:
    topology = build([{"conv_cell": {"channels": 4}}, {"dense": {"units": 6}}], (8, 8, 1), 3)
    wanted = topology.array_shapes
    Network(topology, arrays_of(wanted))
    with pytest.raises(ValueError, match=message):
        Network(topology, arrays_of((*wanted[:position], shapes, *wanted[position + 1 :])))


def test_wrong_number_of_array_tuples_is_an_error() -> None:
    topology = Topology((2,), (Dense(3), Dense(4)))
    arrays = arrays_of(topology.array_shapes)
    for wrong in (arrays[:1], (*arrays, ())):
        with pytest.raises(ValueError, match="argument"):
            Network(topology, wrong)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_network_with_one_nan_is_not_finite(value: float) -> None:
    network = trained(build(named("cnn-small"), (8, 8, 1), 3), np.random.default_rng(0))
    assert network.finite
    for position, arrays in enumerate(network.weights):
        for i in range(len(arrays)):
            broken = [array.copy() for array in arrays]
            broken[i].flat[-1] = value
            assert not network.with_arrays({position: tuple(broken)}).finite
    assert network.finite


# --- initial networks -----------------------------------------------------------------------------


def content(network: Network) -> list[list[bytes]]:
    return [[array.tobytes() for array in arrays] for arrays in network.weights]


@given(TOPOLOGIES, SEEDS)
def test_initial_network_depends_on_the_generator_alone(topology: Topology, seed: int) -> None:
    one = initialise(topology, np.random.default_rng(seed))
    np.random.seed(seed)  # noqa: NPY002 - the global state that must not matter
    random.seed(seed)
    other = initialise(topology, np.random.default_rng(seed))
    assert content(one) == content(other)
    different = initialise(topology, np.random.default_rng(seed + 1))
    assert content(one) != content(different)


def test_initialization_uses_no_global_generator() -> None:
    def draws(topologies: list[Topology]) -> tuple[float, float]:
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)
        for topology in topologies:
            initialise(topology, np.random.default_rng(0))
        return np.random.random(), random.random()  # noqa: NPY002

    assert draws([build(named(name), (8, 8, 1), 3) for name in NAMED]) == draws([])


def test_one_generator_gives_different_networks() -> None:
    topology = build(named("ff-small"), (6,), 3)
    rng = random_stream(0, "start")
    assert content(initialise(topology, rng)) != content(initialise(topology, rng))


def test_softmax_outputs_are_probabilities() -> None:
    network = initialise(build(named("cnn-medium"), (28, 28, 1), 10), random_stream(0, "start"))
    images = np.random.default_rng(0).uniform(size=(5, 28, 28, 1))
    output = predict(network, images)
    assert output.shape == (5, 10)
    np.testing.assert_allclose(output.sum(axis=1), 1)
    assert np.ptp(output, axis=0).max() > 1e-3
