"""Networks as `.keras` files: the same model gives the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given

from netsurgery.keras_io import archive, conversion
from netsurgery.networks.layers import Activation, BatchNorm, Conv, Dense, Flatten, Pool
from netsurgery.networks.network import Network, initialise
from netsurgery.networks.topologies import build, named
from netsurgery.networks.topology import Topology
from netsurgery.storage.files import sha256
from tests.support.keras_models import FEW, OF_ALL_KINDS, batch, compiled, content, example
from tests.support.strategies import Example, trained


@FEW
@given(OF_ALL_KINDS)
def test_network_round_trips_to_the_byte(tmp_path: Path, pair: Example) -> None:
    network, _ = pair
    path = tmp_path / "network.keras"
    archive.save(conversion.to_keras(network), path)
    copy = conversion.from_keras(archive.load(path))
    assert copy.topology == network.topology
    assert content(copy) == content(network)


def test_unusual_layer_settings_round_trip(tmp_path: Path) -> None:
    layers = (
        Conv(3, 5, "relu", False),
        Pool("max", 3),
        BatchNorm(1e-2, 0.9),
        Activation("tanh"),
        Flatten(),
        Dense(4, "leaky_relu", False),
        Dense(2, "sigmoid"),
    )
    network = trained(Topology((8, 7, 2), layers), np.random.default_rng(0))
    archive.save(conversion.to_keras(network), tmp_path / "network.keras")
    copy = conversion.from_keras(archive.load(tmp_path / "network.keras"))
    assert copy.topology == network.topology
    assert content(copy) == content(network)


def test_saving_replaces_the_file_atomically(tmp_path: Path) -> None:
    path = tmp_path / "network.keras"
    path.write_bytes(b"something older")
    archive.save(conversion.to_keras(example()), path)
    assert os.listdir(tmp_path) == ["network.keras"]
    assert content(conversion.from_keras(archive.load(path))) == content(example())


def test_compiled_model_keeps_its_optimizer_state(tmp_path: Path) -> None:
    network = example()
    model, path = compiled(network), tmp_path / "network.keras"
    x, y = batch(network)
    for _ in range(3):
        model.train_on_batch(x, y)
    archive.save(model, path)
    copy = archive.load(path)
    assert int(copy.optimizer.iterations) == 3
    state = [np.asarray(variable) for variable in model.optimizer.variables]
    found = [np.asarray(variable) for variable in copy.optimizer.variables]
    assert any(array.ndim > 1 and array.any() for array in state)  # momentum
    for ours, theirs in zip(state, found, strict=True):
        np.testing.assert_array_equal(theirs, ours)
    for trained_on in (model, copy):
        trained_on.train_on_batch(x, y)
    for ours, theirs in zip(model.weights, copy.weights, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-5, atol=1e-6)


def save_example(path: Path) -> None:
    """Save a compiled model with random weights; also run in a separate process."""
    network = initialise(build(named("cnn-small"), (9, 9, 1), 3), np.random.default_rng(5))
    archive.save(compiled(network), path)


@pytest.mark.parametrize("make", [conversion.to_keras, compiled])
def test_same_model_gives_the_same_file(
    tmp_path: Path, make: Callable[[Network], keras.Sequential]
) -> None:
    paths = [tmp_path / f"{name}.keras" for name in ("once", "twice", "made-again", "loaded")]
    model = make(example())
    archive.save(model, paths[0])
    archive.save(model, paths[1])
    archive.save(make(example()), paths[2])
    archive.save(archive.load(paths[0]), paths[3])
    assert len({sha256(path) for path in paths}) == 1


def test_another_process_writes_the_same_file(tmp_path: Path) -> None:
    here, there = tmp_path / "here.keras", tmp_path / "there.keras"
    code = (
        "import pathlib, sys, tests.unit.keras_io.test_archive as test\n"
        "test.save_example(pathlib.Path(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run(
        [sys.executable, "-c", code, str(there)],
        env={**environment, "PYTHONHASHSEED": "7"},
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    save_example(here)
    assert here.read_bytes() == there.read_bytes()


def test_file_contains_no_dates(tmp_path: Path) -> None:
    archive.save(compiled(example()), tmp_path / "network.keras")
    with zipfile.ZipFile(tmp_path / "network.keras") as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"date_saved" not in file.read("metadata.json")


def test_file_that_would_execute_code_is_refused(tmp_path: Path) -> None:
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2), keras.layers.Dense(2)]
    )
    model.save(tmp_path / "lambda.keras")
    with pytest.raises(ValueError, match=r"(?i)unsafe|safe_mode"):
        archive.load(tmp_path / "lambda.keras")
