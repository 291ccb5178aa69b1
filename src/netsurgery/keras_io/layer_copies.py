"""Copies of Keras layers, as wide as surgery makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from netsurgery.keras_io.layers_to_keras import one_pixel
from netsurgery.keras_io.set_aside import without
from netsurgery.networks.layers import (
    Conv,
    Dense,
    DepthwiseConv,
    Layer,
    LinearLayer,
    OnePixel,
    SeparableConv,
    Shape,
)

LINEAR = "linear"
# the settings of a Keras layer that surgery changes: layer, shape of its first array
SETTINGS: dict[type[Layer], Callable[[Any, Shape], dict[str, Any]]] = {
    Conv: lambda layer, kernel: {"filters": layer.channels, "kernel_size": kernel[:-2]},
    DepthwiseConv: lambda layer, kernel: {"kernel_size": kernel[:-2]},
    SeparableConv: lambda layer, kernel: {"filters": layer.channels, "kernel_size": kernel[:-2]},
    Dense: lambda layer, kernel: {"units": layer.units},
    OnePixel: lambda layer, kernel: {"target_shape": one_pixel(layer)},
}
INITIALIZER = "_initializer"
HOLDS_ARRAY = keras.initializers.Constant
# by the end of the attribute's name: what stands for a Python object of the user for a while
NEUTRAL = {
    "activation": keras.activations.linear,
    "_regularizer": None,
    "_constraint": None,
    INITIALIZER: keras.initializers.Zeros(),
}


def copy_layer(
    keras_layer: keras.Layer, layer: Layer, array_shapes: tuple[Shape, ...]
) -> keras.Layer:
    """A new Keras layer with the settings of an existing one, but as wide as `layer`.

    It has no activation if `layer` has none, and a bias if `layer` has one. Other activations,
    initializers, regularizers and constraints stay the Python objects that they are.
    An initializer that gives arrays of another shape becomes the default one.

    Args:
        keras_layer: the existing layer, built.
        layer: what the new one computes.
        array_shapes: of the new layer's arrays.
    """
    neutral = {
        name: value
        for name in vars(keras_layer)
        for end, value in NEUTRAL.items()
        if name.endswith(end)
    }
    with without(keras_layer, neutral) as objects:
        config = keras_layer.get_config()
    config.update({name: held for name, held in objects.items() if name in config})
    if type(layer) in SETTINGS:
        config.update(SETTINGS[type(layer)](layer, next(iter(array_shapes), ())))
    if isinstance(layer, LinearLayer):
        config["use_bias"] = layer.use_bias
        if layer.activation == LINEAR:
            config["activation"] = LINEAR
    for variable, shape in zip(keras_layer.weights, array_shapes, strict=False):
        name = f"{variable.name}{INITIALIZER}"
        if name not in config:  # of the kernels of a separable convolution
            name = name.replace("_kernel", "")
        if tuple(variable.shape) != shape and not _gives(config.get(name), shape):
            del config[name]
    return type(keras_layer).from_config(config)


def _gives(initializer: Any, shape: Shape) -> bool:
    """Whether an initializer gives arrays of a shape: one that holds an array may not."""
    own = type(initializer).__module__.partition(".")[0] == "keras"
    if initializer is None or (own and not isinstance(initializer, HOLDS_ARRAY)):
        return True
    try:
        return tuple(initializer(shape, dtype="float32").shape) == shape
    except Exception:  # whatever an initializer of the user raises
        return False
