"""Layers that lose their activation or gain a bias stay themselves in Keras."""

from __future__ import annotations

import keras
import numpy as np

from netsurgery.keras_io import model_surgery
from netsurgery.surgery import Mutation, operations


def test_layer_in_a_new_block_keeps_its_settings_but_the_activation() -> None:
    conv = keras.layers.Conv2D(
        3, 3, padding="same", activation="relu", kernel_regularizer="l2", name="mine"
    )
    rest = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((5, 4, 3)), conv, *rest])
    x = np.random.default_rng(0).normal(size=(6, 5, 4, 3)).astype("f4")
    before = model(x).numpy()
    child = model_surgery.apply(model, Mutation(operations.MAKE_RESIDUAL, 0)).model
    found = child.get_layer("mine")
    assert found.activation is keras.activations.linear
    assert isinstance(found.kernel_regularizer, keras.regularizers.L2)
    np.testing.assert_allclose(child(x).numpy(), before, rtol=0, atol=1e-6)


def test_layer_gains_a_bias_that_it_had_not() -> None:
    entering = keras.Input((5, 4, 3))
    conv = keras.layers.Conv2D(3, 3, padding="same", use_bias=False, name="mine")
    body = keras.layers.BatchNormalization()(conv(entering))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Add()([entering, body]))
    model = keras.Model(entering, keras.layers.Dense(2)(pooled))
    x = np.random.default_rng(0).normal(size=(6, 5, 4, 3)).astype("f4")
    before = model(x).numpy()
    child = model_surgery.apply(model, Mutation(operations.MAKE_PLAIN, 0)).model
    assert child.get_layer("mine").use_bias
    np.testing.assert_allclose(child(x).numpy(), before, rtol=0, atol=1e-6)
