"""Layers as Keras layers: one function for each kind."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import keras

from netsurgery.keras_io.layer_classes import (
    CONVOLUTIONS,
    CROPPINGS,
    GLOBAL_POOLS,
    KERNEL_REGULARIZERS,
    LAST,
    PADDINGS,
    POOLS,
)
from netsurgery.networks.layers import (
    Activation,
    Add,
    BatchNorm,
    ClippedReLU,
    Concatenate,
    Conv,
    Cropping,
    Dense,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalPool,
    InputPart,
    KeptJoin,
    Layer,
    LayerNorm,
    Multiply,
    OnePixel,
    Other,
    PerChannel,
    Pool,
    PReLU,
    Regularization,
    Rescaling,
    Reshape,
    SeparableConv,
    Shape,
    ZeroPadding,
)
from netsurgery.networks.layers.windows import by_side
from netsurgery.networks.penalties import penalty_of


def one_pixel(layer: OnePixel) -> tuple[int, ...]:
    """The target shape of a Keras layer, for any number of channels."""
    return (*[1] * layer.sides, -1)


def _of(classes: Sequence[type[keras.Layer]], shape: Shape) -> Any:
    """The class for inputs of `shape`."""
    return classes[len(shape) - 2]


def _to_conv(layer: Conv | DepthwiseConv | SeparableConv, name: str, shape: Shape) -> keras.Layer:
    width = () if isinstance(layer, DepthwiseConv) else (layer.channels,)
    return _of(CONVOLUTIONS[type(layer)], shape)(
        *width,
        by_side(layer.kernel, shape),
        strides=by_side(layer.strides, shape),
        padding=layer.padding,
        dilation_rate=by_side(layer.dilation, shape),
        activation=layer.activation,
        use_bias=layer.use_bias,
        name=name,
        **dict.fromkeys(KERNEL_REGULARIZERS[type(layer)], _regularizer(layer)),
        **LAST,
    )


def _regularizer(layer: Layer) -> keras.Regularizer | None:
    l1, l2 = penalty_of(layer)
    if l1 and l2:
        return keras.regularizers.L1L2(l1, l2)
    if l1:
        return keras.regularizers.L1(l1)
    return keras.regularizers.L2(l2) if l2 else None


def _to_dense(layer: Dense, name: str, shape: Shape) -> keras.Layer:
    return keras.layers.Dense(
        layer.units,
        activation=layer.activation,
        use_bias=layer.use_bias,
        kernel_regularizer=_regularizer(layer),
        name=name,
    )


def _to_pool(layer: Pool, name: str, shape: Shape) -> keras.Layer:
    return _of(POOLS[layer.function], shape)(
        by_side(layer.size, shape),
        strides=by_side(layer.step, shape),
        padding=layer.padding,
        name=name,
        **LAST,
    )


def _to_global_pool(layer: GlobalPool, name: str, shape: Shape) -> keras.Layer:
    classes = GLOBAL_POOLS[layer.function]
    return _of(classes, shape)(name=name, keepdims=layer.keep_sides, **LAST)


def _to_batch_norm(layer: BatchNorm, name: str, shape: Shape) -> keras.Layer:
    return keras.layers.BatchNormalization(
        epsilon=layer.epsilon,
        momentum=layer.momentum,
        scale=layer.scale,
        center=layer.center,
        name=name,
    )


def _to_activation(layer: Activation, name: str, shape: Shape) -> keras.Layer:
    if layer.function == "leaky_relu":
        return keras.layers.LeakyReLU(negative_slope=layer.negative_slope, name=name)
    if layer.function == "elu" and layer.alpha != 1:
        return keras.layers.ELU(layer.alpha, name=name)
    return keras.layers.Activation(layer.function, name=name)


def _to_layer_norm(layer: LayerNorm, name: str, shape: Shape) -> keras.Layer:
    return keras.layers.LayerNormalization(
        axis=[-1],  # as Keras writes it
        epsilon=layer.epsilon,
        scale=layer.scale,
        center=layer.center,
        name=name,
    )


def _to_relu(layer: ClippedReLU, name: str, shape: Shape) -> keras.Layer:
    return keras.layers.ReLU(layer.max_value, layer.negative_slope, layer.threshold, name=name)


def _to_prelu(layer: PReLU, name: str, shape: Shape) -> keras.Layer:
    return keras.layers.PReLU(shared_axes=list(range(1, len(shape))) or None, name=name)


def _to_dropout(layer: Dropout, name: str, shape: Shape) -> keras.Layer:
    noise = None
    if layer.shared_axes:
        noise = [None, *(1 if i in layer.shared_axes else None for i in range(1, len(shape) + 1))]
    seed = zlib.crc32(name.encode()) % 2**31  # so that the same network gives the same file
    return keras.layers.Dropout(layer.rate, noise, seed=seed, name=name)


def _to_margins(
    classes: Sequence[type[keras.Layer]],
) -> Callable[[Any, str, Shape], keras.Layer]:
    def convert(layer: ZeroPadding | Cropping, name: str, shape: Shape) -> keras.Layer:
        if len(shape) == 2:
            return classes[0](layer.margins[0], name=name)
        return classes[1](layer.margins, name=name, **LAST)

    return convert


def _to_other(layer: Other | KeptJoin, name: str, shape: Shape) -> Any:
    """The layer, or another operation of Keras, built."""
    if not layer.config:
        raise ValueError(f"the layer {layer} cannot be made again from its configuration")
    made = keras.saving.deserialize_keras_object(json.loads(layer.config), safe_mode=True)
    made.name = name
    return made


TO_KERAS: dict[type[Layer], Callable[[Any, str, Shape], keras.Layer]] = {
    **dict.fromkeys(CONVOLUTIONS, _to_conv),
    Dense: _to_dense,
    Pool: _to_pool,
    GlobalPool: _to_global_pool,
    BatchNorm: _to_batch_norm,
    Activation: _to_activation,
    LayerNorm: _to_layer_norm,
    ClippedReLU: _to_relu,
    PReLU: _to_prelu,
    Dropout: _to_dropout,
    ZeroPadding: _to_margins(PADDINGS),
    Cropping: _to_margins(CROPPINGS),
    InputPart: lambda layer, name, shape: keras.layers.InputLayer(layer.shape, name=name),
    Flatten: lambda layer, name, shape: keras.layers.Flatten(name=name, **LAST),
    Reshape: lambda layer, name, shape: keras.layers.Reshape(layer.shape, name=name),
    OnePixel: lambda layer, name, shape: keras.layers.Reshape(one_pixel(layer), name=name),
    Rescaling: lambda layer, name, shape: keras.layers.Rescaling(
        layer.scale, layer.offset, name=name
    ),
    Add: lambda layer, name, shape: keras.layers.Add(name=name),
    Multiply: lambda layer, name, shape: keras.layers.Multiply(name=name),
    Concatenate: lambda layer, name, shape: keras.layers.Concatenate(name=name),
    **dict.fromkeys((Other, PerChannel, Regularization, KeptJoin), _to_other),
}


def to_keras_layer(layer: Layer, name: str, shape: Shape) -> keras.Layer:
    """A Keras layer of that name, not yet built unless surgery keeps it as it is.

    Args:
        layer: what it computes.
        name: of the Keras layer.
        shape: of its input.
    """
    return TO_KERAS[type(layer)](layer, name, shape)
