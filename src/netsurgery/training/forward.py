"""The forward pass in TensorFlow: what the Keras model computes, in fewer operations.

Tracing a Keras model's layers takes longer than training a small network, and its batch
normalization is a dozen operations where TensorFlow has one. `layers` and `normalization` hold what
single layers compute, `fused_operations` joins them.

**Mixed precision.** All layers but the one that gives the output compute in bfloat16, as with
Keras's policy `mixed_bfloat16`; arrays, statistics and the loss stay float32.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import tensorflow as tf

from netsurgery.networks.layers import BatchNorm, Conv, Join, KernelLayer, Layer
from netsurgery.networks.steps import INPUT
from netsurgery.networks.topology import Topology
from netsurgery.objectives.training_settings import FLOAT32
from netsurgery.training import layers, onednn
from netsurgery.training.fused_operations import (
    Arrays,
    Biased,
    convolve_and_average,
    fold_normalizations,
    is_averaged,
    normalization_of,
    with_bias,
)
from netsurgery.training.normalization import biased_variances, normalize

# the data types that layers compute in
PRECISIONS = {FLOAT32: tf.float32, "mixed_bfloat16": tf.bfloat16}


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
            x = layers.join(layer, [x, *others])
        elif isinstance(layer, Conv) and is_averaged(layer, rest, x.shape[1:]):
            x = convolve_and_average(layer, own, x, strided=strided)
            x = layers.add_bias(layer, own, x)
            passed.add(chain[0])
        elif isinstance(layer, BatchNorm):
            x, mean_and_variance = normalize(layer, own, x, training=training)
            if mean_and_variance:
                mean, variance = mean_and_variance
                statistics += (mean + left_out.pop(i, 0.0), variance)
                pixels += (math.inf, math.prod(x.shape[1:-1]))
        elif training and type(layer) in layers.DRAWING:
            x = layers.draw(layer, x, None if seed is None else seed + tf.constant([0, i]))
        else:
            x = layers.apply(layer, own, x)
        values[i] = x
    return x, biased_variances(statistics, pixels, tf.shape(x)[0]) if statistics else None
