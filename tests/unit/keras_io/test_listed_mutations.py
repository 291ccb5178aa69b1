"""What is listed for users' Keras models, and that each mutation gives what the list announces."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from netsurgery.keras_io import conversion, model_surgery
from netsurgery.keras_io.model_surgery import LegalMutation
from netsurgery.networks.inference import predict
from netsurgery.surgery import ECTONAS, OPERATIONS, Mutation, legal_mutations, operations
from tests.support.keras_children import ROUNDING, predicted, samples
from tests.support.keras_models import frozen, random_model

IMAGE = (8, 7, 2)


def adapted(shape: tuple[int, ...]) -> keras.Layer:
    layer = layers.Normalization()
    layer.adapt(np.random.default_rng(1).normal(3, 2, size=(20, *shape)).astype("f4"))
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
        layers.Reshape((2, -1)),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True, unroll=True)),
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


@pytest.mark.parametrize("make", MODELS)
def test_listed_mutations_give_what_they_announce(make: Any) -> None:
    model = make()
    x, whole = samples(model), numpy_knows(model)
    before, count = predicted(model, x), len(model.layers)
    for offer in first_and_last(model_surgery.list_mutations(model, OPERATIONS)):
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


def first_and_last(offers: list[LegalMutation]) -> list[LegalMutation]:
    """Of each operation the offers that lie furthest apart."""
    by_name = {offer.mutation.operation.name: offer for offer in offers}
    firsts = {offer.mutation.operation.name: offer for offer in reversed(offers)}
    return [*firsts.values(), *(last for name, last in by_name.items() if last != firsts[name])]


def numpy_knows(model: keras.Sequential) -> bool:
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
