"""Keras layers that surgery keeps as they are: what it must know of them all the same."""

from __future__ import annotations

import json
import warnings
from typing import Any

import keras

from netsurgery.keras_io.functional import Call
from netsurgery.keras_io.serialization import serialized
from netsurgery.networks.layers import KeptJoin, Other, PerChannel, Regularization, Shape

# Keras's layers without arrays that do nothing to an input but in training
REGULARIZATION = (
    keras.layers.ActivityRegularization,
    keras.layers.AlphaDropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.Identity,
    keras.layers.SpatialDropout3D,
)
PER_CHANNEL = (keras.layers.UpSampling1D, keras.layers.UpSampling2D)
# layers whose outputs of two or three axes hold steps, not a height and a width
OF_SEQUENCES = (
    keras.layers.Embedding,
    keras.layers.Masking,
    keras.layers.MultiHeadAttention,
    keras.layers.RNN,
    keras.layers.TimeDistributed,
)


def from_keras(
    layer: Any,
    shape: Shape,
    setting: str = "",
    leaving: Shape | None = None,
    call: Call | None = None,
) -> Other:
    """A built Keras layer, or another operation of Keras, that is kept as it is.

    Args:
        layer: the layer.
        shape: of its input.
        setting: what surgery does not support, if it knows the class.
        leaving: shape of its output; by default Keras computes it.
        call: how a functional model calls it; by default with its input alone.
    """
    config, arguments = _written(layer, call)
    if leaving is None:
        leaving = output_shape(layer, shape)
    return _kind(layer)(
        type(layer).__name__,
        config,
        shape,
        leaving,
        tuple(tuple(variable.shape) for variable in variables(layer)),
        len(trained_variables(layer)),
        setting,
        _may_give_image(layer, shape, leaving),
        arguments,
    )


def join_from_keras(call: Call, setting: str) -> KeptJoin:
    """A Keras layer with several inputs, or another operation of Keras, that is kept as it is.

    Args:
        call: how the model calls it.
        setting: what surgery does not support, if it knows the class.
    """
    layer, (config, arguments) = call.layer, _written(call.layer, call)
    held = tuple(tuple(variable.shape) for variable in variables(layer))
    name, trained = type(layer).__name__, len(trained_variables(layer))
    return KeptJoin(name, config, call.entering, call.leaving, held, trained, setting, arguments)


def _kind(layer: Any) -> type[Other]:
    if type(layer) in REGULARIZATION:
        return Regularization
    channels_last = getattr(layer, "data_format", "channels_last") == "channels_last"
    return PerChannel if type(layer) in PER_CHANNEL and channels_last else Other


def _written(layer: Any, call: Call | None) -> tuple[str, str]:
    """The configuration of a layer and the arguments of its call; empty if it cannot be made."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of lambdas
            return json.dumps(serialized(layer)), call.written if call else ""
    except Exception:  # whatever a layer of the user raises; its Python object is what counts
        return "", ""


def _may_give_image(layer: Any, shape: Shape, leaving: Shape) -> bool:
    """Whether the output may be an image, channels last, as far as the layer tells."""
    for part in inner_layers(layer):
        if isinstance(part, OF_SEQUENCES):
            return False
        if getattr(part, "data_format", None) == "channels_first":
            return False
    if len(leaving) != 2:
        return True
    # what changes two axes, or has an array by feature, takes them for steps and features
    return leaving == shape and not any(len(variable.shape) for variable in variables(layer))


def output_shape(layer: keras.Layer, shape: Shape) -> Shape:
    """The shape of a Keras layer's output for an input of `shape`, both without a batch axis."""
    try:
        return tuple(layer.compute_output_shape((None, *shape))[1:])
    except NotImplementedError:  # a layer of the user: Keras finds the shape by tracing it
        entering = keras.KerasTensor((None, *shape), dtype=layer.compute_dtype)
        return tuple(layer.compute_output_spec(entering).shape[1:])


def variables(layer: Any) -> list[Any]:
    """A Keras layer's variables, trainable ones first; other operations have none."""
    return [*trained_variables(layer), *getattr(layer, "non_trainable_weights", ())]


def trained_variables(layer: Any) -> list[Any]:
    """A Keras layer's variables that are trained; other operations have none."""
    return list(getattr(layer, "trainable_weights", ()))


def inner_layers(layer: Any) -> list[Any]:
    """A Keras layer and those that it holds; none for other operations."""
    return list(layer._flatten_layers()) if isinstance(layer, keras.Layer) else []
