"""Users' Keras models as the start of a search: what is taken over, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, losses, optimizers

from netsurgery.keras_io.variables import to_array
from netsurgery.objectives.training_settings import CompileSettings
from netsurgery.storage.files import UnusableFileError
from netsurgery.training import TrainableNetwork, starting_model

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 6, 6, 2)).astype(np.float32), np.arange(40) % 3


def cells() -> list[keras.Layer]:
    return [
        layers.Conv2D(4, 3, padding="same"),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Flatten(),
        layers.Dense(3, activation="softmax"),
    ]


def saved(
    folder: Path,
    inner: Sequence[keras.Layer] | None = None,
    optimizer: Any = "adam",
    loss: Any = "sparse_categorical_crossentropy",
) -> tuple[Path, keras.Model]:
    """A model that has trained for a few batches, and its file."""
    model = keras.Sequential([keras.Input((6, 6, 2)), *(inner or cells())])
    if optimizer is not None:
        model.compile(optimizer, loss)
        model.fit(X, Y, batch_size=10, verbose=0)
    model.save(folder / "mine.keras")
    return folder / "mine.keras", model


ADAM = {"optimizer": "adam", "learning_rate": 0.001}
CROSSENTROPY = {"loss": "sparse_categorical_crossentropy"}


@pytest.mark.parametrize(
    ("optimizer", "loss", "expected"),
    [
        ("adam", losses.SparseCategoricalCrossentropy(), ADAM | CROSSENTROPY),
        (
            optimizers.SGD(0.05, momentum=0.9, nesterov=True),
            "sparse_categorical_crossentropy",
            {"optimizer": {"sgd": {"nesterov": True}}, "learning_rate": 0.05, "momentum": 0.9}
            | CROSSENTROPY,
        ),
        (
            optimizers.AdamW(0.01, weight_decay=0.1, clipnorm=1.0),
            losses.sparse_categorical_crossentropy,
            {"optimizer": {"adamw": {"weight_decay": 0.1, "clipnorm": 1.0}}, "learning_rate": 0.01}
            | CROSSENTROPY,
        ),
        (
            optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9),
            "sparse_categorical_crossentropy",
            {"optimizer": "adam", "learning_rate": 0.01, "ema_momentum": 0.9} | CROSSENTROPY,
        ),
    ],
)
def test_a_compilation_becomes_settings(
    optimizer: Any, loss: Any, expected: dict[str, Any], tmp_path: Path
) -> None:
    path, _ = saved(tmp_path, optimizer=optimizer, loss=loss)
    found = starting_model.describe(path)
    assert found["settings"] == expected
    assert found["notes"] == []


def test_a_model_without_compilation_has_no_settings(tmp_path: Path) -> None:
    path, _ = saved(tmp_path, optimizer=None)
    assert starting_model.describe(path)["settings"] == {}


def test_what_a_search_does_not_keep_is_said(tmp_path: Path) -> None:
    frozen = layers.Dense(8, name="base", bias_regularizer="l2", kernel_constraint="non_neg")
    frozen.trainable = False
    output = layers.Dense(3, activation="softmax", kernel_regularizer="l2")
    inner = [layers.Flatten(), frozen, output]
    schedule = optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    path, _ = saved(tmp_path, inner, optimizers.SGD(schedule))
    found = starting_model.describe(path)
    assert found["notes"] == [
        "frozen layers are trained as the others (base)",
        "regularizers but L1 and L2 of kernels are left out (base)",
        "constraints are left out (base)",
        "its schedule of learning rates is left out; it has reached 0.03125",
    ]
    assert found["settings"]["learning_rate"] == 0.5 * 0.5**4  # four batches


@pytest.mark.parametrize(
    ("inner", "line"),
    [
        (
            [layers.Reshape((12, 6)), layers.GRU(3, activation="softmax")],
            "it ends with GRU, whose activation searches do not know",
        ),
        ([layers.Conv2D(3, 3)], r"its output has the shape \(4, 4, 3\), not one axis"),
    ],
)
def test_what_a_search_cannot_train_is_refused(inner: Any, line: str, tmp_path: Path) -> None:
    path, _ = saved(tmp_path, inner, optimizer=None)
    with pytest.raises(UnusableFileError, match=f"mine.keras: {line}"):
        starting_model.describe(path)


def test_a_state_that_lasts_over_batches_is_refused(tmp_path: Path) -> None:
    inner = [layers.GRU(3, stateful=True), layers.Dense(3, activation="softmax")]
    keras.Sequential([keras.Input(batch_shape=(2, 4, 2)), *inner]).save(tmp_path / "mine.keras")
    line = r"mine.keras: layer 0 \(GRU\) carries its state from one batch to the next"
    with pytest.raises(UnusableFileError, match=line):
        starting_model.describe(tmp_path / "mine.keras")


def test_a_diverged_model_is_refused(tmp_path: Path) -> None:
    path, model = saved(tmp_path)
    model.layers[0].kernel.assign(model.layers[0].kernel * np.nan)
    model.save(path)
    with pytest.raises(UnusableFileError, match="weights are not finite"):
        starting_model.describe(path)


@pytest.mark.parametrize(
    ("optimizer", "setting"),
    [
        (optimizers.SGD(0.05), "sgd"),
        (optimizers.SGD(0.05, momentum=0.9), "sgd"),
        (optimizers.Adam(0.05), "adam"),
        (optimizers.RMSprop(0.05, centered=True), {"rmsprop": {"centered": True}}),
        (optimizers.Adam(0.05, amsgrad=True), {"adam": {"amsgrad": True}}),
    ],
    ids=["sgd", "momentum", "adam", "rmsprop", "amsgrad"],
)
def test_the_weights_and_the_optimizer_go_on(optimizer: Any, setting: Any, tmp_path: Path) -> None:
    path, model = saved(tmp_path, optimizer=optimizer)
    settings = CompileSettings(
        setting, 0.01, float(getattr(optimizer, "momentum", 0.0)), "crossentropy"
    )
    network, state = starting_model.load(path, settings)
    trainable = TrainableNetwork(network, settings, state)
    arrays = [array for arrays in trainable.network.weights for array in arrays]
    for array, weight in zip(arrays, model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, weight)
    steps, rate, *slots = trainable.optimizer_state.values
    before = [to_array(variable) for variable in model.optimizer.variables]
    assert steps == before[0] == 4
    assert rate == np.float32(0.01)
    for slot, old in zip(slots, before[2:], strict=True):
        np.testing.assert_array_equal(slot, old)


def test_another_optimizer_starts_anew(tmp_path: Path) -> None:
    path, _ = saved(tmp_path, optimizer="adam")
    _, state = starting_model.load(path, CompileSettings("sgd", 0.1, 0.9, "crossentropy"))
    assert state is None


def test_averages_of_weights_start_with_those_of_the_model(tmp_path: Path) -> None:
    path, model = saved(tmp_path, optimizer="adam")
    settings = CompileSettings("adam", 0.01, 0.0, "crossentropy", ema_momentum=0.9)
    network, state = starting_model.load(path, settings)
    trainable = TrainableNetwork(network, settings, state)
    averaged = trainable.averaged_checkpoint.network.weights
    for array, weight in zip(sum(averaged, ()), model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, weight)
