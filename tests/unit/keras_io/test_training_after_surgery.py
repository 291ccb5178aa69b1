"""A compiled Keras model trains on after surgery, with the optimizer's state."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from netsurgery.keras_io import archive, model_surgery, optimizer_slots, user_files
from netsurgery.surgery import Mutation, operations
from tests.support.keras_children import compiled, samples, train_step
from tests.support.keras_models import frozen, random_model

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
    losses = [float(child.train_on_batch(x, y)) for _ in range(30)]
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
        train_step(child)
        assert int(child.optimizer.iterations) == 3


def test_uncompiled_model_stays_uncompiled() -> None:
    model = random_model((4,), layers.Dense(5), layers.Dense(3))
    assert not model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0)).model.compiled
