"""Batch normalization in TensorFlow: one operation instead of Keras's dozen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from netsurgery.networks.layers import BatchNorm
from netsurgery.training.fused_operations import Arrays


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
