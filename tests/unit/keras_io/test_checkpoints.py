"""Checkpoints written without Keras equal the files that Keras writes."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from netsurgery.keras_io import archive, checkpoints, conversion
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    ClippedReLU,
    Conv,
    Cropping,
    Dense,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalPool,
    LayerNorm,
    OnePixel,
    Pool,
    PReLU,
    Rescaling,
    SeparableConv,
    ZeroPadding,
)
from netsurgery.networks.network import Network
from netsurgery.networks.topologies import build, named
from netsurgery.networks.topology import Topology
from netsurgery.objectives.training_settings import CompileSettings
from netsurgery.training import TrainableNetwork, compile_model
from tests.support.random_networks import branched, trained, with_several_inputs

SETTINGS = CompileSettings("sgd", learning_rate=0.1, momentum=0.9, loss="crossentropy")
ADAM = replace(SETTINGS, optimizer="adam", momentum=0)
REGRESSION = replace(SETTINGS, loss="huber", optimizer="rmsprop", momentum=0.5)
WIDE = [{"dense": {"units": 60}}, {"dense": {"units": 70}}]  # 4,800 numbers, 4,200, and few
LAYERS = (
    Rescaling(0.5),
    Conv(4, use_bias=False),
    Pool("max"),
    BatchNorm(scale=False),
    Activation("leaky_relu", 0.3),
    Conv(5),
    GlobalPool(),
    Dense(6, "tanh"),
    Dense(3, "linear"),
)
CASES = [
    (build(named("cnn-medium"), (9, 10, 2), 4), SETTINGS),
    (build(named("cnn-medium"), (9, 10, 2), 4), ADAM),
    (build(named("ff-large"), (12,), 3, "linear"), replace(SETTINGS, momentum=0)),
    (build(named("ff-small"), (12,), 2, "linear"), REGRESSION),
    (Topology((8, 8, 1), LAYERS), SETTINGS),
    (build(WIDE, (80,), 5), ADAM),
    (build(WIDE, (80,), 5), replace(REGRESSION, loss="crossentropy")),
    (Topology((4, 2), (Flatten(), Dense(3, "softmax"))), replace(ADAM, optimizer="adamw")),
]

IMAGE = (
    Dropout(0.5),
    Conv(4),
    Dropout(0.2, (1, 2)),
    SeparableConv(4),
    PReLU(),
    ZeroPadding(((1, 0), (1, 1))),
    DepthwiseConv(),
    LayerNorm(),
    ClippedReLU(2.0),
    Cropping(((1, 0), (0, 0))),
    GlobalPool(keep_sides=True),
    OnePixel(0),
    Dense(3, "softmax"),
)
SERIES = (
    Conv(4, padding="causal"),
    Dropout(0.2, (1,)),
    SeparableConv(4, dilation=2),
    PReLU(),
    DepthwiseConv(),
    ZeroPadding(((1, 0),)),
    Pool(),
    Flatten(),
    Dense(3, "softmax"),
)
CASES += [(Topology((8, 8, 2), IMAGE), ADAM), (Topology((8, 2), SERIES), SETTINGS)]

BRANCHED = [branched(np.random.default_rng(seed)) for seed in (4, 5, 8)]  # not in order in Keras
BRANCHED.append(with_several_inputs(np.random.default_rng(3)))
CASES += [(topology, ADAM if seed else SETTINGS) for seed, topology in enumerate(BRANCHED)]


def example(topology: Topology) -> Network:
    return trained(topology, np.random.default_rng(0))


def written(learner: TrainableNetwork, path: Path) -> Path:
    archive.write_checkpoint(path, learner.checkpoint, learner.compile_arguments)
    return path


def remember(learner: TrainableNetwork) -> None:
    """Set the slots of an optimizer to random values."""
    drawn = np.random.default_rng(1)
    for variable in learner.optimizer.variables:
        if len(variable.shape):
            variable.assign(drawn.normal(size=variable.shape))
    learner.optimizer.iterations.assign(7)


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def same(some: list[np.ndarray], others: list[np.ndarray]) -> None:
    for one, other in zip(some, others, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("topology", "settings"), CASES)
def test_checkpoint_is_the_file_that_keras_writes(topology, settings, tmp_path):
    network = example(topology)
    ours = parts(written(TrainableNetwork(network, settings), tmp_path / "ours.keras"))
    model = conversion.to_keras(network)
    compile_model(model, settings)
    archive.save(model, tmp_path / "keras.keras")
    theirs = parts(tmp_path / "keras.keras")
    assert list(ours) == list(theirs)
    for name in ("metadata.json", "config.json"):
        assert json.loads(ours[name]) == json.loads(theirs[name])


@pytest.mark.parametrize(("topology", "settings"), CASES)
def test_keras_loads_weights_and_optimizer(topology, settings, tmp_path):
    learner = TrainableNetwork(example(topology), settings)
    remember(learner)
    model = keras.models.load_model(written(learner, tmp_path / "a.keras"))
    for position, arrays in enumerate(learner.network.weights):
        name = checkpoints.layer_name(topology, position)
        same(list(arrays), model.get_layer(name).get_weights())
    assert int(model.optimizer.iterations) == 7
    same(list(learner.optimizer_state.values), [v.numpy() for v in model.optimizer.variables])


@pytest.mark.parametrize("topology", BRANCHED)
def test_keras_finds_the_slots_of_each_weight(topology, tmp_path):
    learner = TrainableNetwork(example(topology), SETTINGS)
    counts = zip(learner.network.weights, learner.trainable_counts, strict=True)
    arrays = [layer[:n] for layer, n in counts]
    learner.restore_slots({"momentum": tuple(arrays)}, steps=1)
    optimizer = keras.models.load_model(written(learner, tmp_path / "a.keras")).optimizer
    same(optimizer._trainable_variables, optimizer.momentums)


@pytest.mark.parametrize(("topology", "settings"), CASES)
def test_checkpoint_round_trips(topology, settings, tmp_path):
    learner = TrainableNetwork(example(topology), settings)
    remember(learner)
    read = checkpoints.read(written(learner, tmp_path / "a.keras"), topology)
    for one, other in zip(read.network.weights, learner.network.weights, strict=True):
        same(list(one), list(other))
    same(list(read.state), list(learner.optimizer_state.values))
    again = TrainableNetwork(read.network, settings, read.state)
    for one, other in zip(again.optimizer.variables, learner.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, other)
    for name, layers in again.slots.items():
        shapes = [[array.shape for array in own] for own in layers]
        trainable = zip(topology.layers, topology.array_shapes, strict=True)
        assert shapes == [list(own[: layer.trainable_arrays]) for layer, own in trainable], name


@pytest.mark.parametrize(
    ("make", "seed"),
    [(make, seed) for make in (branched, with_several_inputs) for seed in range(20)],
)
def test_layers_are_in_keras_order(make, seed):
    topology = make(np.random.default_rng(seed))
    model = conversion.to_keras(example(topology))
    order = checkpoints.order_in_keras(topology)
    names = [checkpoints.layer_name(topology, position) for position in order]
    assert names == [layer.name for layer in model.layers if layer.name != "input"]


def test_same_candidate_gives_the_same_bytes(tmp_path):
    topology, settings = CASES[0]
    one, other = (
        written(TrainableNetwork(example(topology), settings), tmp_path / f"{name}.keras")
        for name in "ab"
    )
    assert one.read_bytes() == other.read_bytes()


def test_file_written_by_keras_is_read(tmp_path):
    topology, settings = CASES[0]
    network = example(topology)
    model = conversion.to_keras(network)
    compile_model(model, settings)
    archive.save(model, tmp_path / "a.keras")
    read = checkpoints.read(tmp_path / "a.keras", topology)
    for one, other in zip(read.network.weights, network.weights, strict=True):
        same(list(one), list(other))
