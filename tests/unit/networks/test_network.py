"""Topologies, their shapes and parameters, and the networks made from them."""

from __future__ import annotations

import json
import math
import random

import numpy as np
import pytest
from hypothesis import given

from netsurgery.networks.inference import predict
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    Layer,
    Pool,
    Shape,
    conv_cell,
    layer_from_json,
)
from netsurgery.networks.network import Network, Topology, initialise
from netsurgery.networks.topologies import NAMED, build, named
from netsurgery.storage.random_streams import random_stream
from tests.support.strategies import SEEDS, TOPOLOGIES, trained

# a conv layer holds 3 * 3 * in * out weights and a bias for each of its channels, batch
# normalisation gamma and beta for each; a dense layer in * out weights and out biases
PARAMETERS = {
    "ff-small": 784 * 10 + 10 + 10 * 10 + 10,
    "ff-medium": 784 * 10 + 10 + 10 * 10 + 10 + 10 * 10 + 10,
    "ff-large": 784 * 100 + 100 + 100 * 50 + 50 + 50 * 10 + 10 + 10 * 10 + 10,
    "cnn-small": (  # 28, 14, 7, 4 pixels wide
        (9 * 1 * 3 + 3 + 2 * 3)
        + (9 * 3 * 6 + 6 + 2 * 6)
        + (9 * 6 * 9 + 9 + 2 * 9)
        + (4 * 4 * 9 * 10 + 10)
        + (10 * 10 + 10)
    ),
    "cnn-medium": (  # 28, 14, 7 pixels wide
        (9 * 1 * 3 + 3 + 2 * 3)
        + (9 * 3 * 6 + 6 + 2 * 6)
        + (7 * 7 * 6 * 10 + 10)
        + (10 * 10 + 10)
        + (10 * 10 + 10)
    ),
    "cnn-large": (  # 28, 14 pixels wide
        (9 * 1 * 3 + 3 + 2 * 3)
        + (14 * 14 * 3 * 100 + 100)
        + (100 * 50 + 50)
        + (50 * 10 + 10)
        + (10 * 10 + 10)
    ),
    "surgeon-small": 784 * 10 + 10 + 10 * 10 + 10,
    "surgeon-medium": 784 * 10 + 10 + 10 * 10 + 10 + 10 * 10 + 10 + 10 * 10 + 10,
    "surgeon-large": 784 * 300 + 300 + 300 * 100 + 100 + 100 * 100 + 100 + 100 * 10 + 10,
}


@pytest.mark.parametrize("name", NAMED)
def test_parameters_of_the_named_topologies(name: str) -> None:
    assert build(named(name), (28, 28, 1), 10).parameters == PARAMETERS[name]


def test_parameters_leave_out_the_statistics_of_batch_normalisation_and_absent_biases() -> None:
    layers = (Conv(4, kernel=2, use_bias=False), BatchNorm(), Flatten(), Dense(3, use_bias=False))
    assert Topology((5, 7, 2), layers).parameters == 2 * 2 * 2 * 4 + 2 * 4 + 5 * 7 * 4 * 3


def test_shapes_of_an_image_on_its_way_through_the_layers() -> None:
    topology = build([{"conv_cell": {"channels": 4}}, {"dense": {"units": 6}}], (5, 8, 2), 3)
    assert topology.shapes == (
        (5, 8, 2),
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


# --- building -------------------------------------------------------------------------------------


def test_hidden_layers_become_a_topology_with_flatten_and_output_layer() -> None:
    hidden: list[dict] = [
        {"conv_cell": {"channels": 8, "pooling": "max"}},
        {"dense": {"units": 32}},
    ]
    assert build(hidden, (9, 9, 3), 5) == Topology(
        (9, 9, 3),
        (
            Conv(8),
            Pool("max"),
            BatchNorm(),
            Activation("relu"),
            Flatten(),
            Dense(32, "relu"),
            Dense(5, "softmax"),
        ),
    )


def test_flat_inputs_need_no_flatten_layer_and_images_always_do() -> None:
    assert build([], (4,), 2, "linear") == Topology((4,), (Dense(2, "linear"),))
    assert build([], (4, 4, 1), 2) == Topology((4, 4, 1), (Flatten(), Dense(2, "softmax")))


@pytest.mark.parametrize(
    ("hidden", "input_shape", "message"),
    [
        ([{"conv_cell": {"channels": 3}}], (20,), "rows of 20 features"),
        ([{"dense": {"units": 3}}, {"conv_cell": {"channels": 3}}], (8, 8, 1), "before all dense"),
        ([{"dense": {"units": 3}}], (8, 0, 1), r"\(8, 0, 1\) is empty"),
    ],
)
def test_what_cannot_be_built_is_an_error(hidden: list, input_shape: Shape, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(hidden, input_shape, 2)


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
def test_an_impossible_order_of_layers_is_an_error_that_names_the_layer(
    input_shape: Shape, layers: list[Layer], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Topology(input_shape, tuple(layers))


# --- editing --------------------------------------------------------------------------------------


def test_editing_a_topology_gives_another_and_leaves_it_as_it_was() -> None:
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


def test_an_edit_that_no_layer_can_follow_is_an_error() -> None:
    topology = build(named("cnn-large"), (8, 8, 1), 2)
    with pytest.raises(ValueError, match="add a flatten layer before it"):
        topology.remove(4)


def test_the_consumer_is_the_next_layer_with_a_kernel_and_the_output_layer_has_none() -> None:
    topology = build(named("cnn-medium"), (8, 8, 1), 2)
    last = len(topology.layers) - 1
    assert [topology.consumer(i) for i in range(last)] == [4, 4, 4, 4, 9, 9, 9, 9, 9, 10, 11]
    assert topology.consumer(last) is None


# --- plain values ---------------------------------------------------------------------------------


@given(TOPOLOGIES)
def test_topologies_survive_json(topology: Topology) -> None:
    copy = Topology.from_json(json.loads(json.dumps(topology.to_json())))
    assert copy == topology
    assert copy.shapes == topology.shapes


@pytest.mark.parametrize(
    "layer",
    [
        Conv(5, 7, "relu", False),
        Pool("max", 3),
        BatchNorm(1e-5, 0.9),
        Activation("tanh"),
        Flatten(),
        Dense(4, "sigmoid", False),
    ],
    ids=lambda layer: layer.kind,
)
def test_layers_with_unusual_settings_survive_json(layer: Layer) -> None:
    spec = layer.to_json()
    assert next(iter(spec)) == "kind"
    assert layer_from_json(json.loads(json.dumps(spec))) == layer


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
def test_an_array_of_the_wrong_shape_is_an_error_that_names_the_layer(
    position: int, shapes: tuple[Shape, ...], message: str
) -> None:
    topology = build([{"conv_cell": {"channels": 4}}, {"dense": {"units": 6}}], (8, 8, 1), 3)
    wanted = topology.array_shapes
    Network(topology, arrays_of(wanted))
    with pytest.raises(ValueError, match=message):
        Network(topology, arrays_of((*wanted[:position], shapes, *wanted[position + 1 :])))


def test_arrays_for_more_or_fewer_layers_are_an_error() -> None:
    topology = Topology((2,), (Dense(3), Dense(4)))
    arrays = arrays_of(topology.array_shapes)
    for wrong in (arrays[:1], (*arrays, ())):
        with pytest.raises(ValueError, match="argument"):
            Network(topology, wrong)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_network_with_one_broken_number_is_not_finite(value: float) -> None:
    network = trained(build(named("cnn-small"), (8, 8, 1), 3), np.random.default_rng(0))
    assert network.finite
    for position, arrays in enumerate(network.weights):
        for i in range(len(arrays)):
            broken = [array.copy() for array in arrays]
            broken[i].flat[-1] = value
            assert not network.with_arrays({position: tuple(broken)}).finite
    assert network.finite


# --- fresh networks -------------------------------------------------------------------------------


def content(network: Network) -> list[list[bytes]]:
    return [[array.tobytes() for array in arrays] for arrays in network.weights]


@given(TOPOLOGIES, SEEDS)
def test_a_fresh_network_depends_on_the_generator_alone(topology: Topology, seed: int) -> None:
    one = initialise(topology, np.random.default_rng(seed))
    np.random.seed(seed)  # noqa: NPY002 - the global state that must not matter
    random.seed(seed)
    other = initialise(topology, np.random.default_rng(seed))
    assert content(one) == content(other)
    different = initialise(topology, np.random.default_rng(seed + 1))
    assert content(one) != content(different)


def test_making_a_fresh_network_draws_nothing_from_global_generators() -> None:
    def draws(topologies: list[Topology]) -> tuple[float, float]:
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)
        for topology in topologies:
            initialise(topology, np.random.default_rng(0))
        return np.random.random(), random.random()  # noqa: NPY002

    assert draws([build(named(name), (8, 8, 1), 3) for name in NAMED]) == draws([])


def test_a_generator_goes_on_from_one_network_to_the_next() -> None:
    topology = build(named("ff-small"), (6,), 3)
    rng = random_stream(0, "start")
    assert content(initialise(topology, rng)) != content(initialise(topology, rng))


@given(TOPOLOGIES, SEEDS)
def test_fresh_networks_have_glorot_kernels_zero_biases_and_neutral_batch_normalisation(
    topology: Topology, seed: int
) -> None:
    network = initialise(topology, np.random.default_rng(seed))
    assert network.topology is topology
    for layer, arrays in zip(topology.layers, network.weights, strict=True):
        assert all(array.dtype == np.float32 for array in arrays)
        if isinstance(layer, BatchNorm):
            assert [set(array) for array in arrays] == [{1}, {0}, {0}, {1}]
        elif arrays:
            kernel, *bias = arrays
            *taps, entering, leaving = kernel.shape
            limit = math.sqrt(6 / (math.prod(taps) * (entering + leaving)))
            assert np.abs(kernel).max() <= limit * (1 + 1e-6)
            assert not any(array.any() for array in bias)
            if kernel.size > 200:
                assert np.abs(kernel).max() > 0.9 * limit
                assert kernel.min() < 0 < kernel.max()


def test_a_fresh_network_gives_probabilities_behind_a_softmax() -> None:
    network = initialise(build(named("cnn-medium"), (28, 28, 1), 10), random_stream(0, "start"))
    images = np.random.default_rng(0).uniform(size=(5, 28, 28, 1))
    output = predict(network, images)
    assert output.shape == (5, 10)
    np.testing.assert_allclose(output.sum(axis=1), 1)
    assert np.ptp(output, axis=0).max() > 1e-3


# --- seeds ----------------------------------------------------------------------------------------


def test_generators_differ_by_seed_and_purpose_and_by_nothing_else() -> None:
    def first(seed: int, *purpose: str | int) -> int:
        return int(random_stream(seed, *purpose).integers(2**62))

    draws = [first(0), first(1), first(0, "a"), first(0, "a", 1), first(0, "a", 2), first(0, "b")]
    assert len(set(draws)) == len(draws)
    np.random.default_rng(0).random(10)
    assert first(0, "a", 1) == draws[3]
