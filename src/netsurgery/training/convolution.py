"""Convolutions of images, with a faster gradient in bfloat16.

For images of up to four pixels a row, oneDNN's gradient of a convolution by its kernel takes up to
three times as long as the convolution in bfloat16, and longer than in float32. Products of
matrices, one for each place of the window, take about as long as the convolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from netsurgery.networks.layers import SAME
from netsurgery.training import onednn

NARROW = 4  # pixels in a row of the output, up to which products of matrices are faster


def convolve(x: tf.Tensor, kernel: tf.Tensor, strides: Any, padding: str) -> tf.Tensor:
    """A convolution of images.

    Args:
        x: (n, height, width, channels).
        kernel: (*window, channels, outputs), of the same data type.
        strides: of the window: a number, or a list with one for each side.
        padding: SAME or VALID.
    """
    reach = 0 if padding == SAME.upper() else kernel.shape[1] - 1
    is_narrow = x.shape[2] is not None and x.shape[2] - reach <= NARROW
    is_narrow = is_narrow and strides in (1, [1, 1])
    if x.dtype == tf.bfloat16 and is_narrow and onednn.has_bfloat16():
        return _convolve_narrow(x, kernel, padding)
    return tf.nn.conv2d(x, kernel, strides, padding)


def _convolve_narrow(x: tf.Tensor, kernel: tf.Tensor, padding: str) -> tf.Tensor:
    """A convolution with strides of 1, whose gradient by its kernel is products of matrices."""

    @tf.custom_gradient
    def result(x: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Any]:
        def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            by_input = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(x),
                filter=kernel,
                out_backprop=upstream,
                strides=[1, 1, 1, 1],
                padding=padding,
            )
            return by_input, _gradient_by_kernel(x, upstream, kernel.shape, padding)

        return tf.nn.conv2d(x, kernel, 1, padding), gradients

    return result(x, kernel)


def _gradient_by_kernel(
    x: tf.Tensor, upstream: tf.Tensor, shape: Sequence[int], padding: str
) -> tf.Tensor:
    """The gradient of a convolution by its kernel, of that shape: a product for each weight."""
    rows, columns, channels, outputs = shape
    if padding == SAME.upper():  # an even window reaches further after a pixel than before it
        before = [(side - 1) // 2 for side in (rows, columns)]
        after = [side - 1 - first for side, first in zip((rows, columns), before, strict=True)]
        x = tf.pad(x, ((0, 0), *zip(before, after, strict=True), (0, 0)))
    height, width = upstream.shape[1:3]
    flat = tf.reshape(upstream, (-1, outputs))
    products = [
        tf.matmul(
            tf.reshape(x[:, i : i + height, j : j + width], (-1, channels)), flat, transpose_a=True
        )
        for i in range(rows)
        for j in range(columns)
    ]
    return tf.reshape(tf.stack(products), shape)
