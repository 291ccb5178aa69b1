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
    Concatenate,
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    Join,
    KernelLayer,
    Layer,
    Multiply,
    Pool,
    Rescaling,
    Reshape,
)
from netsurgery.networks.layers.windows import by_side, span
from netsurgery.networks.steps import INPUT
from netsurgery.networks.topology import Topology
from netsurgery.objectives.training_settings import FLOAT32
from netsurgery.training import onednn
from netsurgery.training.fused_operations import (
    Arrays,
    convolve_and_average,
    fold_normalizations,
    is_averaged,
    normalization_of,
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
    if layer.dilation != 1:
        return tf.nn.convolution(
            x, kernel, strides, padding, dilations=_sides(x.shape, layer.dilation)
        )
    convolve = tf.nn.conv2d if len(x.shape) == 4 else tf.nn.conv1d
    return convolve(x, kernel, strides, padding)


def _multiply(layer: Dense, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return tf.matmul(x, tf.cast(arrays[0], x.dtype))


def _add_bias(layer: KernelLayer, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return tf.nn.bias_add(x, tf.cast(arrays[1], x.dtype)) if layer.use_bias else x


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


def _apply_kernel(layer: KernelLayer, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    x = KERNELS[type(layer)](layer, arrays, x)
    return _activated(_add_bias(layer, arrays, x), layer.activation)


def _pool_globally(layer: GlobalPool, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    reduce = tf.reduce_max if layer.function == "max" else tf.reduce_mean
    return reduce(x, axis=list(range(1, len(x.shape) - 1)), keepdims=layer.keep_sides)


def _activate(layer: Activation, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return _activated(x, layer.function, layer.negative_slope)


def _rescale(layer: Rescaling, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return x * layer.scale + layer.offset


def _reshape(layer: Flatten | Reshape, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(x, (-1, *layer.output_shape(tuple(x.shape[1:]))))


# what the kernel of a layer gives
KERNELS: dict[type[Layer], Callable[[Any, Arrays, tf.Tensor], tf.Tensor]] = {
    Conv: _convolve,
    Dense: _multiply,
}
# what a layer gives: layer, arrays, (n, *shape) -> (n, *output_shape); batch normalization, which
# also gives statistics, is computed by `_normalize`
LAYERS: dict[type[Layer], Callable[[Any, Arrays, tf.Tensor], tf.Tensor]] = {
    Conv: _apply_kernel,
    Dense: _apply_kernel,
    Pool: _pool,
    GlobalPool: _pool_globally,
    Activation: _activate,
    Rescaling: _rescale,
    Flatten: _reshape,
    Reshape: _reshape,
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
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """The network's output for a batch, and the statistics of the batch.

    Args:
        topology: the network's.
        arrays: the arrays of each layer.
        x: (n, *input_shape).
        training: whether to compute in training mode or in inference mode.
        precision: a key of `PRECISIONS`.

    Returns:
        (n, outputs), float32; in training also the concatenated means and biased variances of all
        batch normalizations, None without any.

    Raises:
        ValueError: a layer that no search builds (dropout, or one that surgery does not know).
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
        if training and isinstance(layer, KernelLayer):
            norm = normalization_of(layer, rest)
            if norm is not None:
                left_out[chain[norm]], own = own[1], own[:1]
                layer = layer.with_bias(False)
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
        else:
            x = _apply(layer, own, x)
        values[i] = x
    return x, _biased_variances(statistics, pixels, tf.shape(x)[0]) if statistics else None
