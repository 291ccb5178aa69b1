"""The forward pass in TensorFlow: what the Keras model computes, in fewer operations.

Tracing a Keras model's layers takes longer than training a small network, and its batch
normalization is a dozen operations where TensorFlow has one.

**Convolution and average pooling.** If only the averages over 2x2 squares of a convolution's output
are used, they are computed directly: they are a convolution with strides of 2, whose kernel is the
mean of four shifted copies of the original one. For a 3x3 kernel this takes 16 multiplications per
weight and average instead of 36, and the full-size output is never in memory. In training, and
without oneDNN, the convolution runs on blocks of pixels instead, because TensorFlow's strided
convolution and its gradient are slow.

**Bias before batch normalization.** The normalization subtracts the batch's mean and with it the
bias. In training the bias is left out: it gets no gradient and only shifts the moving mean. In
inference mode the normalization is folded into the weights before it.

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
    SAME,
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    KernelLayer,
    Layer,
    Pool,
    Rescaling,
    Reshape,
    Shape,
)
from netsurgery.objectives.training_settings import FLOAT32
from netsurgery.training import onednn

Arrays = Sequence[tf.Tensor]  # of a layer, in the order of `Network.weights`
PRECISIONS = {
    FLOAT32: tf.float32,
    "mixed_bfloat16": tf.bfloat16,
}  # the data types that layers compute in


def _activated(x: tf.Tensor, function: str, slope: float | None = None) -> tf.Tensor:
    if function == "linear":
        return x
    if function == "leaky_relu" and slope is not None:
        return tf.nn.leaky_relu(x, slope)
    return keras.activations.get(function)(x)


def _convolve(layer: Conv, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return tf.nn.conv2d(x, tf.cast(arrays[0], x.dtype), layer.strides, layer.padding.upper())


def _multiply(layer: Dense, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return tf.matmul(x, tf.cast(arrays[0], x.dtype))


def _add_bias(layer: KernelLayer, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return tf.nn.bias_add(x, tf.cast(arrays[1], x.dtype)) if layer.use_bias else x


def _is_normalized(layer: KernelLayer, rest: Sequence[Layer]) -> bool:
    """Whether a batch normalization follows a layer with a bias, perhaps after pooling."""
    if rest and isinstance(rest[0], Pool):
        rest = rest[1:]
    plain = layer.use_bias and layer.activation == "linear"
    return plain and bool(rest) and isinstance(rest[0], BatchNorm)


def _is_averaged(layer: Conv, rest: Sequence[Layer], shape: Shape) -> bool:
    """Whether only averages over whole 2x2 squares of a convolution's output are used."""
    after = rest[0] if rest else None
    return (
        isinstance(after, Pool)
        and (layer.activation, layer.strides, layer.padding) == ("linear", 1, SAME)
        and layer.kernel % 2 == 1
        and (after.function, after.size, after.strides or 2) == ("average", 2, 2)
        and all(side % 2 == 0 for side in shape[:2])
    )


@functools.cache
def _shift_and_average(size: int) -> np.ndarray:
    """A matrix that turns a square kernel of odd size into the mean of its four shifted copies.

    Returns:
        (size + 1, size + 1, size**2): new taps by old taps.
    """
    taps = np.eye(size * size, dtype=np.float32).reshape(size, size, -1)
    copies = [np.pad(taps, ((a, 1 - a), (b, 1 - b), (0, 0))) for a in (0, 1) for b in (0, 1)]
    return np.asarray(np.mean(copies, axis=0, dtype=np.float32))


def _convolve_and_average(layer: Conv, arrays: Arrays, x: tf.Tensor, *, strided: bool) -> tf.Tensor:
    """A convolution and the average pooling over 2x2 after it (see `_is_averaged`).

    Args:
        layer: the convolution.
        arrays: its arrays.
        x: (n, height, width, channels).
        strided: whether to use strides of 2, or blocks of 2x2 pixels.
    """
    size, channels = layer.kernel, x.shape[-1]
    margin, blocks = size // 2, (size + 1) // 2
    margins = ((0, 0), (margin, margin), (margin, margin), (0, 0))
    shifts = _shift_and_average(size)
    if not strided:  # in the order of `space_to_depth`: by block, then within the block
        shifts = shifts.reshape(blocks, 2, blocks, 2, -1).swapaxes(1, 2)
    kernel = tf.reshape(arrays[0], (size * size, channels * layer.channels))
    kernel = tf.cast(tf.matmul(tf.constant(shifts.reshape(-1, size * size)), kernel), x.dtype)
    if strided:
        kernel = tf.reshape(kernel, (size + 1, size + 1, channels, layer.channels))
        x = tf.nn.conv2d(x, kernel, 2, margins)
    else:
        kernel = tf.reshape(kernel, (blocks, blocks, 4 * channels, layer.channels))
        x = tf.nn.conv2d(tf.nn.space_to_depth(tf.pad(x, margins), 2), kernel, 1, "VALID")
    return _add_bias(layer, arrays, x)


def _pool(layer: Pool, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    pool = tf.nn.max_pool2d if layer.function == "max" else tf.nn.avg_pool2d
    return pool(x, layer.size, layer.step, layer.padding.upper())


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
    image = x if len(x.shape) == 4 else tf.reshape(x, (-1, 1, 1, x.shape[-1]))
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
    y = result.y if image is x else tf.reshape(result.y, (-1, x.shape[-1]))
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


def _fold_into_weights(layer: KernelLayer, arrays: Arrays, norm: BatchNorm, own: Arrays) -> Arrays:
    """The weights and bias of a layer that includes the normalization after it.

    Args:
        layer: the layer, which has no activation.
        arrays: its arrays.
        norm: the normalization, in inference mode.
        own: the normalization's arrays.
    """
    *learned, mean, variance = own
    factor = tf.math.rsqrt(variance + norm.epsilon)
    if norm.scale:
        factor *= learned[0]
    offset = ((arrays[1] if layer.use_bias else 0.0) - mean) * factor
    return arrays[0] * factor, offset + learned[-1] if norm.center else offset


def _fold_normalizations(
    layers: Sequence[Layer], arrays: Sequence[Arrays]
) -> tuple[list[Layer], list[Arrays]]:
    """Fold each normalization into the weights before it, for inference mode, if possible.

    Average pooling may lie between, but not max pooling, because factors may be negative.
    """
    folded: list[tuple[Layer | None, Arrays]] = [(None, ())]  # no layer comes before the first
    for layer, own in zip(layers, arrays, strict=True):
        end = folded[-1][0]
        at = -2 if isinstance(end, Pool) and end.function == "average" else -1
        before, weights = folded[at]
        if (
            isinstance(layer, BatchNorm)
            and isinstance(before, KernelLayer)
            and before.activation == "linear"
        ):
            folded[at] = (
                before.with_bias(True),
                _fold_into_weights(before, weights, layer, own),
            )
        else:
            folded.append((layer, own))
    return [layer for layer, _ in folded if layer], [own for _, own in folded[1:]]


def _apply_kernel(layer: KernelLayer, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    x = KERNELS[type(layer)](layer, arrays, x)
    return _activated(_add_bias(layer, arrays, x), layer.activation)


def _pool_globally(layer: GlobalPool, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    reduce = tf.reduce_max if layer.function == "max" else tf.reduce_mean
    return reduce(x, axis=(1, 2))


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


def _apply(layer: Layer, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    if type(layer) not in LAYERS:
        raise ValueError(f"training does not support the layer {layer}")
    return LAYERS[type(layer)](layer, arrays, x)


def forward(
    layers: Sequence[Layer],
    arrays: Sequence[Arrays],
    x: tf.Tensor,
    *,
    training: bool,
    precision: str = FLOAT32,
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """The network's output for a batch, and the statistics of the batch.

    Args:
        layers: the layers of its topology.
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
    if not training:
        layers, arrays = _fold_normalizations(layers, arrays)
    skipped = False
    statistics: list[tf.Tensor] = []
    pixels: list[float] = []  # per sample, behind each statistic
    bias: tf.Tensor | float = 0.0  # left out before the next normalization
    strided = not training and onednn.is_faster(math.prod(x.shape[1:]))
    last = max((i for i, layer in enumerate(layers) if isinstance(layer, KernelLayer)), default=0)
    x = tf.cast(x, PRECISIONS[precision])
    for i, (layer, own) in enumerate(zip(layers, arrays, strict=True)):
        if i == last:
            x = tf.cast(x, tf.float32)
        if training and isinstance(layer, KernelLayer) and _is_normalized(layer, layers[i + 1 :]):
            bias, own = own[1], own[:1]
            layer = layer.with_bias(False)
        if skipped:
            skipped = False
        elif isinstance(layer, Conv) and _is_averaged(layer, layers[i + 1 :], x.shape[1:]):
            x, skipped = _convolve_and_average(layer, own, x, strided=strided), True
        elif isinstance(layer, BatchNorm):
            x, mean_and_variance = _normalize(layer, own, x, training=training)
            if mean_and_variance:
                mean, variance = mean_and_variance
                statistics += (mean + bias, variance)
                pixels += (math.inf, math.prod(x.shape[1:-1]))
                bias = 0.0
        else:
            x = _apply(layer, own, x)
    return x, _biased_variances(statistics, pixels, tf.shape(x)[0]) if statistics else None
