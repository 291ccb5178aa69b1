"""A new kind of layer is one class and one line per table: nothing else needs to change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf

from netsurgery.keras_io import conversion, layers_from_keras, layers_to_keras
from netsurgery.networks import inference, layers
from netsurgery.networks.inference import predict
from netsurgery.networks.layers import Arrays, Conv, Dense, Flatten, Layer, Shape
from netsurgery.networks.network import Network, initialise
from netsurgery.networks.topology import Topology
from netsurgery.surgery import legal_mutations, mutate, operations
from netsurgery.training import layers as tensorflow_layers
from netsurgery.training.forward import forward
from tests.support.surgery_helpers import assert_computes_the_same, generator


@dataclass(frozen=True)
class PReLU(Layer):
    """A leaky relu with a trained slope per channel; arrays: slopes."""

    kind: ClassVar[str] = "prelu"
    is_elementwise: ClassVar[bool] = True
    keeps_channels_apart: ClassVar[bool] = True
    has_channel_arrays: ClassVar[bool] = True

    def __str__(self) -> str:
        return "prelu"

    def array_shapes(self, shape: Shape) -> tuple[Shape, ...]:
        return (shape[-1:],)

    @property
    def trainable_arrays(self) -> int:
        return 1

    def gain_bound(self, arrays: Arrays) -> np.ndarray:
        return np.maximum(np.abs(arrays[0]), 1)


class KerasPReLU(keras.layers.Layer):
    """The same in Keras, whose own one has slopes by pixel."""

    def build(self, input_shape: Any) -> None:
        self.slopes = self.add_weight(shape=input_shape[-1:], initializer="zeros")

    def call(self, x: Any) -> Any:
        return keras.ops.where(x > 0, x, self.slopes * x)


KerasPReLU.__module__ = "keras.tests"  # layers from elsewhere are kept as they are


def in_numpy(layer: PReLU, arrays: Arrays, x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, arrays[0].astype(x.dtype) * x)


def in_tensorflow(layer: PReLU, arrays: list[tf.Tensor], x: tf.Tensor) -> tf.Tensor:
    return tf.where(x > 0, x, arrays[0] * x)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    entries: list[tuple[Any, Any, Any]] = [
        (layers.LAYERS, PReLU.kind, PReLU),
        (inference.LAYERS, PReLU, in_numpy),
        (tensorflow_layers.LAYERS, PReLU, in_tensorflow),
        (layers_to_keras.TO_KERAS, PReLU, lambda layer, name, shape: KerasPReLU(name=name)),
        (layers_from_keras.FROM_KERAS, KerasPReLU, lambda layer, shape: PReLU()),
    ]
    for table, key, value in entries:
        monkeypatch.setitem(table, key, value)


TOPOLOGY = Topology(
    (6, 6, 2),
    (Conv(4), PReLU(), Conv(3), PReLU(), Flatten(), Dense(5, "linear"), PReLU(), Dense(3)),
)


def network() -> Network:
    rng = generator()
    arrays = initialise(TOPOLOGY, rng).weights
    return Network(
        TOPOLOGY,
        tuple(tuple(rng.normal(0, 0.5, a.shape).astype("f4") for a in layer) for layer in arrays),
    )


def batch() -> np.ndarray:
    return generator(1).normal(size=(4, *TOPOLOGY.input_shape)).astype("f4")


def test_new_layer_survives_json() -> None:
    assert Topology.from_json(json.loads(json.dumps(TOPOLOGY.to_json()))) == TOPOLOGY


def test_new_layer_is_counted() -> None:
    assert PReLU().parameters((6, 6, 4)) == 4
    assert Topology((4,), (PReLU(),)).parameters == 4


def test_new_layer_computes_the_same_everywhere() -> None:
    expected = predict(network(), batch())
    model = conversion.to_keras(network())
    np.testing.assert_allclose(model(batch()), expected, rtol=1e-4, atol=1e-5)
    given = forward(
        TOPOLOGY,
        [list(map(tf.constant, arrays)) for arrays in network().weights],
        tf.constant(batch()),
        training=False,
    )
    np.testing.assert_allclose(given.output, expected, rtol=1e-4, atol=1e-5)


def test_new_layer_comes_back_from_keras() -> None:
    assert conversion.from_keras(conversion.to_keras(network())).topology == TOPOLOGY


def test_surgery_carries_the_new_layer() -> None:
    parent = network()
    for mutation in legal_mutations(TOPOLOGY, operations=operations.OPERATIONS):
        for noise in (0.0, 0.1):
            result = mutate(parent, mutation, generator(2), noise=noise)
            assert np.isfinite(predict(result.network, batch())).all()
        if mutation.operation in (operations.ADD_CHANNELS, operations.ADD_UNITS):
            child = mutate(parent, mutation, generator(2)).network
            assert_computes_the_same(child, parent, batch().astype(float))
