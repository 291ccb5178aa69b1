"""Layers to and from Keras layers: one table for each direction."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from netsurgery.networks.activations import ACTIVATIONS
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    KernelLayer,
    Layer,
    Other,
    Pool,
    Rescaling,
    Reshape,
    Shape,
)

# --- to Keras -------------------------------------------------------------------------------------

POOLS = {"average": keras.layers.AveragePooling2D, "max": keras.layers.MaxPooling2D}
GLOBAL_POOLS = {
    "average": keras.layers.GlobalAveragePooling2D,
    "max": keras.layers.GlobalMaxPooling2D,
}


def _to_conv(layer: Conv, name: str) -> keras.Layer:
    return keras.layers.Conv2D(
        layer.channels,
        layer.kernel,
        strides=layer.strides,
        padding=layer.padding,
        activation=layer.activation,
        use_bias=layer.use_bias,
        name=name,
    )


def _to_dense(layer: Dense, name: str) -> keras.Layer:
    return keras.layers.Dense(
        layer.units, activation=layer.activation, use_bias=layer.use_bias, name=name
    )


def _to_pool(layer: Pool, name: str) -> keras.Layer:
    return POOLS[layer.function](
        layer.size, strides=layer.strides, padding=layer.padding, name=name
    )


def _to_batch_norm(layer: BatchNorm, name: str) -> keras.Layer:
    return keras.layers.BatchNormalization(
        epsilon=layer.epsilon,
        momentum=layer.momentum,
        scale=layer.scale,
        center=layer.center,
        name=name,
    )


def _to_activation(layer: Activation, name: str) -> keras.Layer:
    if layer.function == "leaky_relu":
        return keras.layers.LeakyReLU(negative_slope=layer.negative_slope, name=name)
    return keras.layers.Activation(layer.function, name=name)


TO_KERAS: dict[type[Layer], Callable[[Any, str], keras.Layer]] = {
    Conv: _to_conv,
    Dense: _to_dense,
    Pool: _to_pool,
    GlobalPool: lambda layer, name: GLOBAL_POOLS[layer.function](name=name),
    BatchNorm: _to_batch_norm,
    Activation: _to_activation,
    Dropout: lambda layer, name: keras.layers.Dropout(layer.rate, name=name),
    Flatten: lambda layer, name: keras.layers.Flatten(name=name),
    Reshape: lambda layer, name: keras.layers.Reshape(layer.shape, name=name),
    Rescaling: lambda layer, name: keras.layers.Rescaling(layer.scale, layer.offset, name=name),
    Other: lambda layer, name: keras.layers.deserialize(json.loads(layer.config)),
}
# Keras's name of the number of channels or units
WIDTH_NAMES: dict[type[Layer], str] = {Conv: "filters", Dense: "units"}


def to_keras_layer(layer: Layer, name: str) -> keras.Layer:
    """A Keras layer of that name, not yet built; other layers keep their own name."""
    return TO_KERAS[type(layer)](layer, name)


def resized_keras_layer(keras_layer: keras.Layer, layer: Layer) -> keras.Layer:
    """A new Keras layer with the settings of an existing one, but as wide as `layer`."""
    config = keras_layer.get_config()
    if isinstance(layer, KernelLayer):
        config[WIDTH_NAMES[type(layer)]] = layer.width
    return type(keras_layer).from_config(config)


# --- from Keras -----------------------------------------------------------------------------------


def _function(activation: Any) -> str | None:
    """The name of an activation that surgery knows; None for any other."""
    name = keras.activations.serialize(activation)
    return name if isinstance(name, str) and name in ACTIVATIONS else None


def _is_square(*pairs: Sequence[int]) -> bool:
    return all(one == other for one, other in pairs)


def _from_conv(layer: keras.layers.Conv2D, shape: Shape) -> Layer | None:
    function, padding = _function(layer.activation), layer.padding
    plain = _is_square(layer.kernel_size, layer.strides) and padding in ("same", "valid")
    if function and plain and layer.groups == 1 and tuple(layer.dilation_rate) == (1, 1):
        kernel, strides = layer.kernel_size[0], layer.strides[0]
        return Conv(layer.filters, kernel, function, layer.use_bias, strides, padding)
    return None


def _from_dense(layer: keras.layers.Dense, shape: Shape) -> Layer | None:
    function = _function(layer.activation)
    if function and len(shape) == 1:
        return Dense(layer.units, function, layer.use_bias)
    return None


def _from_pool(function: str) -> Callable[[Any, Shape], Layer | None]:
    def convert(layer: Any, shape: Shape) -> Layer | None:
        if not _is_square(layer.pool_size, layer.strides):
            return None
        size, strides = layer.pool_size[0], layer.strides[0]
        return Pool(function, size, None if strides == size else strides, layer.padding)

    return convert


def _from_global_pool(function: str) -> Callable[[Any, Shape], Layer | None]:
    return lambda layer, shape: None if layer.keepdims else GlobalPool(function)


def _from_batch_norm(layer: keras.layers.BatchNormalization, shape: Shape) -> Layer | None:
    if layer.axis in (-1, len(shape)):
        return BatchNorm(layer.epsilon, layer.momentum, layer.scale, layer.center)
    return None


def _from_activation(layer: keras.layers.Activation, shape: Shape) -> Layer | None:
    function = _function(layer.activation)
    return Activation(function) if function else None


def _from_relu(layer: keras.layers.ReLU, shape: Shape) -> Layer | None:
    settings = (layer.max_value, float(layer.negative_slope), float(layer.threshold))
    function = {(None, 0.0, 0.0): "relu", (6.0, 0.0, 0.0): "relu6"}.get(settings)
    return Activation(function) if function else None


def _from_rescaling(layer: keras.layers.Rescaling, shape: Shape) -> Layer | None:
    if np.ndim(layer.scale) == np.ndim(layer.offset) == 0:
        return Rescaling(float(layer.scale), float(layer.offset))
    return None


# None where a setting is unsupported
FROM_KERAS: dict[type[keras.Layer], Callable[[Any, Shape], Layer | None]] = {
    keras.layers.Conv2D: _from_conv,
    keras.layers.Dense: _from_dense,
    keras.layers.AveragePooling2D: _from_pool("average"),
    keras.layers.MaxPooling2D: _from_pool("max"),
    keras.layers.GlobalAveragePooling2D: _from_global_pool("average"),
    keras.layers.GlobalMaxPooling2D: _from_global_pool("max"),
    keras.layers.BatchNormalization: _from_batch_norm,
    keras.layers.Activation: _from_activation,
    keras.layers.LeakyReLU: lambda layer, shape: Activation(
        "leaky_relu", float(layer.negative_slope)
    ),
    keras.layers.ReLU: _from_relu,
    keras.layers.ELU: lambda layer, shape: Activation("elu") if layer.alpha == 1.0 else None,
    keras.layers.Softmax: lambda layer, shape: Activation("softmax") if layer.axis == -1 else None,
    keras.layers.Dropout: lambda layer, shape: Dropout(layer.rate),
    keras.layers.Flatten: lambda layer, shape: Flatten(),
    keras.layers.Reshape: lambda layer, shape: Reshape(output_shape(layer, shape)),
    keras.layers.Rescaling: _from_rescaling,
}


def _known_layer(layer: keras.Layer, shape: Shape) -> Layer | None:
    """The layer as surgery knows it; None if its kind or a setting is unsupported."""
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        return None
    for kind in type(layer).__mro__:
        if kind in FROM_KERAS:
            return FROM_KERAS[kind](layer, shape)
    return None


def from_keras_layer(layer: keras.Layer, shape: Shape) -> Layer:
    """The layer that a built Keras layer is, for an input of `shape`.

    Layers that surgery does not know, or that hold additional arrays, become `Other`.
    """
    array_shapes = tuple(tuple(variable.shape) for variable in variables(layer))
    # a subclass from elsewhere may compute anything
    if type(layer).__module__.partition(".")[0] == "keras":
        known = _known_layer(layer, shape)
        if known is not None and array_shapes == known.array_shapes(shape):
            return known
    return Other(
        type(layer).__name__,
        json.dumps(keras.layers.serialize(layer)),
        shape,
        output_shape(layer, shape),
        array_shapes,
        len(layer.trainable_weights),
    )


def output_shape(layer: keras.Layer, shape: Shape) -> Shape:
    """The shape of a Keras layer's output for an input of `shape`, both without a batch axis."""
    return tuple(layer.compute_output_shape((None, *shape))[1:])


def variables(layer: keras.Layer) -> list[Any]:
    """A Keras layer's variables in the order of `Network.weights`, trainable ones first."""
    if isinstance(
        layer, keras.layers.Conv2D | keras.layers.Dense | keras.layers.BatchNormalization
    ):
        return layer.weights  # in this order also if the layer is frozen
    return [*layer.trainable_weights, *layer.non_trainable_weights]
