"""Keras layers that surgery keeps as they are: what it must know of them all the same."""

from __future__ import annotations

import json
import warnings
from typing import Any

import keras

from netsurgery.networks.layers import Other, PerChannel, Regularization, Shape

# Keras's layers without arrays that do nothing to an input but in training
REGULARIZATION = (
    keras.layers.ActivityRegularization,
    keras.layers.AlphaDropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.Identity,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
)
PER_CHANNEL = (keras.layers.Cropping2D, keras.layers.ZeroPadding2D)
# layers whose outputs of two or three axes hold steps, not a height and a width
OF_SEQUENCES = (
    keras.layers.Embedding,
    keras.layers.Masking,
    keras.layers.MultiHeadAttention,
    keras.layers.RNN,
    keras.layers.SpatialDropout1D,
    keras.layers.TimeDistributed,
)


def from_keras(layer: keras.Layer, shape: Shape, setting: str = "") -> Other:
    """A built Keras layer that is kept as it is, for an input of `shape`.

    Args:
        layer: the layer.
        shape: of its input.
        setting: what surgery does not support, if it knows the class.
    """
    leaving = output_shape(layer, shape)
    return _kind(layer)(
        type(layer).__name__,
        _config(layer),
        shape,
        leaving,
        tuple(tuple(variable.shape) for variable in variables(layer)),
        len(layer.trainable_weights),
        setting,
        _may_give_image(layer, shape, leaving),
    )


def _kind(layer: keras.Layer) -> type[Other]:
    if type(layer) in REGULARIZATION:
        return Regularization
    channels_last = getattr(layer, "data_format", None) == "channels_last"
    return PerChannel if type(layer) in PER_CHANNEL and channels_last else Other


def _config(layer: keras.Layer) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of lambdas
            return json.dumps(keras.layers.serialize(layer))
    except Exception:  # whatever a layer of the user raises; its Python object is what counts
        return ""


def _may_give_image(layer: keras.Layer, shape: Shape, leaving: Shape) -> bool:
    """Whether the output may be an image, channels last, as far as the layer tells."""
    for part in layer._flatten_layers():
        if isinstance(part, OF_SEQUENCES):
            return False
        if getattr(part, "data_format", None) == "channels_first":
            return False
    if len(leaving) != 2:
        return True
    # what changes two axes, or has an array by feature, takes them for steps and features
    return leaving == shape and not any(len(variable.shape) for variable in layer.weights)


def output_shape(layer: keras.Layer, shape: Shape) -> Shape:
    """The shape of a Keras layer's output for an input of `shape`, both without a batch axis."""
    try:
        return tuple(layer.compute_output_shape((None, *shape))[1:])
    except NotImplementedError:  # a layer of the user: Keras finds the shape by tracing it
        entering = keras.KerasTensor((None, *shape), dtype=layer.compute_dtype)
        return tuple(layer.compute_output_spec(entering).shape[1:])


def variables(layer: keras.Layer) -> list[Any]:
    """A Keras layer's variables, trainable ones first."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]
