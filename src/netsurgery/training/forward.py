"""What a network computes, in TensorFlow: the same as its Keras model, in fewer operations.

A Keras model's layers take longer to trace than small networks take to train, and its batch
normalisation is a dozen operations where TensorFlow has one.

A convolution whose output is only averaged over squares of 2x2 is computed for the averages alone:
they are a convolution in steps of two, whose kernel is the mean of four shifted copies of the given
one. With kernels of 3x3 that is 16 multiplications for a weight and average where it was 36, and
nothing of the full size is held. In training, and without oneDNN, it is done on blocks of pixels,
for the steps' gradient of the kernel is slow, and so are TensorFlow's own steps.

A bias whose channels are normalised next is taken away again with the batch's mean: in training it
is left out, has no gradient, and only moves the moving mean. In inference mode the normalisation
itself is in the weights in front of it.

In mixed precision all but the layer that gives the output is computed in bfloat16, as by Keras's
policy `mixed_bfloat16`; arrays, statistics and the loss stay float32.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import replace

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
    Layer,
    Pool,
    Rescaling,
    Reshape,
    Shape,
)
from netsurgery.training import onednn

Arrays = Sequence[tf.Tensor]  # a layer's, in the order of a network's
FLOAT32 = "float32"
PRECISIONS = {FLOAT32: tf.float32, "mixed_bfloat16": tf.bfloat16}  # what layers compute in


def _activated(x: tf.Tensor, function: str, slope: float | None = None) -> tf.Tensor:
    if function == "linear":
        return x
    if function == "leaky_relu" and slope is not None:
        return tf.nn.leaky_relu(x, slope)
    return keras.activations.get(function)(x)


def _weighted(layer: Conv | Dense, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    if isinstance(layer, Conv):
        x = tf.nn.conv2d(x, tf.cast(arrays[0], x.dtype), layer.strides, layer.padding.upper())
    else:
        x = tf.matmul(x, tf.cast(arrays[0], x.dtype))
    return _biased(layer, arrays, x)


def _biased(layer: Conv | Dense, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    return tf.nn.bias_add(x, tf.cast(arrays[1], x.dtype)) if layer.use_bias else x


def _is_normalised(layer: Conv | Dense, rest: Sequence[Layer]) -> bool:
    """Whether a layer's bias goes into a batch normalisation as it is, but for pooling."""
    if rest and isinstance(rest[0], Pool):
        rest = rest[1:]
    plain = layer.use_bias and layer.activation == "linear"
    return plain and bool(rest) and isinstance(rest[0], BatchNorm)


def _is_averaged(layer: Conv, rest: Sequence[Layer], shape: Shape) -> bool:
    """Whether only averages over 2x2 are used of a convolution, and all whole."""
    after = rest[0] if rest else None
    return (
        isinstance(after, Pool)
        and (layer.activation, layer.strides, layer.padding) == ("linear", 1, SAME)
        and layer.kernel % 2 == 1
        and (after.function, after.size, after.strides or 2) == ("average", 2, 2)
        and all(side % 2 == 0 for side in shape[:2])
    )


@functools.cache
def _shifts(size: int) -> np.ndarray:
    """From the taps of a square kernel of odd size to those of the mean of its four shifted copies.

    Returns:
        (size + 1, size + 1, size**2).
    """
    taps = np.eye(size * size, dtype=np.float32).reshape(size, size, -1)
    copies = [np.pad(taps, ((a, 1 - a), (b, 1 - b), (0, 0))) for a in (0, 1) for b in (0, 1)]
    return np.asarray(np.mean(copies, axis=0, dtype=np.float32))


def _averages(layer: Conv, arrays: Arrays, x: tf.Tensor, *, steps: bool) -> tf.Tensor:
    """What average pooling over 2x2 makes of a convolution (see `_is_averaged`).

    Args:
        layer: the convolution.
        arrays: of it.
        x: (n, height, width, channels).
        steps: whether it is done in steps of two, or on blocks of 2x2 pixels.
    """
    size, channels = layer.kernel, x.shape[-1]
    margin, blocks = size // 2, (size + 1) // 2
    margins = ((0, 0), (margin, margin), (margin, margin), (0, 0))
    shifts = _shifts(size)
    if not steps:  # in the order in which `space_to_depth` puts pixels: by block, then within it
        shifts = shifts.reshape(blocks, 2, blocks, 2, -1).swapaxes(1, 2)
    kernel = tf.reshape(arrays[0], (size * size, channels * layer.channels))
    kernel = tf.cast(tf.matmul(tf.constant(shifts.reshape(-1, size * size)), kernel), x.dtype)
    if steps:
        kernel = tf.reshape(kernel, (size + 1, size + 1, channels, layer.channels))
        x = tf.nn.conv2d(x, kernel, 2, margins)
    else:
        kernel = tf.reshape(kernel, (blocks, blocks, 4 * channels, layer.channels))
        x = tf.nn.conv2d(tf.nn.space_to_depth(tf.pad(x, margins), 2), kernel, 1, "VALID")
    return _biased(layer, arrays, x)


def _pooled(layer: Pool, x: tf.Tensor) -> tf.Tensor:
    pool = tf.nn.max_pool2d if layer.function == "max" else tf.nn.avg_pool2d
    return pool(x, layer.size, layer.strides or layer.size, layer.padding.upper())


def _normalised(
    layer: BatchNorm, arrays: Arrays, x: tf.Tensor, *, training: bool
) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
    """A batch normalised, in training by its own statistics, and these: mean, unbiased variance."""
    *learnt, mean, variance = arrays
    gamma = learnt[0] if layer.scale else tf.ones_like(mean)
    beta = learnt[-1] if layer.center else tf.zeros_like(mean)
    image = x if len(x.shape) == 4 else tf.reshape(x, (-1, 1, 1, x.shape[-1]))
    nothing = tf.constant([], tf.float32)
    found = tf.raw_ops.FusedBatchNormV3(
        x=image,
        scale=gamma,
        offset=beta,
        mean=nothing if training else mean,
        variance=nothing if training else variance,
        epsilon=layer.epsilon,
        is_training=training,
    )
    y = found.y if image is x else tf.reshape(found.y, (-1, x.shape[-1]))
    return y, (found.batch_mean, found.batch_variance) if training else ()


def _biased_variances(
    seen: Sequence[tf.Tensor], pixels: Sequence[float], samples: tf.Tensor
) -> tf.Tensor:
    """Statistics of a batch end to end, with the variances that Keras's moving ones follow.

    Args:
        seen: means and unbiased variances.
        pixels: of a sample that each was found from; of a mean infinitely many, so that it stays.
        samples: how many.
    """
    widths = [each.shape[0] for each in seen]
    counts = tf.cast(samples, tf.float32) * np.repeat(np.array(pixels, np.float32), widths)
    return tf.concat(seen, 0) * (1 - 1 / counts)


def _taken_in(layer: Conv | Dense, arrays: Arrays, norm: BatchNorm, own: Arrays) -> Arrays:
    """The weights and bias with which a layer gives what a normalisation makes of its output.

    Args:
        layer: without an activation.
        arrays: of it.
        norm: in inference mode.
        own: its arrays.
    """
    *learnt, mean, variance = own
    factor = tf.math.rsqrt(variance + norm.epsilon)
    if norm.scale:
        factor *= learnt[0]
    offset = ((arrays[1] if layer.use_bias else 0.0) - mean) * factor
    return arrays[0] * factor, offset + learnt[-1] if norm.center else offset


def _without_normalisations(
    layers: Sequence[Layer], arrays: Sequence[Arrays]
) -> tuple[list[Layer], list[Arrays]]:
    """A network in inference mode, its normalisations in the weights before them where they can be.

    Average pooling may lie between; not that of maxima, for factors may be negative.
    """
    found: list[tuple[Layer | None, Arrays]] = [(None, ())]  # before the first there is none
    for layer, own in zip(layers, arrays, strict=True):
        end = found[-1][0]
        at = -2 if isinstance(end, Pool) and end.function == "average" else -1
        before, weights = found[at]
        if (
            isinstance(layer, BatchNorm)
            and isinstance(before, Conv | Dense)
            and before.activation == "linear"
        ):
            found[at] = replace(before, use_bias=True), _taken_in(before, weights, layer, own)
        else:
            found.append((layer, own))
    return [layer for layer, _ in found if layer], [own for _, own in found[1:]]


def _apply(layer: Layer, arrays: Arrays, x: tf.Tensor) -> tf.Tensor:
    match layer:
        case Conv() | Dense():
            return _activated(_weighted(layer, arrays, x), layer.activation)
        case Pool():
            return _pooled(layer, x)
        case GlobalPool():
            reduce = tf.reduce_max if layer.function == "max" else tf.reduce_mean
            return reduce(x, axis=(1, 2))
        case Activation():
            return _activated(x, layer.function, layer.negative_slope)
        case Rescaling():
            return x * layer.scale + layer.offset
        case Flatten() | Reshape():
            shape: Shape = (math.prod(x.shape[1:]),) if isinstance(layer, Flatten) else layer.shape
            return tf.reshape(x, (-1, *shape))
        case _:
            raise ValueError(f"{layer} cannot be trained here")


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
        layers: of its topology.
        arrays: of each layer.
        x: (n, *input_shape).
        training: or in inference mode.
        precision: a key of `PRECISIONS`.

    Returns:
        (n, outputs), float32; in training also each batch normalisation's means and biased
        variances, end to end, if there is one.

    Raises:
        ValueError: a layer that no search builds (dropout, one that surgery does not know).
    """
    if not training:
        layers, arrays = _without_normalisations(layers, arrays)
    skipped = False
    seen: list[tf.Tensor] = []
    pixels: list[float] = []  # of a sample that each of them is from
    bias: tf.Tensor | float = 0.0  # left out, for the next normalisation
    steps = not training and onednn.is_faster(math.prod(x.shape[1:]))
    last = max((i for i, layer in enumerate(layers) if isinstance(layer, Conv | Dense)), default=0)
    x = tf.cast(x, PRECISIONS[precision])
    for i, (layer, own) in enumerate(zip(layers, arrays, strict=True)):
        if i == last:
            x = tf.cast(x, tf.float32)
        if training and isinstance(layer, Conv | Dense) and _is_normalised(layer, layers[i + 1 :]):
            bias, own = own[1], own[:1]
            layer = replace(layer, use_bias=False)
        if skipped:
            skipped = False
        elif isinstance(layer, Conv) and _is_averaged(layer, layers[i + 1 :], x.shape[1:]):
            x, skipped = _averages(layer, own, x, steps=steps), True
        elif isinstance(layer, BatchNorm):
            x, statistics = _normalised(layer, own, x, training=training)
            if statistics:
                seen += (statistics[0] + bias, statistics[1])
                pixels += (math.inf, math.prod(x.shape[1:-1]))
                bias = 0.0
        else:
            x = _apply(layer, own, x)
    return x, _biased_variances(seen, pixels, tf.shape(x)[0]) if seen else None
