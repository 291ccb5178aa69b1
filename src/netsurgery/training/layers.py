"""What each kind of layer computes in TensorFlow, in the data type of its input.

Arrays are float32, whatever the data type of a batch. What adds many numbers in the layer or in its
gradient, other than by oneDNN, does so in float32: TensorFlow's sums in bfloat16 round after every
addition.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from netsurgery.networks.layers import (
    CAUSAL,
    Activation,
    Add,
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
    Join,
    Layer,
    LayerNorm,
    LinearLayer,
    Multiply,
    OnePixel,
    Pool,
    PReLU,
    Regularization,
    Rescaling,
    Reshape,
    SeparableConv,
    ZeroPadding,
)
from netsurgery.networks.layers.windows import by_side, span
from netsurgery.training.convolution import convolve
from netsurgery.training.fused_operations import Arrays

# layer, arrays, (n, *shape) -> (n, *output_shape)
LayerFunction = Callable[[Any, Arrays, tf.Tensor], tf.Tensor]


def _in_float32(function: LayerFunction) -> LayerFunction:
    """The function, computed in float32 for a batch of any data type."""

    def computed(layer: Any, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
        return tf.cast(function(layer, arrays, tf.cast(x, tf.float32)), x.dtype)

    return computed


def _activated(
    x: tf.Tensor, function: str, slope: float | None = None, alpha: float = 1.0
) -> tf.Tensor:
    if function == "linear":
        return x
    if x.dtype == tf.bfloat16 and function != "relu":  # TensorFlow is slower in it, and rounds more
        return tf.cast(_activated(tf.cast(x, tf.float32), function, slope, alpha), x.dtype)
    if function == "elu":
        return keras.activations.elu(x, alpha)
    if function == "leaky_relu" and slope is not None:
        return tf.nn.leaky_relu(x, slope)
    return keras.activations.get(function)(x)


def _sides(shape: Sequence[int], value: Any) -> list[int]:
    """Strides, or the sides of a window, for a batch of `shape`."""
    return list(by_side(value, tuple(shape[1:])))


def _padded(layer: Conv, x: tf.Tensor) -> tuple[tf.Tensor, str]:
    """The input and TensorFlow's name of the padding, for a layer with a window."""
    if layer.padding != CAUSAL:
        return x, layer.padding.upper()
    (kernel,), (dilation,) = _sides(x.shape, layer.kernel), _sides(x.shape, layer.dilation)
    return tf.pad(x, ((0, 0), (span(kernel, dilation) - 1, 0), (0, 0))), "VALID"


def _convolve(layer: Conv, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    x, padding = _padded(layer, x)
    kernel, strides = tf.cast(arrays[0], x.dtype), _sides(x.shape, layer.strides)
    if max(kernel.shape[:-2]) == 1 and max(strides) > 1:
        # the gradient of such a convolution may end the process (TensorFlow 2.21 with oneDNN)
        x = x[:, *(slice(None, None, step) for step in strides)]
        strides = [1] * len(strides)
    if layer.dilation != 1:
        return tf.nn.convolution(
            x, kernel, strides, padding, dilations=_sides(x.shape, layer.dilation)
        )
    convolution = convolve if len(x.shape) == 4 else tf.nn.conv1d
    return convolution(x, kernel, strides, padding)


def _multiply(layer: Dense, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return tf.matmul(x, tf.cast(arrays[0], x.dtype))


@_in_float32
def _convolve_channels(layer: DepthwiseConv, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    kernel, strides = arrays[0], (1, layer.strides, layer.strides, 1)
    padding, dilation = layer.padding.upper(), _sides(x.shape, layer.dilation)
    if len(x.shape) == 4:
        return tf.nn.depthwise_conv2d(x, kernel, strides, padding, dilations=dilation)
    image, kernel = tf.expand_dims(x, 1), tf.expand_dims(kernel, 0)
    image = tf.nn.depthwise_conv2d(image, kernel, strides, padding, dilations=[1, *dilation])
    return tf.squeeze(image, 1)


def _mix_convolved(layer: SeparableConv, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    x = _convolve_channels(layer.depthwise, arrays, x)
    convolution = convolve if len(x.shape) == 4 else tf.nn.conv1d
    return convolution(x, tf.cast(arrays[layer.mixing], x.dtype), 1, "VALID")


def add_bias(layer: LinearLayer, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    """A batch with the layer's bias, if it has one."""
    if not layer.use_bias:
        return x
    return (tf.nn.bias_add if x.dtype == tf.float32 else _add_narrow)(x, arrays[-1])


@tf.custom_gradient
def _add_narrow(x: tf.Tensor, bias: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """A batch in bfloat16 with a bias in float32, whose gradient is a sum in float32."""

    def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        axes = list(range(len(x.shape) - 1))
        return upstream, tf.reduce_sum(tf.cast(upstream, tf.float32), axes)

    return tf.nn.bias_add(x, tf.cast(bias, x.dtype)), gradients


def _pool(layer: Pool, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    size, step = _sides(x.shape, layer.size), _sides(x.shape, layer.step)
    if len(x.shape) == 3:  # a series: an image of height 1
        image = tf.expand_dims(x, 1)
        return tf.squeeze(_pool_image(layer, image, [1, *size], [1, *step]), 1)
    return _pool_image(layer, x, size, step)


def _pool_image(layer: Pool, x: tf.Tensor, size: list[int], step: list[int]) -> tf.Tensor:
    pool = tf.nn.max_pool2d if layer.function == "max" else tf.nn.avg_pool2d
    return pool(x, size, step, layer.padding.upper())


def _apply_kernel(layer: LinearLayer, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    x = KERNELS[type(layer)](layer, arrays, x)
    return _activated(add_bias(layer, arrays, x), layer.activation)


@_in_float32
def _pool_globally(layer: GlobalPool, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    reduce = tf.reduce_max if layer.function == "max" else tf.reduce_mean
    return reduce(x, axis=list(range(1, len(x.shape) - 1)), keepdims=layer.keep_sides)


@_in_float32
def _normalize_channels(layer: LayerNorm, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    gamma = arrays[0] if layer.scale else 1.0
    beta = arrays[-1] if layer.center else 0.0
    mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
    factor = tf.math.rsqrt(variance + layer.epsilon) * gamma
    return (x - mean) * factor + beta


def _rectify(layer: ClippedReLU, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return keras.activations.relu(x, layer.negative_slope, layer.max_value, layer.threshold)


@_in_float32
def _rectify_by_channel(layer: PReLU, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return tf.nn.relu(x) - arrays[0] * tf.nn.relu(-x)


def _pad(layer: ZeroPadding, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return tf.pad(x, ((0, 0), *layer.margins, (0, 0)))


def _crop(layer: Cropping, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    sides = zip(x.shape[1:], layer.margins, strict=False)
    return x[(slice(None), *(slice(before, side - after) for side, (before, after) in sides))]


def _keep(layer: Dropout | Regularization, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return x


def _drop(layer: Dropout, x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Drop values as the seed says, and enlarge the others so that the expectation stays."""
    batch, *sides = tf.unstack(tf.shape(x))
    noise = [batch, *(1 if i in layer.shared_axes else s for i, s in enumerate(sides, start=1))]
    kept = tf.random.stateless_uniform(noise, seed) >= layer.rate
    scale = 1 / (1 - layer.rate) if layer.rate < 1 else 0.0
    return tf.where(kept, x * tf.cast(scale, x.dtype), tf.zeros((), x.dtype))


def _activate(layer: Activation, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return _activated(x, layer.function, layer.negative_slope, layer.alpha)


def _rescale(layer: Rescaling, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return x * layer.scale + layer.offset


def _part(layer: InputPart, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(x[:, layer.start : layer.stop], (-1, *layer.shape))


def _reshape(layer: Flatten | Reshape | OnePixel, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(x, (-1, *layer.output_shape(tuple(x.shape[1:]))))


# what the kernel of a layer gives
KERNELS: dict[type[Layer], LayerFunction] = {
    Conv: _convolve,
    Dense: _multiply,
    DepthwiseConv: _convolve_channels,
    SeparableConv: _mix_convolved,
}
# what a layer gives; batch normalization, which also gives statistics, is in `normalization`
LAYERS: dict[type[Layer], LayerFunction] = {
    Conv: _apply_kernel,
    Dense: _apply_kernel,
    DepthwiseConv: _apply_kernel,
    SeparableConv: _apply_kernel,
    Pool: _pool,
    GlobalPool: _pool_globally,
    LayerNorm: _normalize_channels,
    Activation: _activate,
    ClippedReLU: _rectify,
    PReLU: _rectify_by_channel,
    Rescaling: _rescale,
    InputPart: _part,
    Flatten: _reshape,
    Reshape: _reshape,
    OnePixel: _reshape,
    ZeroPadding: _pad,
    Cropping: _crop,
    Dropout: _keep,
}
# what a layer gives in training that draws: layer, (n, *shape), seed (2,) -> (n, *output_shape)
DRAWING: dict[type[Layer], Callable[[Any, tf.Tensor, tf.Tensor], tf.Tensor]] = {
    Dropout: _drop,
}


def _gate(x: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    one, two = sorted((x, other), key=lambda each: len(each.shape))
    missing = [1] * (len(two.shape) - len(one.shape))
    if not missing:
        return one * two
    gates = tf.cast(tf.reshape(one, (-1, *missing, *one.shape[1:])), tf.float32)
    return tf.cast(gates * tf.cast(two, tf.float32), two.dtype)


# what a layer with several inputs gives
JOINS: dict[type[Layer], Callable[[list[tf.Tensor]], tf.Tensor]] = {
    Add: tf.add_n,
    Multiply: functools.partial(functools.reduce, _gate),
    Concatenate: functools.partial(tf.concat, axis=-1),
}


def join(layer: Join, inputs: list[tf.Tensor]) -> tf.Tensor:
    """The output of a layer with several inputs, in float32 if one of them is.

    Raises:
        ValueError: training does not support this kind of layer.
    """
    if type(layer) not in JOINS:
        raise ValueError(f"training does not support the layer {layer}")
    mixed = len({x.dtype for x in inputs}) > 1
    return JOINS[type(layer)]([tf.cast(x, tf.float32) for x in inputs] if mixed else inputs)


def apply(layer: Layer, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    """The output of a layer for a batch, (n, *output_shape).

    Raises:
        ValueError: training does not support this kind of layer.
    """
    if type(layer) not in LAYERS:
        raise ValueError(f"training does not support the layer {layer}")
    return LAYERS[type(layer)](layer, arrays, x)


def draw(layer: Layer, x: tf.Tensor, seed: tf.Tensor | None) -> tf.Tensor:
    """The output of a layer that draws in training, a key of `DRAWING`.

    Args:
        layer: the layer.
        x: (n, *shape).
        seed: (2,), int32, the layer's own.

    Raises:
        ValueError: there is no seed.
    """
    if seed is None:
        raise ValueError(f"{layer} needs a seed in training")
    return DRAWING[type(layer)](layer, x, seed)
