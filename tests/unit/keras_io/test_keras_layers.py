"""Surgery around whatever layers Keras offers: sound children, or one line of refusal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from netsurgery.keras_io import model_surgery
from netsurgery.surgery import IllegalMutation, Mutation, operations
from tests.support.keras_children import (
    check_children,
    check_file,
    samples,
)
from tests.support.keras_models import random_model

IMAGE = (8, 7, 4)
Make = Callable[[], keras.Layer]


def adapted(layer: keras.Layer, shape: tuple[int, ...]) -> keras.Layer:
    layer.adapt(np.random.default_rng(1).normal(3, 2, (20, *shape)).astype("f4"))
    return layer


def nested_functional() -> keras.Model:
    entering = keras.Input(IMAGE)
    left, right = layers.Conv2D(4, 1)(entering), layers.Conv2D(4, 3, padding="same")(entering)
    return keras.Model(entering, layers.Add()([left, right]))


# layers that treat each channel on its own: the channels before them may change
OPEN: dict[str, Make] = {
    "zero padding": lambda: layers.ZeroPadding2D(1),
    "cropping": lambda: layers.Cropping2D(1),
    "pooling": lambda: layers.AveragePooling2D(3, strides=1, padding="same"),
    "spatial dropout": lambda: layers.SpatialDropout2D(0.3),
    "dropout by channel": lambda: layers.Dropout(0.3, noise_shape=(None, 1, 1, None)),
    "dropout by pixel": lambda: layers.Dropout(0.3, noise_shape=(None, None, None, 1)),
    "Gaussian noise": lambda: layers.GaussianNoise(0.1),
    "Gaussian dropout": lambda: layers.GaussianDropout(0.1),
    "alpha dropout": lambda: layers.AlphaDropout(0.1),
    "activity regularization": lambda: layers.ActivityRegularization(0.1),
    "identity": lambda: layers.Identity(),
    "batch normalization": lambda: layers.BatchNormalization(gamma_constraint="non_neg"),
    "leaky relu": lambda: layers.LeakyReLU(0.3),
    "relu6": lambda: layers.ReLU(6.0),
    "celu": lambda: layers.Activation("celu"),
    "elu": lambda: layers.ELU(0.5),
    "clipped relu": lambda: layers.ReLU(3.0, 0.1, 0.2),
    "prelu": lambda: layers.PReLU(shared_axes=[1, 2]),
    "upsampling": lambda: layers.UpSampling2D(),
    "layer normalization": lambda: layers.LayerNormalization(),
    "depthwise": lambda: layers.DepthwiseConv2D(3, activation="relu"),
    "separable": lambda: layers.SeparableConv2D(4, 3, depthwise_constraint="max_norm"),
    "oblong pooling": lambda: layers.AveragePooling2D((2, 1)),
    "dilation": lambda: layers.Conv2D(4, 3, dilation_rate=2),
    "oblong kernel": lambda: layers.Conv2D(4, (3, 2), strides=(1, 2)),
}
# layers that surgery keeps as they are, and what its message says of them
CLOSED: dict[str, tuple[Make, str]] = {
    "dropout of one width": (
        lambda: layers.Dropout(0.3, noise_shape=(None, 1, 1, 4)),
        "the Dropout at 1 .* because of its noise_shape",
    ),
    "depthwise with several kernels": (
        lambda: layers.DepthwiseConv2D(3, depth_multiplier=2),
        "the DepthwiseConv2D at 1 .* its depth_multiplier of 2",
    ),
    "sparsemax": (lambda: layers.Activation("sparsemax"), "the Activation at 1 .* sparsemax"),
    "norm of images": (lambda: layers.LayerNormalization(axis=(1, 2, 3)), "at 1 .* its axis"),
    "slopes by pixel": (lambda: layers.PReLU(), "the PReLU at 1 .* not shared by all pixels"),
    "transposed": (lambda: layers.Conv2DTranspose(4, 2), "the Conv2DTranspose at 1"),
    "groups": (lambda: layers.Conv2D(4, 3, groups=2), "the Conv2D at 1 .* its 2 groups"),
    "softmax of an axis": (lambda: layers.Softmax(axis=1), "the Softmax at 1 .* its axis 1"),
    "normalization of rows": (
        lambda: layers.BatchNormalization(axis=1),
        "the BatchNormalization at 1 .* its axis 1, which is not the last one",
    ),
    "group normalization": (lambda: layers.GroupNormalization(2), "the GroupNormalization at 1"),
    "unit normalization": (lambda: layers.UnitNormalization(), "the UnitNormalization at 1"),
    "rms normalization": (lambda: layers.RMSNormalization(), "the RMSNormalization at 1"),
    "spectral normalization": (
        lambda: layers.SpectralNormalization(layers.Conv2D(4, 3)),
        "the SpectralNormalization at 1",
    ),
    "array to rescale by": (
        lambda: layers.Rescaling([1.0, 2.0, 3.0, 4.0]),
        "the Rescaling at 1 .* its scale or offset, which is an array",
    ),
    "nested sequential": (
        lambda: keras.Sequential([layers.Conv2D(4, 3), layers.ReLU()]),
        "the Sequential at 1",
    ),
    "nested functional": (nested_functional, "the Functional at 1"),
    "permutation": (lambda: layers.Permute((2, 1, 3)), "the Permute at 1"),
    "random flip": (lambda: layers.RandomFlip(), "the RandomFlip at 1"),
    "resizing": (lambda: layers.Resizing(6, 6), "the Resizing at 1"),
}


def with_layer(layer: keras.Layer) -> keras.Sequential:
    """A network with a layer between two convolutions."""
    model = keras.Sequential(
        [
            keras.Input(IMAGE),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layer,
            layers.Conv2D(4, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(5, activation="relu"),
            layers.Dense(2),
        ]
    )
    rng = np.random.default_rng(0)
    for variable in model.trainable_weights:
        variable.assign(np.abs(rng.normal(0.2, 0.3, variable.shape)))
    return model


@pytest.mark.parametrize("name", OPEN)
def test_layers_by_channel_follow_their_neighbour(name: str, tmp_path: Path) -> None:
    model = with_layer(OPEN[name]())
    around = (operations.ADD_CHANNELS, operations.REMOVE_CHANNELS, operations.ADD_CONV_CELL)
    assert "add_channels" in check_children(model, operations=around)
    wider = model_surgery.apply(model, Mutation(operations.ADD_CHANNELS, 0)).model
    check_file(wider, samples(wider), tmp_path / "child.keras")


@pytest.mark.parametrize("name", CLOSED)
def test_kept_layers_are_named(name: str) -> None:
    make, reason = CLOSED[name]
    model = with_layer(make())
    around = (operations.ADD_UNITS, operations.ADD_CHANNELS, operations.REMOVE_CONV_CELL)
    assert check_children(model, operations=around) == {"add_units", "add_channels"}
    with pytest.raises(IllegalMutation, match=f"{reason}.*legal at") as refused:
        model_surgery.apply(model, Mutation(operations.ADD_CHANNELS, 0))
    assert "\n" not in str(refused.value)


HEADS: dict[str, tuple[tuple[Any, ...], list[Make]]] = {
    "text of any length": (
        (None,),
        [lambda: layers.Embedding(9, 4), lambda: layers.GlobalAveragePooling1D()],
    ),
    "masked text": (
        (6,),
        [lambda: layers.Embedding(9, 4, mask_zero=True), lambda: layers.LSTM(3)],
    ),
    "images of any size": (
        (None, None, 3),
        [lambda: layers.Conv2D(4, 3), lambda: layers.GlobalAveragePooling2D()],
    ),
    "recurrent": (
        (6, 3),
        [
            lambda: layers.Bidirectional(layers.GRU(3, return_sequences=True)),
            lambda: layers.SimpleRNN(4),
        ],
    ),
    "dense by step": ((6, 3), [lambda: layers.TimeDistributed(layers.Dense(4)), layers.Flatten]),
    "dense over steps": ((6, 3), [lambda: layers.Dense(4, "relu"), layers.Flatten]),
    "masked steps": ((6, 3), [lambda: layers.Masking(), lambda: layers.SimpleRNN(4)]),
    "steps normalized": ((6, 3), [lambda: layers.BatchNormalization(), layers.Flatten]),
    "steps standardized": (
        (6, 3),
        [lambda: adapted(layers.Normalization(), (6, 3)), layers.Flatten],
    ),
    "volumes": ((4, 4, 4, 2), [lambda: layers.Conv3D(2, 2), layers.Flatten]),
    "films": ((3, 5, 5, 1), [lambda: layers.ConvLSTM2D(2, 2), layers.Flatten]),
    "steps of steps": (
        (3, 6, 2),
        [lambda: layers.TimeDistributed(layers.Conv1D(4, 3)), layers.Flatten],
    ),
    "channels first": (
        (3, 8, 7),
        [
            lambda: layers.Conv2D(4, 3, data_format="channels_first"),
            lambda: layers.MaxPooling2D(data_format="channels_first"),
            layers.Flatten,
        ],
    ),
}


@pytest.mark.parametrize("name", HEADS)
def test_dense_layers_after_any_head_can_change(name: str) -> None:
    shape, head = HEADS[name]
    tail = (layers.Dense(5, "relu"), layers.Dense(4, "relu"), layers.Dense(2))
    model = random_model(shape, *(make() for make in head), *tail)
    found = check_children(model)
    assert found >= {"add_units", "remove_units", "add_dense", "remove_dense", "truncate"}
    assert not found & {"add_conv_cell", "add_channels"}


def test_series_change_as_images_do(tmp_path: Path) -> None:
    causal = layers.Conv1D(4, 3, padding="causal", dilation_rate=2)
    head = (layers.SpatialDropout1D(0.2), causal, layers.MaxPooling1D())
    middle = (layers.Conv1D(5, 2, strides=2, activation="relu"), layers.Flatten())
    model = random_model((16, 3), *head, *middle, layers.Dense(4, "relu"), layers.Dense(2))
    found = check_children(model, tmp_path / "child.keras")
    assert found >= {"add_channels", "remove_channels", "add_conv_cell", "add_units"}
    child = model_surgery.apply(model, Mutation(operations.ADD_CONV_CELL, 1)).model
    assert [type(layer) for layer in child.layers[1:3]] == [layers.Conv1D, layers.AveragePooling1D]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_conv_cells_are_channels_last(data_format: str, tmp_path: Path) -> None:
    model = random_model((9, 9, 9), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(2))
    keras.config.set_image_data_format(data_format)
    try:
        child = model_surgery.apply(model, Mutation(operations.ADD_CONV_CELL, 0)).model
    finally:
        keras.config.set_image_data_format("channels_last")
    check_file(child, samples(child), tmp_path / "child.keras")
    assert [layer.output.shape[1:] for layer in child.layers[:2]] == [(9, 9, 9), (5, 5, 9)]


def test_what_two_axes_are_taken_for_is_said() -> None:
    model = random_model((20, 6), layers.Flatten(), layers.Dense(2))
    (offer,) = model_surgery.list_mutations(model, [operations.ADD_CONV_CELL])
    assert offer.where == "flatten (20x6 taken as height x width)"
    assert "20x6 taken as height x width" in model_surgery.apply(model, offer.mutation).summary
