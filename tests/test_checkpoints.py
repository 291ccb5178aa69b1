"""Candidates' files: those that Keras writes, without Keras."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from netsurgery import checkpoints, keras_files
from netsurgery.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    Pool,
    Rescaling,
)
from netsurgery.network import Network, Topology
from netsurgery.topologies import build, named
from netsurgery.training import Learner, compile_model
from tests.strategies import trained

SETTINGS = {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9, "loss": "crossentropy"}
ADAM = SETTINGS | {"optimizer": "adam", "momentum": 0}
REGRESSION = SETTINGS | {"loss": "huber", "optimizer": "rmsprop", "momentum": 0.5}
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
    (build(named("ff-large"), (12,), 3, "linear"), SETTINGS | {"momentum": 0}),
    (build(named("ff-small"), (12,), 2, "linear"), REGRESSION),
    (Topology((8, 8, 1), LAYERS), SETTINGS),
    (Topology((4, 2), (Flatten(), Dense(3, "softmax"))), ADAM | {"optimizer": "adamw"}),
]


def example(topology: Topology) -> Network:
    return trained(topology, np.random.default_rng(0))


def written(learner: Learner, path: Path) -> Path:
    checkpoints.write(path, learner.checkpoint, learner.compiled)
    return path


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def same(some: list[np.ndarray], others: list[np.ndarray]) -> None:
    for one, other in zip(some, others, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("topology", "settings"), CASES)
def test_the_file_is_the_one_that_keras_writes(topology, settings, tmp_path):
    network = example(topology)
    ours = parts(written(Learner(network, settings), tmp_path / "ours.keras"))
    model = keras_files.to_keras(network)
    compile_model(model, settings)
    keras_files.save(model, tmp_path / "keras.keras")
    theirs = parts(tmp_path / "keras.keras")
    assert list(ours) == list(theirs)
    for name in ("metadata.json", "config.json"):
        assert json.loads(ours[name]) == json.loads(theirs[name])


@pytest.mark.parametrize(("topology", "settings"), CASES)
def test_keras_loads_it_with_its_weights_and_its_optimizer(topology, settings, tmp_path):
    learner = Learner(example(topology), settings)
    learner.optimizer.iterations.assign(7)
    state = [v.assign(v + 1) for v in learner.optimizer.variables[2:]]
    model = keras.models.load_model(written(learner, tmp_path / "a.keras"))
    arrays = [array for own in learner.network.weights for array in own]
    found = [a for own in keras_files.from_keras(model).weights for a in own]
    same(arrays, found)
    assert int(model.optimizer.iterations) == 7
    assert len(model.optimizer.variables) == 2 + len(state)
    same(list(learner.state), [v.numpy() for v in model.optimizer.variables])


@pytest.mark.parametrize(("topology", "settings"), CASES)
def test_what_was_written_is_read(topology, settings, tmp_path):
    learner = Learner(example(topology), settings)
    read = checkpoints.read(written(learner, tmp_path / "a.keras"), topology)
    for one, other in zip(read.network.weights, learner.network.weights, strict=True):
        same(list(one), list(other))
    same(list(read.state), list(learner.state))


def test_the_same_candidate_gives_the_same_bytes(tmp_path):
    topology, settings = CASES[0]
    one, other = (
        written(Learner(example(topology), settings), tmp_path / f"{name}.keras") for name in "ab"
    )
    assert one.read_bytes() == other.read_bytes()


def test_a_file_that_keras_wrote_is_read(tmp_path):
    topology, settings = CASES[0]
    network = example(topology)
    model = keras_files.to_keras(network)
    compile_model(model, settings)
    keras_files.save(model, tmp_path / "a.keras")
    read = checkpoints.read(tmp_path / "a.keras", topology)
    for one, other in zip(read.network.weights, network.weights, strict=True):
        same(list(one), list(other))
