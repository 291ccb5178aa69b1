"""Other arrays, initializers, constraints and precisions of layers: sound children, or one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
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
)
from tests.support.keras_models import random_model


def with_lora() -> keras.Sequential:
    model = random_model((6,), *(layers.Dense(n, "relu") for n in (8, 6, 5)), layers.Dense(2))
    model.layers[0].enable_lora(2)
    return model


def with_one_frozen_array() -> keras.Sequential:
    model = random_model((6,), *(layers.Dense(n, "relu") for n in (8, 6, 5)), layers.Dense(2))
    model.layers[0].bias.trainable = False
    return model


def quantized() -> keras.Sequential:
    model = random_model((6,), *(layers.Dense(n, "relu") for n in (8, 6, 5)), layers.Dense(2))
    model.layers[0].quantize("int8")
    return model


@pytest.mark.parametrize("make", [with_lora, with_one_frozen_array, quantized])
def test_layers_with_other_arrays_are_kept(make: Any) -> None:
    model = compiled(make(), "sgd")
    assert {"add_units", "add_dense"} <= check_children(model)
    with pytest.raises(IllegalMutation, match="the Dense there is kept as it is because of"):
        model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0))


def test_frozen_models_stay_frozen() -> None:
    model = random_model((4,), layers.Dense(5, "relu"), layers.Dense(3))
    model.trainable = False
    check_children(model)


def own_initializer(shape: Any, dtype: Any = None) -> Any:
    assert tuple(shape) in {(4, 5), (5, 3)}, "made for these shapes alone"
    return keras.ops.ones(shape, dtype)


@pytest.mark.parametrize(
    "initializer",
    [
        keras.initializers.Constant(np.ones((4, 5)).tolist()),
        np.ones((4, 5), "f4"),
        own_initializer,
        "orthogonal",
        "identity",
    ],
)
def test_initializers_need_not_fit_the_child(initializer: Any) -> None:
    hidden = layers.Dense(5, "relu", kernel_initializer=initializer)
    check_children(compiled(random_model((4,), hidden, layers.Dense(3, "relu"), layers.Dense(2))))


class OwnConstraint(keras.constraints.Constraint):
    """Of one's own, and not registered."""

    def __call__(self, w: Any) -> Any:
        return keras.ops.clip(w, -0.3, 0.3)


@pytest.mark.parametrize(
    "constraint", ["unit_norm", "non_neg", "min_max_norm", "max_norm", OwnConstraint()]
)
def test_children_satisfy_their_constraints(constraint: Any) -> None:
    def dense(units: int) -> keras.Layer:
        return layers.Dense(units, "relu", kernel_constraint=constraint, bias_constraint="non_neg")

    check_children(compiled(random_model((4,), dense(6), dense(5), dense(3)), "sgd"))


def test_constraints_that_break_exactness_are_said() -> None:
    constrained = layers.Dense(3, kernel_constraint="unit_norm", name="narrow")
    model = compiled(random_model((4,), layers.Dense(5, "relu"), constrained))
    summary = model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0)).summary
    assert summary.endswith("approximate: predictions change, also by the constraints of narrow")


def test_constraint_for_one_shape_is_refused() -> None:
    def fixed(w: Any) -> Any:
        return w * np.ones((5, 3), "f4")

    constrained = layers.Dense(3, kernel_constraint=fixed, name="narrow")
    model = random_model((4,), layers.Dense(5, "relu"), constrained)
    with pytest.raises(UnusableFileError, match=r"constraint of layer narrow .* shape \(7, 3\)"):
        model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0))


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> Iterator[str]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("policy", ["mixed_float16", "bfloat16", "float64"], indirect=True)
def test_half_precision_is_never_called_exact(policy: str, tmp_path: Path) -> None:
    model = compiled(
        random_model(
            (4,), layers.Dense(6, "relu"), layers.Dense(5, "relu"), layers.Dense(3, dtype="float32")
        )
    )
    keras.config.set_dtype_policy("float32")
    check_children(model, tmp_path / "child.keras")
    offers = model_surgery.list_mutations(model)
    exact = {offer.mutation.operation.name for offer in offers if offer.exact}
    assert ("add_units" in exact) == (policy == "float64")
    child = model_surgery.apply(model, Mutation(operations.ADD_UNITS, 0)).model
    assert child.dtype_policy.name == policy
    assert type(child.optimizer) is type(model.optimizer)
