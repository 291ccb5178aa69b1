"""The optimizer's state of whatever layer surgery leaves alone stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from netsurgery.keras_io import model_surgery, optimizer_slots
from netsurgery.surgery import Mutation, operations
from tests.support.keras_children import (
    check_file,
    compiled,
    samples,
    train_step,
)
from tests.support.keras_models import random_model

KINDS = keras.optimizers
SCHEDULE = KINDS.schedules.ExponentialDecay(0.01, 2, 0.9)
OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: KINDS.SGD(),
    "momentum": lambda: KINDS.SGD(momentum=0.9, nesterov=True),
    "rmsprop": lambda: KINDS.RMSprop(momentum=0.9, centered=True),
    "adam": lambda: KINDS.Adam(amsgrad=True, clipnorm=1.0),
    "adamw": lambda: KINDS.AdamW(SCHEDULE),
    "adamax": lambda: KINDS.Adamax(),
    "nadam": lambda: KINDS.Nadam(),
    "adagrad": lambda: KINDS.Adagrad(),
    "adadelta": lambda: KINDS.Adadelta(),
    "ftrl": lambda: KINDS.Ftrl(),
    "lion": lambda: KINDS.Lion(),
    "lamb": lambda: KINDS.Lamb(),
    "adafactor": lambda: KINDS.Adafactor(),
    "muon": lambda: KINDS.Muon(),
    "averages": lambda: KINDS.SGD(momentum=0.9, use_ema=True),
    "accumulation": lambda: KINDS.Adam(gradient_accumulation_steps=3),
    "loss scale": lambda: KINDS.LossScaleOptimizer(KINDS.Adam()),
}


def state_of(model: keras.Sequential, layer: int) -> list[np.ndarray]:
    """Whatever the optimizer keeps for a layer."""
    return [
        np.asarray(kept[id(variable)])
        for kept in optimizer_slots._by_variable(model.optimizer).values()
        for variable in model.layers[layer].trainable_weights
        if id(variable) in kept
    ]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_state_of_other_layers_stays(name: str, tmp_path: Path) -> None:
    widths = (6, 5, 4)  # of units that never die, which no slot of Adafactor survives
    model = random_model((4,), *(layers.Dense(n, "tanh") for n in widths), layers.Dense(2))
    compiled(model, OPTIMIZERS[name]())
    before = state_of(model, 0)
    assert len(before) > (1 if name != "sgd" else -1)
    counters = [np.asarray(v) for v in optimizer_slots._counters(model.optimizer)]
    for mutation in (Mutation(operations.REMOVE_UNITS, 1), Mutation(operations.ADD_DENSE, 2)):
        child = model_surgery.apply(model, mutation).model
        for old, new in zip(before, state_of(child, 0), strict=True):
            np.testing.assert_allclose(new, old, rtol=1e-6, atol=1e-30)
        for old, variable in zip(counters, optimizer_slots._counters(child.optimizer), strict=True):
            np.testing.assert_array_equal(np.asarray(variable), old)
    check_file(child, samples(child), tmp_path / "child.keras")
    train_step(child)


def test_layers_of_one_name_keep_their_slots() -> None:
    def dense(units: int) -> keras.Layer:
        return layers.Dense(units, "relu", name="dense")

    encoder = keras.Sequential([keras.Input((4,)), dense(6)], name="encoder")
    model = compiled(random_model((4,), encoder, dense(8), layers.Dense(2)))
    child = model_surgery.apply(model, Mutation(operations.IDENTITY)).model
    for layer in range(3):
        for old, new in zip(state_of(model, layer), state_of(child, layer), strict=True):
            np.testing.assert_array_equal(new, old)
            assert old.any()
