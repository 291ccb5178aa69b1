"""Networks as Keras models and as files: the same numbers, the same bytes."""

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
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from netsurgery.keras_io import conversion
from netsurgery.networks.inference import predict
from netsurgery.networks.layers import Activation, BatchNorm, Conv, Dense, Flatten, Pool
from netsurgery.networks.network import Network, Topology, initialise
from netsurgery.networks.topologies import build, named
from netsurgery.storage.files import sha256
from tests.support.strategies import Example, inputs, networks, topologies, trained

# a Keras model takes a tenth of a second to build: few examples, and no search for a smaller one
FEW = settings(
    max_examples=12,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # one folder serves them all
)
OUTPUTS = st.sampled_from(["softmax", "linear"])
OF_ALL_KINDS = networks(topologies(output_activations=OUTPUTS))
KINDS = {
    Conv: {"Conv2D"},
    Pool: {"AveragePooling2D", "MaxPooling2D"},
    BatchNorm: {"BatchNormalization"},
    Activation: {"Activation", "LeakyReLU"},
    Flatten: {"Flatten"},
    Dense: {"Dense"},
}


def content(network: Network) -> list[list[tuple[np.dtype, bytes]]]:
    return [[(array.dtype, array.tobytes()) for array in arrays] for arrays in network.weights]


def example() -> Network:
    return trained(build(named("cnn-medium"), (9, 10, 2), 4), np.random.default_rng(0))


def compiled(network: Network) -> keras.Sequential:
    model = conversion.to_keras(network)
    model.compile(
        optimizer=keras.optimizers.SGD(0.1, momentum=0.9, name="optimizer"),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.optimizer.build(model.trainable_variables)
    return model


def batch(network: Network) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x = inputs(network.topology, rng, batch=16).astype(np.float32)
    return x, rng.integers(network.topology.shapes[-1][0], size=16)


# --- models ---------------------------------------------------------------------------------------


@FEW
@given(OF_ALL_KINDS)
def test_keras_predicts_what_the_network_computes(pair: Example) -> None:
    network, x = pair
    model = conversion.to_keras(network)
    found = model.predict(x.astype(np.float32), verbose=0)
    np.testing.assert_allclose(found, predict(network, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("function", ["average", "max"])
@pytest.mark.parametrize("image", [(1, 1), (1, 6), (7, 5), (8, 3)])
def test_keras_pools_odd_images_like_the_network(function: str, image: tuple[int, int]) -> None:
    layers = (Pool(function), Pool(function), Flatten(), Dense(3, "linear"))
    network = trained(Topology((*image, 2), layers), np.random.default_rng(0))
    x = inputs(network.topology, np.random.default_rng(1)) - 2  # padding must not count
    found = conversion.to_keras(network)(x.astype(np.float32), training=False)
    np.testing.assert_allclose(found, predict(network, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "activation", ["linear", "relu", "leaky_relu", "sigmoid", "tanh", "softmax"]
)
def test_keras_knows_the_activations_as_the_network_does(activation: str) -> None:
    layers = (
        Conv(3, activation=activation),
        Activation(activation),
        Flatten(),
        Dense(4, activation),
    )
    network = trained(Topology((4, 4, 2), layers), np.random.default_rng(0))
    x = inputs(network.topology, np.random.default_rng(1))
    model = conversion.to_keras(network)
    found = model(x.astype(np.float32), training=False)
    np.testing.assert_allclose(found, predict(network, x), rtol=1e-4, atol=1e-5)
    assert conversion.from_keras(model).topology == network.topology


@FEW
@given(OF_ALL_KINDS)
def test_positions_are_indices_into_the_layers_of_the_model(pair: Example) -> None:
    network, _ = pair
    model = conversion.to_keras(network)
    for i, (layer, arrays) in enumerate(zip(network.topology.layers, network.weights, strict=True)):
        assert type(model.layers[i]).__name__ in KINDS[type(layer)]
        assert model.layers[i].name == f"{layer.kind}_{i}"
        assert model.layers[i].output.shape[1:] == network.topology.shapes[i + 1]
        for ours, theirs in zip(arrays, model.layers[i].get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert len(model.layers) == len(network.topology.layers)
    assert network.topology.parameters == sum(
        int(np.prod(w.shape)) for w in model.trainable_weights
    )


def test_a_changed_model_does_not_change_the_network_it_came_from_or_gave() -> None:
    network = example()
    model = compiled(network)
    taken = conversion.from_keras(model)
    before = content(network)
    model.train_on_batch(*batch(network))
    assert content(network) == content(taken) == before
    assert content(conversion.from_keras(model)) != before


def test_a_layer_that_surgery_does_not_know_is_kept_as_it_is() -> None:
    hidden = keras.layers.LayerNormalization(name="normed")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), hidden])
    network = conversion.from_keras(model)
    assert network.topology.parameters == model.count_params()
    copy = conversion.to_keras(network)
    assert copy.layers[1].get_config() == hidden.get_config()
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    np.testing.assert_array_equal(copy(x), model(x))


def test_only_sequential_models_of_known_input_are_taken() -> None:
    entering = keras.Input((4,))
    branched = keras.Model(entering, keras.layers.Dense(2)(entering))
    with pytest.raises(ValueError, match="only sequential"):
        conversion.from_keras(branched)
    with pytest.raises(ValueError, match="shape of its input"):
        conversion.from_keras(keras.Sequential([keras.layers.Dense(2)]))


# --- files ----------------------------------------------------------------------------------------


@FEW
@given(OF_ALL_KINDS)
def test_a_network_comes_back_from_its_file_to_the_byte(tmp_path: Path, pair: Example) -> None:
    network, _ = pair
    path = tmp_path / "network.keras"
    conversion.save(conversion.to_keras(network), path)
    copy = conversion.from_keras(conversion.load(path))
    assert copy.topology == network.topology
    assert content(copy) == content(network)


def test_unusual_settings_of_layers_come_back_from_a_file(tmp_path: Path) -> None:
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
    conversion.save(conversion.to_keras(network), tmp_path / "network.keras")
    copy = conversion.from_keras(conversion.load(tmp_path / "network.keras"))
    assert copy.topology == network.topology
    assert content(copy) == content(network)


def test_saving_replaces_the_file_and_leaves_nothing_else_behind(tmp_path: Path) -> None:
    path = tmp_path / "network.keras"
    path.write_bytes(b"something older")
    conversion.save(conversion.to_keras(example()), path)
    assert os.listdir(tmp_path) == ["network.keras"]
    assert content(conversion.from_keras(conversion.load(path))) == content(example())


def test_a_file_saved_compiled_keeps_the_state_of_its_optimizer(tmp_path: Path) -> None:
    network = example()
    model, path = compiled(network), tmp_path / "network.keras"
    x, y = batch(network)
    for _ in range(3):
        model.train_on_batch(x, y)
    conversion.save(model, path)
    copy = conversion.load(path)
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
    """Save a compiled model with random weights; also run in a process of its own."""
    network = initialise(build(named("cnn-small"), (9, 9, 1), 3), np.random.default_rng(5))
    conversion.save(compiled(network), path)


@pytest.mark.parametrize("make", [conversion.to_keras, compiled])
def test_the_same_model_gives_the_same_file_whenever_it_is_saved(
    tmp_path: Path, make: Callable[[Network], keras.Sequential]
) -> None:
    paths = [tmp_path / f"{name}.keras" for name in ("once", "twice", "made-again", "loaded")]
    model = make(example())
    conversion.save(model, paths[0])
    conversion.save(model, paths[1])
    conversion.save(make(example()), paths[2])
    conversion.save(conversion.load(paths[0]), paths[3])
    assert len({sha256(path) for path in paths}) == 1


def test_another_process_writes_the_same_file(tmp_path: Path) -> None:
    here, there = tmp_path / "here.keras", tmp_path / "there.keras"
    code = (
        "import pathlib, sys, tests.unit.keras_io.test_conversion as test\n"
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


def test_a_file_holds_no_dates(tmp_path: Path) -> None:
    conversion.save(compiled(example()), tmp_path / "network.keras")
    with zipfile.ZipFile(tmp_path / "network.keras") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"date_saved" not in archive.read("metadata.json")


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2), keras.layers.Dense(2)]
    )
    model.save(tmp_path / "lambda.keras")
    with pytest.raises(ValueError, match=r"(?i)unsafe|safe_mode"):
        conversion.load(tmp_path / "lambda.keras")
