"""An epoch of training as one compiled loop.

The first call of Keras's `fit` takes a second, which for small networks is most of a job. An epoch
here is one compiled loop around the same optimizer, loss and metrics.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from netsurgery.training import batch_parts
from netsurgery.training.compiler import POSITIONS, Compiler, SumsFunction

RATES = tf.TensorSpec([None], tf.float32)
NO_MOVES = np.zeros((0, 0), np.int32)  # of samples that stay as they are


def compile_epoch(compiler: Compiler, batch_size: int, parts: int = 1) -> SumsFunction:
    """A function that trains an epoch, and gives the sums over it.

    It takes the order of the samples, int32 (n,), the learning rate of each batch, float32, and how
    the samples change, int32 (n, ...), where they do.

    Args:
        compiler: of the network and its samples.
        batch_size: samples per batch.
        parts: of each batch (see `batch_parts`).
    """
    network, metrics, batches = compiler.network, compiler.metrics, compiler.batches

    def epoch(
        order: tf.Tensor, rates: tf.Tensor, moves: tf.Tensor, *tensors: tf.Tensor
    ) -> tf.Tensor:
        def step(batch: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, ...]:
            first = batch * batch_size
            start = tf.expand_dims(first, 0)
            # faster than a slice from one scalar to another
            own = tf.strided_slice(order, start, start + batch_size, (1,))
            shifts = moves[first : first + batch_size] if batches.samples.change else None
            passes = [
                batch_parts.train_part(compiler, part, *tensors)
                for part in batch_parts.split(own, shifts, parts)
            ]
            whole = batch_parts.join(passes)
            network.update(whole.given)
            rate = tf.gather(rates, batch)
            network.decay_weights(rate)
            with network.learning_rate(rate):
                network.optimizer.apply(whole.gradients, network.weights)
            return batch + 1, sums + metrics.sums(whole.labels, whole.given.output, whole.losses)

        count = tf.size(rates)
        begin = (0, tf.zeros(metrics.width))
        return tf.while_loop(lambda done, _: done < count, step, begin, parallel_iterations=1)[1]

    arguments = POSITIONS, RATES, batches.moves
    return compiler.compile("epoch", epoch, arguments, batch_size, parts)
