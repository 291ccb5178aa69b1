"""Surgery on users' Keras models: what stays, what samples do, what is refused."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from netsurgery.keras_io import model_surgery
from netsurgery.storage.files import UnusableFileError
from netsurgery.surgery import IllegalMutation, Mutation, operations
from tests.support.keras_children import predicted
from tests.support.keras_models import frozen, random_model

IMAGE = (8, 7, 2)


def of_a_tutorial() -> keras.Sequential:
    return random_model(
        IMAGE,
        layers.Conv2D(4, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(6, activation="relu"),
        layers.Dense(3, activation="softmax"),
    )


def test_other_layers_keep_names_and_settings() -> None:
    model = keras.Sequential(
        [
            keras.Input((4,), name="table", dtype="float64"),
            layers.Dense(
                5,
                kernel_regularizer="l2",
                kernel_constraint=keras.constraints.MaxNorm(2),
                kernel_initializer=keras.initializers.HeNormal(seed=3),
                name="mine",
            ),
            layers.Dropout(0.3, seed=4, name="dense_1"),
            frozen(layers.Dense(3, name="last")),
        ],
        name="ours",
    )
    wider = model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0)).model
    for old, new in zip(model.layers, wider.layers, strict=True):
        assert new.get_config() == {
            **old.get_config(),
            **({"units": 7} if old.name == "mine" else {}),
        }
        assert new is not old
    deeper = model_surgery.apply(model, Mutation(operations.ADD_DENSE, 2)).model
    assert [layer.name for layer in deeper.layers] == ["mine", "dense_1", "dense_2", "last"]
    for child in (wider, deeper):
        assert (child.name, child.inputs[0].name, child.inputs[0].dtype) == (
            "ours",
            "table",
            "float64",
        )


def test_new_layers_avoid_existing_names() -> None:
    model = random_model((4,), layers.Dense(5, name="dense_1"), layers.Dense(3, name="dense_1_new"))
    child = model_surgery.apply(model, Mutation(operations.ADD_DENSE, 1)).model
    assert [layer.name for layer in child.layers] == ["dense_1", "dense_1_new_new", "dense_1_new"]


def test_calibration_makes_removal_lose_less() -> None:
    model, rng = of_a_tutorial(), np.random.default_rng(4)
    x = rng.uniform(0, 1, (300, *IMAGE)).astype("f4")
    removal, before = Mutation(operations.REMOVE_CHANNELS, 0), predicted(model, x)
    by_rule, by_samples = (
        np.abs(
            predicted(model_surgery.apply(model, removal, calibration=c).model, x) - before
        ).mean()
        for c in (None, x)
    )
    assert by_samples < 0.8 * by_rule


def test_model_with_nan_weights_is_refused() -> None:
    model = random_model((4,), layers.Dense(5), layers.Dense(3))
    model.layers[0].bias.assign(np.full(5, np.nan))
    with pytest.raises(UnusableFileError, match="not finite"):
        model_surgery.apply(model, Mutation(operations.REMOVE_UNITS, 0))


def test_noise_is_refused_without_copies() -> None:
    with pytest.raises(IllegalMutation, match="takes no noise"):
        model_surgery.apply(of_a_tutorial(), Mutation(operations.ADD_DENSE, 4), noise=0.1)


@pytest.mark.parametrize(
    ("dtype", "samples", "activation"),
    [
        ("float32", None, "linear"),  # unknown, so nothing may be cut off
        ("uint8", None, "relu"),
        ("float32", np.ones((6, 8, 8, 1), np.float32), "relu"),
        ("float32", np.linspace(-1, 1, 6 * 64, dtype=np.float32).reshape(6, 8, 8, 1), "linear"),
    ],
    ids=["unknown", "pixels", "non-negative samples", "negative samples"],
)
def test_the_sign_of_the_input_decides_on_the_activation(
    dtype: str, samples: np.ndarray | None, activation: str
) -> None:
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), dtype=dtype),
            layers.Conv2D(2, 3, padding="same"),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    cell = Mutation(operations.ADD_CONV_CELL, 0)
    child = model_surgery.apply(model, cell, calibration=samples).model
    assert child.layers[3].activation is keras.activations.get(activation)


@pytest.mark.parametrize("noise", [float("nan"), float("inf"), -0.1])
def test_noise_that_is_no_size_is_refused(noise: float) -> None:
    model = random_model((4,), layers.Dense(5), layers.Dense(3))
    with pytest.raises(IllegalMutation, match=r"noise: .* is not a finite number of at least 0"):
        model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0), noise=noise)


def test_noise_too_large_for_float32_is_refused() -> None:
    model = random_model((4,), layers.Dense(5), layers.Dense(3))
    with pytest.raises(UnusableFileError, match="the noise are too large"):
        model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0), noise=1e60)


def test_a_child_too_large_for_the_memory_is_refused() -> None:
    model = random_model((4,), layers.Dense(5), layers.Dense(3))
    with pytest.raises(IllegalMutation, match="8,000,000,000,003 parameters, which do not fit"):
        model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0, 10**12))
