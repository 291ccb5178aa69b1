"""A batch in parts that are computed at the same time, and their gradients added.

Each part is a computation of its own within the compiled epoch, on one thread. TensorFlow runs
those on as many threads as it is given, with the same result: no sum depends on their number. As in
Keras's data-parallel training, batch normalization sees the statistics of each part alone, and the
moving statistics follow the mean of the parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise

import tensorflow as tf

from netsurgery.training.compiler import Compiler
from netsurgery.training.forward import Forward


@dataclass(frozen=True)
class Part:
    """Some samples of a batch.

    Kernels need a sample at least: a part without any has one that counts for nothing.

    Attributes:
        number: of the part, from 0; None: it is the whole batch.
        positions: of its samples, int32 (n,).
        moves: how they change, int32 (n, ...), or None.
        count: how many of them count, the first ones, ().
        batch: how many samples are in the whole batch, ().
    """

    number: int | None
    positions: tf.Tensor
    moves: tf.Tensor | None
    count: tf.Tensor
    batch: tf.Tensor


@dataclass(frozen=True)
class Pass:
    """What a pass over a part gives.

    Attributes:
        labels: of its samples, (n, ...).
        given: by the network.
        losses: of its samples, (n,).
        gradients: of the sum of losses over the number of samples in the whole batch.
        share: of the batch that it is, ().
    """

    labels: tf.Tensor
    given: Forward
    losses: tf.Tensor
    gradients: list[tf.Tensor]
    share: tf.Tensor


def split(positions: tf.Tensor, moves: tf.Tensor | None, parts: int) -> list[Part]:
    """A batch in parts whose sizes differ by one at most."""
    batch = tf.size(positions)
    if parts == 1:
        return [Part(None, positions, moves, batch, batch)]
    found = []
    ends = [batch * number // parts for number in range(parts + 1)]
    for number, (first, end) in enumerate(pairwise(ends)):
        piece = slice(first, tf.maximum(end, first + 1))
        moved = None if moves is None else moves[piece]
        found.append(Part(number, positions[piece], moved, end - first, batch))
    return found


def train_part(compiler: Compiler, part: Part, *tensors: tf.Tensor) -> Pass:
    """The gradients of a part; the weights stay."""
    network = compiler.network
    x, labels = compiler.batches.take(part.positions, *tensors, moves=part.moves)
    with tf.GradientTape() as tape:
        given = network.forward(x, training=True, precision=compiler.precision, part=part.number)
        losses = given.with_penalties(compiler.metrics.losses(labels, given.output))
    in_mean = 1 / tf.cast(part.batch, tf.float32)  # of each loss
    share = in_mean * tf.cast(part.count, tf.float32)
    gradients = tape.gradient(
        losses,
        [weight.value for weight in network.weights],
        output_gradients=tf.fill(tf.shape(losses), tf.minimum(in_mean, share)),
        # biases before a batch normalization are left out (see `forward`)
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )
    if part.number is not None:
        labels, losses = labels[: part.count], losses[: part.count]
        given = replace(given, output=given.output[: part.count])
    return Pass(labels, given, losses, gradients, share)


def join(passes: Sequence[Pass]) -> Pass:
    """What the passes over all parts give together: the sums of gradients, in order."""
    if len(passes) == 1:
        return passes[0]
    gradients = zip(*(each.gradients for each in passes), strict=True)
    return Pass(
        labels=tf.concat([each.labels for each in passes], 0),
        given=_joined([each.given for each in passes], [each.share for each in passes]),
        losses=tf.concat([each.losses for each in passes], 0),
        gradients=[reduce(tf.add, each) for each in gradients],
        share=tf.constant(1.0),
    )


def _joined(passes: Sequence[Forward], shares: Sequence[tf.Tensor]) -> Forward:
    """The outputs of all parts, and means of what is not trained."""

    def mean(values: Sequence[tf.Tensor | None]) -> tf.Tensor | None:
        if values[0] is None or not values[0].dtype.is_floating:  # such as a state of a generator
            return values[0]
        return reduce(tf.add, map(tf.multiply, values, shares))

    first = passes[0]
    return Forward(
        tf.concat([each.output for each in passes], 0),
        mean([each.statistics for each in passes]),
        {
            i: tuple(map(mean, zip(*(each.states[i] for each in passes), strict=True)))
            for i in first.states
        },
        first.penalties,
    )
