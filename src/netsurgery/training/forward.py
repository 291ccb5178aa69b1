"""The forward pass in TensorFlow: what the Keras model computes, in fewer operations.

Tracing a Keras model's layers takes longer than training a small network, and its batch
normalization is a dozen operations where TensorFlow has one. `layers` and `normalization` hold what
single layers compute, `fused_operations` joins them.

**Precision.** Training may compute in bfloat16, except for the layer that gives the output, as with
Keras's policy `mixed_bfloat16`; arrays, statistics and the loss stay float32. Inference mode always
computes in float32: what scores a network is what whoever loads it gets.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import tensorflow as tf

from netsurgery.keras_io.kept_calls import KeptCall, mask_passed_on
from netsurgery.networks.averages import is_averaged
from netsurgery.networks.layers import (
    BatchNorm,
    Conv,
    Cropping,
    Flatten,
    InputPart,
    Join,
    KernelLayer,
    Layer,
    LinearLayer,
    OnePixel,
    Reshape,
)
from netsurgery.networks.penalties import penalty_of
from netsurgery.networks.steps import INPUT
from netsurgery.networks.topology import Topology
from netsurgery.objectives.training_settings import BFLOAT16, FLOAT32
from netsurgery.training import layers, onednn
from netsurgery.training.fused_operations import (
    Arrays,
    convolve_and_average,
    fold_normalizations,
    normalization_of,
)
from netsurgery.training.normalization import biased_variances, normalize

RESHAPING = InputPart | Flatten | Reshape | OnePixel | Cropping
NO_CALLS: Mapping[int, KeptCall] = MappingProxyType({})
# the data types that layers compute in
PRECISIONS = {FLOAT32: tf.float32, BFLOAT16: tf.bfloat16}


@dataclass(frozen=True)
class Forward:
    """What a pass gives.

    Attributes:
        output: (n, outputs), float32.
        statistics: in training the concatenated means and biased variances of the batch, of all
            batch normalizations; None without any.
        states: by the positions of kept layers what their arrays become that are not trained; None
            for those that stay.
        penalties: scalars that belong to the loss: L1, L2 and what kept layers add.
    """

    output: tf.Tensor
    statistics: tf.Tensor | None
    states: Mapping[int, tuple[tf.Tensor | None, ...]]
    penalties: tuple[tf.Tensor, ...]

    def with_penalties(self, losses: tf.Tensor) -> tf.Tensor:
        """The losses of the samples (n,), each with the penalties of the network, as in Keras."""
        return losses + tf.add_n(self.penalties) if self.penalties else losses


def forward(
    topology: Topology,
    arrays: Sequence[Arrays],
    x: tf.Tensor,
    *,
    training: bool,
    precision: str = FLOAT32,
    seed: tf.Tensor | None = None,
    kept: Mapping[int, KeptCall] = NO_CALLS,
) -> Forward:
    """What the network gives for a batch.

    Args:
        topology: the network's.
        arrays: the arrays of each layer.
        x: (n, *input_shape).
        training: whether to compute in training mode or in inference mode.
        precision: of training, a key of `PRECISIONS`; inference mode computes in float32.
        seed: (2,), int32, of what layers draw in training; each draws its own from it.
        kept: by their positions the layers that surgery keeps as they are.

    Raises:
        ValueError: a layer is unknown, or draws without a seed.
    """
    penalties = _penalties(topology, arrays)
    changed: dict[int, Layer] = {}
    passed = set[int]()  # layers whose work is done in another one
    if not training:
        changed, arrays, passed = fold_normalizations(topology, arrays)
    left_out: dict[int, tf.Tensor] = {}  # biases, by the normalizations that subtract them
    states: dict[int, tuple[tf.Tensor | None, ...]] = {}
    statistics: list[tf.Tensor] = []
    pixels: list[float] = []  # per sample, behind each statistic
    strided = not training and onednn.is_faster(math.prod(x.shape[1:]))
    last = max(topology.positions(KernelLayer), default=0)
    dtype = PRECISIONS[precision] if training else tf.float32
    # embeddings take whole numbers, which bfloat16 would round
    values = {INPUT: tf.cast(x, tf.float32 if kept else dtype)}
    for i, step in enumerate(topology.steps):
        layer, own = changed.get(i, step.layer), arrays[i]
        x, *others = (values[j] for j in step.inputs)
        if i == last:
            x = tf.cast(x, tf.float32)
        elif kept and i < last and i not in kept and not isinstance(layer, RESHAPING):
            x = tf.cast(x, dtype)
        chain = [j for j in topology.chain(i) if j not in passed]
        rest = [topology.layers[j] for j in chain]
        if training and isinstance(layer, LinearLayer):
            norm = normalization_of(layer, rest)
            if norm is not None:
                left_out[chain[norm]], own = own[-1], own[:-1]
                layer = layer.with_bias(False)
        if i in passed:
            pass
        elif i in kept:
            mine = None if seed is None else tf.random.experimental.stateless_fold_in(seed, i)
            given = kept[i](own, [x, *others], training=training, seed=mine)
            x, states[i] = given.output, given.states
            penalties += given.penalties
            if x.dtype.is_floating:
                x = tf.cast(x, tf.float32 if i > last else dtype)
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
        if i not in kept and (layer.is_elementwise or isinstance(layer, Join)):
            mask_passed_on([values[j] for j in step.inputs], x)
        values[i] = x
    seen = biased_variances(statistics, pixels, tf.shape(x)[0]) if statistics else None
    return Forward(x, seen, states, tuple(penalties))


def _penalties(topology: Topology, arrays: Sequence[Arrays]) -> list[tf.Tensor]:
    """L1 and L2 of the kernels, as Keras's regularizers add them to the loss."""
    found = []
    for layer, own in zip(topology.layers, arrays, strict=True):
        l1, l2 = penalty_of(layer)
        for kernel in (array for array in own if len(array.shape) > 1):
            if l1:
                found.append(l1 * tf.reduce_sum(tf.abs(kernel)))
            if l2:
                found.append(l2 * tf.reduce_sum(tf.square(kernel)))
    return found
