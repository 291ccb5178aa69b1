"""Surgery on users' Keras models: any layers, compiled, trained, saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from netsurgery.keras_io import archive, conversion, model_surgery, optimizer_slots, user_files
from netsurgery.networks.inference import predict
from netsurgery.storage.files import UnusableFileError
from netsurgery.surgery import (
    ECTONAS,
    OPERATIONS,
    IllegalMutation,
    Mutation,
    legal_mutations,
    operations,
)
from tests.support.keras_models import random_model

IMAGE = (8, 7, 2)
ROUNDING = 3e-6  # Keras computes in float32


def adapted(shape: tuple[int, ...]) -> keras.Layer:
    layer = layers.Normalization()
    layer.adapt(np.random.default_rng(1).normal(3, 2, size=(20, *shape)).astype("f4"))
    return layer


def frozen(layer: keras.Layer) -> keras.Layer:
    layer.trainable = False
    return layer


def of_a_tutorial() -> keras.Sequential:
    return random_model(
        IMAGE,
        layers.Rescaling(1 / 2),
        layers.Conv2D(4, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Dropout(0.2),
        layers.Flatten(),
        layers.Dense(6, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(3, activation="softmax"),
    )


def of_conv_cells() -> keras.Sequential:
    return random_model(
        IMAGE,
        layers.RandomFlip(),
        adapted(IMAGE),
        layers.Conv2D(4, 3, padding="same", use_bias=False),
        layers.MaxPooling2D(padding="same"),
        layers.BatchNormalization(center=False),
        layers.LeakyReLU(0.3),
        layers.Conv2D(5, 3, padding="same"),
        layers.AveragePooling2D(2),
        layers.BatchNormalization(scale=False),
        layers.ReLU(),
        layers.Flatten(),
        layers.Dense(6, activation="tanh"),
        layers.Dense(3),
    )


def without_pooling() -> keras.Sequential:
    return random_model(
        IMAGE,
        layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False),
        layers.BatchNormalization(axis=3),
        layers.ReLU(),
        frozen(layers.Conv2D(4, 1)),
        frozen(layers.BatchNormalization()),
        layers.Activation("silu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(1, use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Dense(3),
    )


def without_channel_axis() -> keras.Sequential:
    return random_model(
        (8, 7),
        layers.Flatten(),
        layers.BatchNormalization(),
        layers.Dense(5, activation=layers.LeakyReLU(0.1)),
        layers.Dense(4, activation="leaky_relu"),
        layers.Dense(3),
    )


def of_one_channel() -> keras.Sequential:
    return random_model(
        (8, 7),
        layers.Reshape((-1, 7, 1)),
        layers.Conv2D(1, 3, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Flatten(),
        layers.Dense(1, activation="relu"),
        layers.Dense(1),
    )


def of_layers_kept_as_they_are() -> keras.Sequential:
    return random_model(
        IMAGE,
        keras.Sequential([layers.SeparableConv2D(4, 3), frozen(layers.Dense(4))]),
        layers.Conv2D(4, 3, activation="relu"),
        layers.Conv2D(4, 3, activation="relu"),
        layers.Reshape((8, -1)),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        layers.Conv1D(4, 2),
        layers.Flatten(),
        layers.Dense(6, activation="relu"),
        layers.LayerNormalization(),
        layers.Dense(5, activation="relu"),
        layers.PReLU(),
        layers.Dense(3),
    )


MODELS = (
    of_a_tutorial,
    of_conv_cells,
    without_pooling,
    without_channel_axis,
    of_one_channel,
    of_layers_kept_as_they_are,
)


def samples(model: keras.Sequential, count: int = 5) -> np.ndarray:
    shape = (count, *model.input_shape[1:])
    return np.random.default_rng(2).uniform(0, 1, shape).astype("f4")


def predicted(model: keras.Sequential, x: np.ndarray) -> np.ndarray:
    return np.asarray(model(x, training=False))


def compiled(model: keras.Sequential, optimizer: keras.optimizers.Optimizer) -> keras.Sequential:
    """The model, compiled and trained for two steps; eagerly, as tracing takes seconds."""
    model.compile(optimizer, "mse", metrics=["mae"], run_eagerly=True)
    x = samples(model, 8)
    rng = np.random.default_rng(3)
    model.fit(x, rng.normal(size=(8, *model.output_shape[1:])), batch_size=4, verbose=0)
    return model


# --- what is listed -------------------------------------------------------------------------------


@pytest.mark.parametrize("make", MODELS)
def test_listed_mutations_give_what_they_announce(make: Any) -> None:
    model = make()
    x, whole = samples(model), predict_with_numpy(model)
    before, count = predicted(model, x), len(model.layers)
    for offer in model_surgery.list_mutations(model, OPERATIONS):
        performed = model_surgery.apply(model, offer.mutation)
        child, found = performed.model, predicted(performed.model, x)
        trainable = sum(int(np.prod(v.shape)) for v in child.trainable_weights)
        assert trainable == offer.parameters, offer
        assert found.shape == before.shape
        scale = max(1.0, np.abs(before).max())
        if offer.exact:
            assert np.abs(found - before).max() < ROUNDING * scale, offer
        if whole and isinstance(child, keras.Sequential):
            network = conversion.from_keras(child)
            np.testing.assert_allclose(
                found, predict(network, x.astype("f8")), rtol=0, atol=1e-5 * scale
            )
        assert f"-> {trainable:,} parameters" in performed.summary
    assert len(model.layers) == count
    np.testing.assert_array_equal(predicted(model, x), before)


def predict_with_numpy(model: keras.Sequential) -> bool:
    """Whether numpy supports all layers of a model."""
    try:
        predict(conversion.from_keras(model), samples(model, 1))
    except ValueError:
        return False
    return True


def test_list_defaults_to_the_operations_of_ectonas() -> None:
    model = of_conv_cells()
    topology = conversion.from_keras(model).topology
    found = [offer.mutation for offer in model_surgery.list_mutations(model)]
    assert found == legal_mutations(topology)
    assert found[0] == Mutation(operations.IDENTITY)
    assert {mutation.operation for mutation in found} == set(ECTONAS)
    narrower = model_surgery.list_mutations(model, [operations.TRUNCATE])
    assert [(o.mutation.position, o.mutation.width) for o in narrower] == [(11, 3)]


def test_preprocessing_layer_shifts_positions_by_one() -> None:
    network = random_model(IMAGE, *of_conv_cells().layers[2:])
    scaling = keras.layers.Rescaling(1 / 255)
    whole = keras.Sequential([keras.Input(network.input_shape[1:]), scaling, *network.layers])
    for plain, scaled in zip(
        model_surgery.list_mutations(network), model_surgery.list_mutations(whole), strict=True
    ):
        one, other = model_surgery.to_json(plain), model_surgery.to_json(scaled)
        if plain.mutation.position is not None:
            assert other["position"] == one["position"] + 1
        assert {**one, "position": 0} == {**other, "position": 0}


def test_frozen_layers_are_not_counted() -> None:
    model = random_model((4,), frozen(layers.Dense(5)), layers.Dense(3))
    counts = {o.mutation.operation: o.parameters for o in model_surgery.list_mutations(model)}
    assert counts[operations.IDENTITY] == 5 * 3 + 3
    assert counts[operations.ADD_UNITS] == 7 * 3 + 3
    assert counts[operations.ADD_DENSE] == 5 * 5 + 5 + 5 * 3 + 3
    assert counts[operations.REMOVE_DENSE] == 4 * 3 + 3


# --- what stays -----------------------------------------------------------------------------------


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


OPTIMIZERS = {
    "momentum": lambda: keras.optimizers.SGD(0.01, momentum=0.9),
    "plain": lambda: keras.optimizers.SGD(0.01),
    "adam": lambda: keras.optimizers.Adam(0.01),
    "nadam": lambda: keras.optimizers.Nadam(0.01),
    "adagrad": lambda: keras.optimizers.Adagrad(0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_continues_unchanged_after_identity(name: str, tmp_path: Path) -> None:
    model = compiled(
        random_model((4,), layers.Dense(5, "relu"), layers.Dense(3)), OPTIMIZERS[name]()
    )
    model.optimizer.learning_rate = 0.02
    child = model_surgery.apply(model, Mutation(operations.IDENTITY)).model
    assert int(child.optimizer.iterations) == 2
    x, y = samples(model, 8), np.ones((8, 3), "f4")
    for trained_on in (model, child):
        trained_on.train_on_batch(x, y)
    for ours, theirs in zip(model.weights, child.weights, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-6, atol=1e-7)
    assert child.get_compile_config() == model.get_compile_config()


@pytest.mark.parametrize(("name", "slots"), [("momentum", 1), ("adam", 2)])
def test_slots_follow_the_weights_through_a_file(name: str, slots: int, tmp_path: Path) -> None:
    model = compiled(
        random_model((4,), layers.Dense(5, "relu"), layers.Dense(3)), OPTIMIZERS[name]()
    )
    before = optimizer_slots.read_slots(model, model.layers)
    child = model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0, 8)).model
    archive.save(child, tmp_path / "child.keras")
    child = user_files.read_model(tmp_path / "child.keras")
    after = optimizer_slots.read_slots(child, child.layers)
    assert len(before) == len(after) == slots
    for slot, old in before.items():
        new = after[slot]
        assert new[0][0].any()
        np.testing.assert_array_equal(new[0][0][:, :5], old[0][0])
        np.testing.assert_array_equal(new[1][0][:5], old[1][0])
        np.testing.assert_array_equal(new[1][1], old[1][1])
        copied = [tuple(column) for column in old[0][0].T]
        assert all(tuple(column) in copied for column in new[0][0].T[5:])
    assert int(child.optimizer.iterations) == 2
    x, y = samples(child, 8), np.ones((8, 3), "f4")
    losses = [child.train_on_batch(x, y)[0] for _ in range(30)]
    assert losses[-1] < losses[0]
    assert int(child.optimizer.iterations) == 32


def test_new_slots_have_the_optimizers_initial_value() -> None:
    adagrad = keras.optimizers.Adagrad(0.01, initial_accumulator_value=0.25)
    model = compiled(random_model((4,), layers.Dense(5, "relu"), layers.Dense(3)), adagrad)
    child = model_surgery.apply(model, Mutation(operations.ADD_DENSE, 1)).model
    before, after = (
        optimizer_slots.read_slots(each, each.layers)["accumulators"] for each in (model, child)
    )
    assert all((array == 0.25).all() for array in after[1])
    for old, new in ((before[0], after[0]), (before[1], after[2])):
        for one, other in zip(old, new, strict=True):
            np.testing.assert_allclose(other, one, rtol=1e-6)


def test_frozen_layers_have_no_slots() -> None:
    model = random_model((4,), layers.Dense(5, "relu"), frozen(layers.Dense(4)), layers.Dense(3))
    compiled(model, OPTIMIZERS["momentum"]())
    for offer in model_surgery.list_mutations(model):
        child = model_surgery.apply(model, offer.mutation).model
        child.train_on_batch(samples(child), np.ones((5, 3), "f4"))
        assert int(child.optimizer.iterations) == 3


def test_uncompiled_model_stays_uncompiled() -> None:
    model = random_model((4,), layers.Dense(5), layers.Dense(3))
    assert not model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0)).model.compiled


def test_calibration_makes_removal_lose_less() -> None:
    model, rng = of_a_tutorial(), np.random.default_rng(4)
    x = rng.uniform(0, 1, (300, *IMAGE)).astype("f4")
    removal, before = Mutation(operations.REMOVE_CHANNELS, 1), predicted(model, x)
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
        model_surgery.apply(of_a_tutorial(), Mutation(operations.ADD_DENSE, 7), noise=0.1)


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
