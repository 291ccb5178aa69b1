"""Layers that surgery keeps as they are train as in Keras, and files keep all they hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from netsurgery import training
from netsurgery.datasets import Samples, Scaling
from netsurgery.keras_io import archive, checkpoints, conversion
from netsurgery.networks.inference import predict
from netsurgery.networks.topology import Topology
from netsurgery.objectives.training_settings import CompileSettings

SETTINGS = CompileSettings("sgd", learning_rate=0.1, momentum=0.9, loss="crossentropy")
BATCHES = 3
SCALING = Scaling(np.array(0, np.float32), np.array(1, np.float32))


def row(shape: tuple[int, ...], *inner: keras.Layer) -> keras.Model:
    return keras.Sequential([keras.Input(shape), *inner, layers.Dense(3, activation="softmax")])


def transposed() -> keras.Model:
    up = layers.Conv2DTranspose(3, 3, strides=2, activation="relu", activity_regularizer="l1")
    return row((3, 3, 2), up, layers.UpSampling2D(), layers.Flatten())


def recurrent() -> keras.Model:
    both = layers.Bidirectional(layers.LSTM(3, return_sequences=True))
    return row((4, 2), both, layers.GRU(3, kernel_regularizer="l2"))


def attention() -> keras.Model:
    x = entering = keras.Input((4, 3))
    x = layers.Add()([x, layers.MultiHeadAttention(2, 2)(x, x)])
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    return keras.Model(entering, layers.Dense(3, activation="softmax")(x))


def cross_attention() -> keras.Model:
    entering = keras.Input((4, 3))
    one, two = (layers.Conv1D(3, 3, padding=p)(entering) for p in ("same", "valid"))
    x = layers.MultiHeadAttention(2, 2)(one, two)[:, 0] * 2
    return keras.Model(entering, layers.Dense(3, activation="softmax")(x))


def embedding() -> keras.Model:
    gru = layers.GRU(3, return_sequences=True)
    inner = layers.Embedding(2, 3, mask_zero=True), layers.Dropout(0.0), gru, layers.ReLU()
    return row((4,), *inner, layers.GlobalAveragePooling1D())


def nested() -> keras.Model:
    body = [layers.Conv2D(3, 3), layers.BatchNormalization(), layers.ReLU()]
    frozen = layers.Conv2D(2, 1, trainable=False)
    entering = keras.Input((5, 5, 2))
    inner = keras.Model(entering, keras.Sequential([frozen, *body])(entering), name="base")
    return row((5, 5, 2), inner, layers.GaussianNoise(0.0), layers.GlobalAveragePooling2D())


def normalizations() -> keras.Model:
    scaling = layers.Normalization()
    scaling.adapt(np.arange(40.0).reshape(-1, 2, 2, 2))
    return row((2, 2, 2), scaling, layers.GroupNormalization(2), layers.Flatten())


MODELS: list[Callable[[], keras.Model]] = [
    transposed,
    recurrent,
    attention,
    cross_attention,
    embedding,
    nested,
    normalizations,
]


@pytest.fixture(scope="module", params=MODELS, ids=lambda make: make.__name__)
def model(request: pytest.FixtureRequest) -> keras.Model:
    keras.utils.set_random_seed(1)
    made: keras.Model = request.param()
    return made


@pytest.fixture(scope="module")
def samples(model: keras.Model) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 2, (12, *model.input_shape[1:])).astype(np.float32)
    return x, np.arange(12, dtype=np.int32) % 3


@pytest.fixture(scope="module")
def trained(
    model: keras.Model, samples: tuple[np.ndarray, np.ndarray]
) -> training.TrainableNetwork:
    x, y = samples
    ours = training.TrainableNetwork(conversion.from_keras(model), SETTINGS)
    part = Samples(x, y, np.arange(12, dtype=np.int32), SCALING)
    training.TrainingLoop(ours, part, part, 12).run([1] * BATCHES, np.random.default_rng(2))
    return ours


def test_it_predicts_as_in_keras(model: keras.Model, samples: tuple[np.ndarray, ...]) -> None:
    network = conversion.from_keras(model)
    expected = np.asarray(model(samples[0], training=False))
    ours = training.TrainableNetwork(network, SETTINGS)(samples[0], training=False)
    np.testing.assert_allclose(ours, expected, atol=1e-5)
    np.testing.assert_allclose(predict(network, samples[0]), expected, atol=1e-5)


def test_it_trains_as_in_keras(
    model: keras.Model,
    samples: tuple[np.ndarray, np.ndarray],
    trained: training.TrainableNetwork,
) -> None:
    plain = conversion.to_keras(conversion.from_keras(model))
    training.compile_model(plain, SETTINGS)
    plain.run_eagerly = True  # no tracing
    for _ in range(BATCHES):
        plain.train_on_batch(*samples)
    found, expected = trained.network, conversion.from_keras(plain)
    for mine, theirs in zip(found.weights, expected.weights, strict=True):
        for one, other in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5)
    moved = [
        np.abs(a - b).max()
        for mine, before in zip(found.weights, conversion.from_keras(model).weights, strict=True)
        for a, b in zip(mine, before, strict=True)
    ]
    assert max(moved) > 1e-3


def test_bfloat16_rounds_no_numbers_of_words() -> None:
    words = layers.Embedding(1000, 3, embeddings_initializer="uniform")
    network = conversion.from_keras(row((4,), layers.Reshape((2, 2)), words, layers.Flatten()))
    x = np.arange(600, 648, dtype=np.float32).reshape(12, 4)
    learner = training.TrainableNetwork(network, SETTINGS)
    half, whole = (
        learner.forward(x, training=True, precision=each).output for each in ("bfloat16", "float32")
    )
    np.testing.assert_allclose(half, whole, atol=2e-3)


def test_files_keep_it_for_us_and_for_keras(
    trained: training.TrainableNetwork, samples: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    path = tmp_path / "candidate.keras"
    archive.write_checkpoint(path, trained.checkpoint, trained.compile_arguments)
    topology = Topology.from_json(trained.topology.to_json())
    read = checkpoints.read(path, topology)
    for one, other in (
        *zip(sum(read.network.weights, ()), sum(trained.network.weights, ()), strict=True),
        *zip(read.state, trained.checkpoint.state, strict=True),
    ):
        np.testing.assert_array_equal(one, other)
    again = keras.models.load_model(path)
    expected = trained(samples[0], training=False)
    np.testing.assert_allclose(again(samples[0], training=False), expected, atol=1e-5)
    for one, other in zip(again.optimizer.variables, read.state, strict=True):
        np.testing.assert_array_equal(one, other)
