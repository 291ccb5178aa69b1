"""An epoch of training as one compiled loop.

The first call of Keras's `fit` takes a second, which for small networks is most of a job. An epoch
here is one compiled loop around the same optimizer, loss and metrics.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from netsurgery.training.compiler import POSITIONS, Compiler, SumsFunction

RATES = tf.TensorSpec([None], tf.float32)
NO_MOVES = np.zeros((0, 0), np.int32)  # of samples that stay as they are


def compile_epoch(compiler: Compiler, batch_size: int) -> SumsFunction:
    """A function that trains an epoch, and gives the sums over it.

    It takes the order of the samples, int32 (n,), the learning rate of each batch, float32, and how
    the samples change, int32 (n, ...), where they do.
    """
    network, metrics, batches = compiler.network, compiler.metrics, compiler.batches
    weights = network.weights

    def epoch(
        order: tf.Tensor, rates: tf.Tensor, moves: tf.Tensor, *tensors: tf.Tensor
    ) -> tf.Tensor:
        def step(batch: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, ...]:
            first = batch * batch_size
            start = tf.expand_dims(first, 0)
            # faster than a slice from one scalar to another
            own = tf.strided_slice(order, start, start + batch_size, (1,))
            shifts = moves[first : first + batch_size] if batches.samples.change else None
            x, y = batches.take(own, *tensors, moves=shifts)
            with tf.GradientTape() as tape:
                given = network.forward(x, training=True, precision=compiler.precision)
                losses = given.with_penalties(metrics.losses(y, given.output))
            count = tf.shape(losses)
            shares = tf.fill(count, 1 / tf.cast(count[0], tf.float32))  # of each loss in their mean
            gradients = tape.gradient(
                losses,
                [weight.value for weight in weights],
                output_gradients=shares,
                # biases before a batch normalization are left out (see `forward`)
                unconnected_gradients=tf.UnconnectedGradients.ZERO,
            )
            rate = tf.gather(rates, batch)
            network.decay_weights(rate)
            with network.learning_rate(rate):
                network.optimizer.apply(gradients, weights)
            return batch + 1, sums + metrics.sums(y, given.output, losses)

        count = tf.size(rates)
        begin = (0, tf.zeros(metrics.width))
        return tf.while_loop(lambda done, _: done < count, step, begin, parallel_iterations=1)[1]

    return compiler.compile("epoch", epoch, (POSITIONS, RATES, batches.moves), batch_size)
