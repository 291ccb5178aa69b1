"""What the forward pass computes in fewer operations than the layers of the Keras model.

**Convolution and average pooling.** If only the averages over 2x2 squares of a convolution's output
are used, they are computed directly: they are a convolution with strides of 2, whose kernel is the
mean of four shifted copies of the original one. For a 3x3 kernel this takes 16 multiplications per
weight and average instead of 36, and the full-size output is never in memory. In training, and
without oneDNN, the convolution runs on blocks of pixels instead, because TensorFlow's strided
convolution and its gradient are slow.

**Bias before batch normalization.** The normalization subtracts the batch's mean and with it the
bias. In training the bias is left out: it gets no gradient and only shifts the moving mean. In
inference mode the normalization is folded into the weights before it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from netsurgery.networks.layers import (
    BatchNorm,
    Conv,
    DepthwiseConv,
    Layer,
    LinearLayer,
    Pool,
)
from netsurgery.networks.steps import INPUT
from netsurgery.networks.topology import Topology
from netsurgery.training.convolution import convolve

Arrays = Sequence[tf.Tensor]  # of a layer, in the order of `Network.weights`


def normalization_of(layer: LinearLayer, rest: Sequence[Layer]) -> int | None:
    """The index of the batch normalization that subtracts a layer's bias; None without one.

    Args:
        layer: the layer.
        rest: the layers behind it (`Topology.chain`); pooling may come before the normalization.
    """
    index = 1 if rest and isinstance(rest[0], Pool) else 0
    plain = layer.use_bias and layer.activation == "linear"
    return index if plain and isinstance(next(iter(rest[index:]), None), BatchNorm) else None


@functools.cache
def _shift_and_average(size: int) -> np.ndarray:
    """A matrix that turns a square kernel of odd size into the mean of its four shifted copies.

    Returns:
        (size + 1, size + 1, size**2): new taps by old taps.
    """
    taps = np.eye(size * size, dtype=np.float32).reshape(size, size, -1)
    copies = [np.pad(taps, ((a, 1 - a), (b, 1 - b), (0, 0))) for a in (0, 1) for b in (0, 1)]
    return np.asarray(np.mean(copies, axis=0, dtype=np.float32))


def convolve_and_average(layer: Conv, arrays: Arrays, x: tf.Tensor, *, strided: bool) -> tf.Tensor:
    """A convolution, without its bias, and the average pooling over 2x2 after it.

    Args:
        layer: the convolution, for which `is_averaged` holds.
        arrays: its arrays.
        x: (n, height, width, channels).
        strided: whether to use strides of 2, or blocks of 2x2 pixels.
    """
    size, channels = arrays[0].shape[0], x.shape[-1]
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
        x = convolve(tf.nn.space_to_depth(tf.pad(x, margins), 2), kernel, 1, "VALID")
    return x


def _fold_into_weights(layer: LinearLayer, arrays: Arrays, norm: BatchNorm, own: Arrays) -> Arrays:
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
    *kernels, bias = arrays if layer.use_bias else (*arrays, 0.0)
    # the last kernel is the one that gives the outputs; a depthwise one has another axis after them
    by_output = factor[:, None] if isinstance(layer, DepthwiseConv) else factor
    kernels[-1] = kernels[-1] * by_output
    offset = (bias - mean) * factor
    return *kernels, offset + learned[-1] if norm.center else offset


def fold_normalizations(
    topology: Topology, arrays: Sequence[Arrays]
) -> tuple[dict[int, Layer], list[Arrays], set[int]]:
    """Fold each normalization into the weights before it, for inference mode, if possible.

    Average pooling may lie between, but not max pooling, because factors may be negative.

    Args:
        topology: the network's.
        arrays: of each layer.

    Returns:
        By position the layers that change, the arrays of all, and the positions of the
        normalizations that do nothing any more.
    """
    changed: dict[int, Layer] = {}
    own, folded = list(arrays), set[int]()

    def before(position: int) -> int:
        """The layer whose output is the input here, if nothing else reads it; else `INPUT`."""
        (position,) = topology.steps[position].inputs
        while position in folded:
            (position,) = topology.steps[position].inputs
        return position if position != INPUT and len(topology.readers[position]) == 1 else INPUT

    for position, norm in enumerate(topology.layers):
        if not isinstance(norm, BatchNorm):
            continue
        source = before(position)
        pool = topology.layers[source] if source != INPUT else None
        if isinstance(pool, Pool) and pool.function == "average":
            source = before(source)
        layer = changed.get(source, topology.layers[source]) if source != INPUT else None
        if isinstance(layer, LinearLayer) and layer.activation == "linear":
            own[source] = _fold_into_weights(layer, own[source], norm, own[position])
            changed[source] = layer.with_bias(True)
            folded.add(position)
    return changed, own, folded
