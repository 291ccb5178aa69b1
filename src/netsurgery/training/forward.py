"""The forward pass in TensorFlow: what the Keras model computes, in fewer operations.

Tracing a Keras model's layers takes longer than training a small network, and its batch
normalization is a dozen operations where TensorFlow has one. `fused_operations` joins layers.

**Mixed precision.** All layers but the one that gives the output compute in bfloat16, as with
Keras's policy `mixed_bfloat16`; arrays, statistics and the loss stay float32.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from netsurgery.networks.layers import (
    CAUSAL,
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
    Join,
    KernelLayer,
    Layer,
    LayerNorm,
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
from netsurgery.networks.steps import INPUT
from netsurgery.networks.topology import Topology
from netsurgery.objectives.training_settings import FLOAT32
from netsurgery.training import onednn
from netsurgery.training.fused_operations import (
    Arrays,
    Biased,
    convolve_and_average,
    fold_normalizations,
    is_averaged,
    normalization_of,
    with_bias,
)

# the data types that layers compute in
PRECISIONS = {FLOAT32: tf.float32, "mixed_bfloat16": tf.bfloat16}


def _activated(x: tf.Tensor, function: str, slope: float | None = None) -> tf.Tensor:
    if function == "linear":
        return x
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
    convolve = tf.nn.conv2d if len(x.shape) == 4 else tf.nn.conv1d
    return convolve(x, kernel, strides, padding)


def _multiply(layer: Dense, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return tf.matmul(x, tf.cast(arrays[0], x.dtype))


def _convolve_channels(layer: DepthwiseConv, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    kernel, strides = tf.cast(arrays[0], x.dtype), (1, layer.strides, layer.strides, 1)
    padding, dilation = layer.padding.upper(), _sides(x.shape, layer.dilation)
    if len(x.shape) == 4:
        return tf.nn.depthwise_conv2d(x, kernel, strides, padding, dilations=dilation)
    image, kernel = tf.expand_dims(x, 1), tf.expand_dims(kernel, 0)
    image = tf.nn.depthwise_conv2d(image, kernel, strides, padding, dilations=[1, *dilation])
    return tf.squeeze(image, 1)


def _mix_convolved(layer: SeparableConv, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    x = _convolve_channels(layer.depthwise, arrays, x)
    convolve = tf.nn.conv2d if len(x.shape) == 4 else tf.nn.conv1d
    return convolve(x, tf.cast(arrays[layer.mixing], x.dtype), 1, "VALID")


def _add_bias(layer: Biased, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return tf.nn.bias_add(x, tf.cast(arrays[-1], x.dtype)) if layer.use_bias else x


def _pool(layer: Pool, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    size, step = _sides(x.shape, layer.size), _sides(x.shape, layer.step)
    if len(x.shape) == 3:  # a series: an image of height 1
        image = tf.expand_dims(x, 1)
        return tf.squeeze(_pool_image(layer, image, [1, *size], [1, *step]), 1)
    return _pool_image(layer, x, size, step)


def _pool_image(layer: Pool, x: tf.Tensor, size: list[int], step: list[int]) -> tf.Tensor:
    pool = tf.nn.max_pool2d if layer.function == "max" else tf.nn.avg_pool2d
    return pool(x, size, step, layer.padding.upper())


def _normalize(
    layer: BatchNorm, arrays: Arrays, x: tf.Tensor, *, training: bool
) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
    """Normalize a batch, in training by its own statistics.

    Returns:
        The normalized batch, and in training its mean and unbiased variance.
    """
    *learned, mean, variance = arrays
    gamma = learned[0] if layer.scale else tf.ones_like(mean)
    beta = learned[-1] if layer.center else tf.zeros_like(mean)
    sides = (*x.shape[1:-1], *[1] * (4 - len(x.shape)))
    image = x if len(x.shape) == 4 else tf.reshape(x, (-1, *sides, x.shape[-1]))
    unused = tf.constant([], tf.float32)
    result = tf.raw_ops.FusedBatchNormV3(
        x=image,
        scale=gamma,
        offset=beta,
        mean=unused if training else mean,
        variance=unused if training else variance,
        epsilon=layer.epsilon,
        is_training=training,
    )
    y = result.y if image is x else tf.reshape(result.y, (-1, *x.shape[1:]))
    return y, (result.batch_mean, result.batch_variance) if training else ()


def _biased_variances(
    statistics: Sequence[tf.Tensor], pixels: Sequence[float], samples: tf.Tensor
) -> tf.Tensor:
    """Concatenated statistics of a batch, with the biased variances that Keras averages.

    Args:
        statistics: means and unbiased variances.
        pixels: pixels per sample behind each variance; infinity for means, which stay unchanged.
        samples: samples in the batch.
    """
    widths = [each.shape[0] for each in statistics]
    counts = tf.cast(samples, tf.float32) * np.repeat(np.array(pixels, np.float32), widths)
    return tf.concat(statistics, 0) * (1 - 1 / counts)


def _apply_kernel(layer: Biased, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    x = KERNELS[type(layer)](layer, arrays, x)
    return _activated(_add_bias(layer, arrays, x), layer.activation)


def _pool_globally(layer: GlobalPool, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    reduce = tf.reduce_max if layer.function == "max" else tf.reduce_mean
    return reduce(x, axis=list(range(1, len(x.shape) - 1)), keepdims=layer.keep_sides)


def _normalize_channels(layer: LayerNorm, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    gamma = arrays[0] if layer.scale else 1.0
    beta = arrays[-1] if layer.center else 0.0
    wide = tf.cast(x, tf.float32)
    mean, variance = tf.nn.moments(wide, axes=[-1], keepdims=True)
    factor = tf.math.rsqrt(variance + layer.epsilon) * gamma
    return tf.cast((wide - mean) * factor + beta, x.dtype)


def _rectify(layer: ClippedReLU, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return keras.activations.relu(x, layer.negative_slope, layer.max_value, layer.threshold)


def _rectify_by_channel(layer: PReLU, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return tf.nn.relu(x) - tf.cast(arrays[0], x.dtype) * tf.nn.relu(-x)


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
    if layer.function == "elu":
        return keras.activations.elu(x, layer.alpha)
    return _activated(x, layer.function, layer.negative_slope)


def _rescale(layer: Rescaling, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return x * layer.scale + layer.offset


def _reshape(layer: Flatten | Reshape | OnePixel, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(x, (-1, *layer.output_shape(tuple(x.shape[1:]))))


# what the kernel of a layer gives
KERNELS: dict[type[Layer], Callable[[Any, Arrays, tf.Tensor], tf.Tensor]] = {
    Conv: _convolve,
    Dense: _multiply,
    DepthwiseConv: _convolve_channels,
    SeparableConv: _mix_convolved,
}
# what a layer gives: layer, arrays, (n, *shape) -> (n, *output_shape); batch normalization, which
# also gives statistics, is computed by `_normalize`
LAYERS: dict[type[Layer], Callable[[Any, Arrays, tf.Tensor], tf.Tensor]] = {
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
    return tf.reshape(one, (-1, *missing, *one.shape[1:])) * two if missing else one * two


# what a layer with several inputs gives
JOINS: dict[type[Layer], Callable[[list[tf.Tensor]], tf.Tensor]] = {
    Add: tf.add_n,
    Multiply: functools.partial(functools.reduce, _gate),
    Concatenate: functools.partial(tf.concat, axis=-1),
}


def _of_one_precision(inputs: list[tf.Tensor]) -> list[tf.Tensor]:
    """The inputs of a join, in float32 if one of them is."""
    dtypes = {x.dtype for x in inputs}
    return inputs if len(dtypes) == 1 else [tf.cast(x, tf.float32) for x in inputs]


def _join(layer: Join, inputs: list[tf.Tensor]) -> tf.Tensor:
    if type(layer) not in JOINS:
        raise ValueError(f"training does not support the layer {layer}")
    return JOINS[type(layer)](inputs)


def _apply(layer: Layer, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    if type(layer) not in LAYERS:
        raise ValueError(f"training does not support the layer {layer}")
    return LAYERS[type(layer)](layer, arrays, x)


def forward(
    topology: Topology,
    arrays: Sequence[Arrays],
    x: tf.Tensor,
    *,
    training: bool,
    precision: str = FLOAT32,
    seed: tf.Tensor | None = None,
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """The network's output for a batch, and the statistics of the batch.

    Args:
        topology: the network's.
        arrays: the arrays of each layer.
        x: (n, *input_shape).
        training: whether to compute in training mode or in inference mode.
        precision: a key of `PRECISIONS`.
        seed: (2,), int32, of what layers draw in training; each draws its own from it.

    Returns:
        (n, outputs), float32; in training also the concatenated means and biased variances of all
        batch normalizations, None without any.

    Raises:
        ValueError: a layer that surgery keeps as it is, or one that draws without a seed.
    """
    changed: dict[int, Layer] = {}
    passed = set[int]()  # layers whose work is done in another one
    if not training:
        changed, arrays, passed = fold_normalizations(topology, arrays)
    left_out: dict[int, tf.Tensor] = {}  # biases, by the normalizations that subtract them
    statistics: list[tf.Tensor] = []
    pixels: list[float] = []  # per sample, behind each statistic
    strided = not training and onednn.is_faster(math.prod(x.shape[1:]))
    last = max(topology.positions(KernelLayer), default=0)
    values = {INPUT: tf.cast(x, PRECISIONS[precision])}
    for i, step in enumerate(topology.steps):
        layer, own = changed.get(i, step.layer), arrays[i]
        x, *others = (values[j] for j in step.inputs)
        if i == last:
            x = tf.cast(x, tf.float32)
        chain = [j for j in topology.chain(i) if j not in passed]
        rest = [topology.layers[j] for j in chain]
        if training and isinstance(layer, Biased):
            norm = normalization_of(layer, rest)
            if norm is not None:
                left_out[chain[norm]], own = own[-1], own[:-1]
                layer = with_bias(layer, False)
        if i in passed:
            pass
        elif isinstance(layer, Join):
            x = _join(layer, _of_one_precision([x, *others]))
        elif isinstance(layer, Conv) and is_averaged(layer, rest, x.shape[1:]):
            x = convolve_and_average(layer, own, x, strided=strided)
            x = _add_bias(layer, own, x)
            passed.add(chain[0])
        elif isinstance(layer, BatchNorm):
            x, mean_and_variance = _normalize(layer, own, x, training=training)
            if mean_and_variance:
                mean, variance = mean_and_variance
                statistics += (mean + left_out.pop(i, 0.0), variance)
                pixels += (math.inf, math.prod(x.shape[1:-1]))
        elif training and type(layer) in DRAWING:
            if seed is None:
                raise ValueError(f"{layer} needs a seed in training")
            x = DRAWING[type(layer)](layer, x, seed + tf.constant([0, i]))
        else:
            x = _apply(layer, own, x)
        values[i] = x
    return x, _biased_variances(statistics, pixels, tf.shape(x)[0]) if statistics else None
