"""Batch normalization in TensorFlow: one operation instead of Keras's dozen.

**In bfloat16.** oneDNN has fast kernels for channels in multiples of 16 only; for others it takes
ten times as long. Pixels side by side are then seen as one pixel with so many channels. The
statistics of a channel are those of its parts together, and so are the sums in its gradients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from netsurgery.networks.layers import BatchNorm
from netsurgery.training import onednn
from netsurgery.training.fused_operations import Arrays

FAST_CHANNELS = 16  # channels come in multiples of them in oneDNN's fast kernels for bfloat16


def normalize(
    layer: BatchNorm, arrays: Arrays, x: tf.Tensor, *, training: bool
) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
    """Normalize a batch, in training by its own statistics.

    Returns:
        The normalized batch, and in training its mean and unbiased variance.
    """
    *learned, mean, variance = arrays
    gamma = learned[0] if layer.scale else tf.ones_like(mean)
    beta = learned[-1] if layer.center else tf.zeros_like(mean)
    parts = FAST_CHANNELS // math.gcd(x.shape[-1], FAST_CHANNELS)
    divisible = len(x.shape) > 2 and math.prod(x.shape[1:-1]) % parts == 0
    joins = parts > 1 and divisible and onednn.has_bfloat16()
    if training and x.dtype == tf.bfloat16 and joins:
        y, *statistics = _normalize_parts(x, gamma, beta, layer.epsilon, parts)
        return y, tuple(statistics)
    sides = (*x.shape[1:-1], *[1] * (4 - len(x.shape)))
    image = x if len(x.shape) == 4 else tf.reshape(x, (-1, *sides, x.shape[-1]))
    if training:
        result = _normalized_by_itself(image, gamma, beta, layer.epsilon)
    else:
        result = _normalized(image, gamma, beta, mean, variance, layer.epsilon)
    y = result.y if image is x else tf.reshape(result.y, (-1, *x.shape[1:]))
    return y, (result.batch_mean, result.batch_variance) if training else ()


def _normalized(
    image: tf.Tensor,
    gamma: tf.Tensor,
    beta: tf.Tensor,
    mean: tf.Tensor,
    variance: tf.Tensor,
    epsilon: float,
) -> Any:
    """The operation by given statistics."""
    return tf.raw_ops.FusedBatchNormV3(
        x=image,
        scale=gamma,
        offset=beta,
        mean=mean,
        variance=variance,
        epsilon=epsilon,
        is_training=False,
    )


def _normalized_by_itself(
    image: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: float
) -> Any:
    """The operation by the batch's own statistics."""
    unused = tf.constant([], tf.float32)
    return tf.raw_ops.FusedBatchNormV3(
        x=image,
        scale=gamma,
        offset=beta,
        mean=unused,
        variance=unused,
        epsilon=epsilon,
        is_training=True,
    )


def _normalize_parts(
    x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: float, parts: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Normalize a batch by its own statistics, with several pixels as one.

    Args:
        x: (n, *sides, channels).
        gamma: (channels,).
        beta: (channels,).
        epsilon: of the layer.
        parts: pixels that are seen as one; a divisor of those of a sample.

    Returns:
        The normalized batch, its mean and unbiased variance.
    """
    pixels, channels = math.prod(x.shape[1:-1]), x.shape[-1]

    def joined(image: tf.Tensor) -> tf.Tensor:
        return tf.reshape(image, (-1, 1, pixels // parts, parts * channels))

    def repeated(values: tf.Tensor) -> tf.Tensor:
        return tf.tile(values, [parts])

    def by_part(values: tf.Tensor) -> tf.Tensor:
        return tf.reshape(values, (parts, channels))

    @tf.custom_gradient
    def result(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tuple[Any, Any]:
        image, count = joined(x), tf.cast(tf.shape(x)[0] * pixels, tf.float32)
        ones = tf.ones(parts * channels)
        of_parts = _normalized_by_itself(image, ones, 0 * ones, epsilon)
        means = by_part(of_parts.batch_mean)
        variances = by_part(of_parts.batch_variance) * (1 - parts / count)  # biased ones
        mean = tf.reduce_mean(means, 0)
        variance = tf.reduce_mean(variances + (means - mean) ** 2, 0)
        statistics = repeated(mean), repeated(variance)
        y = _normalized(image, repeated(gamma), repeated(beta), *statistics, epsilon).y

        def gradients(upstream: tf.Tensor, *_: tf.Tensor) -> tuple[tf.Tensor, ...]:
            direct = tf.raw_ops.FusedBatchNormGradV3(
                y_backprop=joined(upstream),
                x=image,
                scale=repeated(gamma),
                reserve_space_1=statistics[0],
                reserve_space_2=statistics[1],
                reserve_space_3=tf.constant([], tf.float32),
                epsilon=epsilon,
                is_training=False,
            )
            by_gamma = tf.reduce_sum(by_part(direct.scale_backprop), 0)
            by_beta = tf.reduce_sum(by_part(direct.offset_backprop), 0)
            # what the input changes through the statistics is linear in the normalized batch
            factor = -gamma * tf.math.rsqrt(variance + epsilon) / count
            slope, offset = repeated(factor * by_gamma), repeated(factor * by_beta)
            indirect = _normalized(image, slope, offset, *statistics, epsilon).y
            return tf.reshape(direct.x_backprop + indirect, tf.shape(x)), by_gamma, by_beta

        unbiased = variance * count / (count - 1)
        return (tf.reshape(y, tf.shape(x)), mean, unbiased), gradients

    return result(x, gamma, beta)


def biased_variances(
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
