"""Classes and functions of the user stay the Python objects that they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from netsurgery.keras_io import model_surgery
from netsurgery.storage.files import UnusableFileError
from netsurgery.surgery import IllegalMutation, Mutation, operations
from tests.support.keras_children import (
    check_children,
    compiled,
    samples,
    train_step,
)
from tests.support.keras_models import random_model

Make = Callable[[], keras.Layer]


def own_loss(true: Any, predicted: Any) -> Any:
    return keras.ops.mean((true - predicted) ** 2)


class OwnMetric(keras.metrics.Mean):
    """Needs an argument that no configuration holds."""

    def __init__(self, factor: Any, **settings: Any) -> None:
        super().__init__(**settings)
        self.factor = factor

    def update_state(self, true: Any, predicted: Any, sample_weight: Any = None) -> None:
        super().update_state(self.factor * predicted)


class OwnSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Without a configuration."""

    def __call__(self, step: Any) -> Any:
        return 0.01 / (1 + keras.ops.cast(step, "float32"))


class OwnOptimizer(keras.optimizers.SGD):
    """Not registered."""


class UncopyableOptimizer(keras.optimizers.SGD):
    """Needs an argument that its configuration lacks."""

    def __init__(self, secret: int, **settings: Any) -> None:
        super().__init__(**settings)


class Square(layers.Layer):
    """Without compute_output_shape and get_config."""

    def __init__(self, power: Any) -> None:
        super().__init__()
        self.power = power

    def call(self, x: Any) -> Any:
        return x**self.power


class OwnTraining(keras.Sequential):
    """A model with a training step of its own."""

    def train_step(self, data: Any) -> Any:
        return {**super().train_step(data), "factor": self.factor}


class OwnCall(keras.Sequential):
    """A model that computes something else than its layers."""

    def call(self, x: Any, **settings: Any) -> Any:
        return 2 * super().call(x, **settings)


def small(*hidden: keras.Layer) -> keras.Sequential:
    return random_model((4,), layers.Dense(5, "relu"), *hidden, layers.Dense(3))


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": own_loss},
        {"loss": lambda true, predicted: keras.ops.mean(abs(true - predicted))},
        {"loss": keras.losses.Huber(0.3), "metrics": [OwnMetric(2), "mae"]},
        {"loss": "mse", "weighted_metrics": ["mae"], "loss_weights": 0.5},
        {"loss": ["mse"], "metrics": [["mae", own_loss]]},
        {"optimizer": keras.optimizers.SGD(OwnSchedule()), "loss": "mse"},
        {"optimizer": keras.optimizers.Adam(lambda: 0.01), "loss": "mse"},
        {"optimizer": OwnOptimizer(0.1, momentum=0.9), "loss": "mse"},
    ],
)
def test_compile_settings_stay_python_objects(settings: dict[str, Any]) -> None:
    model = small()
    model.compile(**settings, run_eagerly=True)
    train_step(model)
    check_children(model)
    child = model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0)).model
    assert child.loss == model.loss
    x, y = samples(model), np.ones((4, 3), "f4")
    found = child.evaluate(x, y, sample_weight=np.arange(4.0), verbose=0, return_dict=True)
    expected = model.evaluate(x, y, sample_weight=np.arange(4.0), verbose=0, return_dict=True)
    assert found == pytest.approx(expected, rel=1e-4)


def test_variables_stay_excluded_from_weight_decay() -> None:
    model, optimizer = small(layers.Dense(4)), keras.optimizers.AdamW(0.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay([model.layers[0].kernel], ["bias"])
    compiled(model, optimizer)
    child = model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0)).model
    excluded = [v for v in child.trainable_variables if not child.optimizer._use_weight_decay(v)]
    expected = [child.layers[0].kernel, *(layer.bias for layer in child.layers)]
    assert {id(variable) for variable in excluded} == {id(variable) for variable in expected}


def test_optimizer_that_cannot_be_copied_is_refused() -> None:
    model = compiled(small(), UncopyableOptimizer(3, learning_rate=0.1))
    with pytest.raises(UnusableFileError, match="optimizer UncopyableOptimizer cannot be copied"):
        model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0))


@pytest.mark.parametrize(
    "own",
    [
        lambda: layers.Dense(4, "relu", kernel_regularizer=lambda w: 0.1 * keras.ops.sum(w * w)),
        lambda: layers.Dense(4, activation=lambda x: keras.ops.maximum(x, 0.1)),
        lambda: Square(keras.ops.convert_to_tensor(2.0)),
        lambda: layers.Lambda(lambda x: 2 * x),
    ],
)
def test_layers_stay_python_objects(own: Make) -> None:
    model = compiled(small(layers.Dense(4, "relu"), own(), layers.Dense(4, "relu")))
    assert {"add_units", "remove_dense"} <= check_children(model)


def relu(x: Any) -> Any:
    return keras.ops.abs(x)


def test_function_with_the_name_of_keras_is_no_other() -> None:
    model = random_model((4,), layers.Dense(5, activation=relu), layers.Dense(3))
    with pytest.raises(IllegalMutation, match="kept as it is because of its activation relu"):
        model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0))


def test_subclass_that_trains_otherwise_is_kept() -> None:
    model = OwnTraining([keras.Input((4,)), layers.Dense(5, "relu"), layers.Dense(3)])
    model.factor = 3
    compiled(model)
    child = model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0)).model
    assert type(child) is OwnTraining
    x, y = samples(child), np.ones((4, 3), "f4")
    assert child.train_on_batch(x, y, return_dict=True)["factor"] == 3


def test_subclass_that_computes_otherwise_is_refused() -> None:
    model = OwnCall([keras.Input((4,)), layers.Dense(5, "relu"), layers.Dense(3)])
    with pytest.raises(UnusableFileError, match="its class OwnCall has call of its own"):
        model_surgery.list_mutations(model)


def test_attributes_of_ones_own_layers_are_shared() -> None:
    own = Square(3)
    model = small(layers.Dense(4), own, layers.Dense(4, "relu"))
    child = model_surgery.apply(model, Mutation(operations.ADD_UNITS, 3)).model
    assert own in child.layers


def test_other_backends_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(UnusableFileError, match="runs on torch, surgery needs TensorFlow"):
        model_surgery.list_mutations(small())
