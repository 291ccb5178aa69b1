"""The gradient of the loss by single weights, without training."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from netsurgery.datasets import Samples
from netsurgery.networks.layers import Arrays
from netsurgery.training.metrics import metric_sums
from netsurgery.training.model import TrainableNetwork
from netsurgery.training.samples import Batches

BATCH = 256  # samples whose gradient is computed at once


def gradient_norm(
    network: TrainableNetwork, kept: Sequence[Arrays], samples: Samples, positions: np.ndarray
) -> float:
    """The Euclidean norm of the mean loss's gradient by some weights, in inference mode.

    Args:
        network: whose loss it is; it stays unchanged.
        kept: for each layer arrays of the shapes of its trainable ones, 0 for the weights that
            count and 1 for all others.
        samples: a part of the dataset.
        positions: int32 (n,), of the samples in it.

    Returns:
        The norm; NaN or infinite if the gradient is.
    """
    known = samples.y, samples.target, network.loss, network.outputs
    losses = metric_sums(*known, logits=network.logits).losses
    batches = Batches(samples)
    total = [np.zeros(variable.shape) for variable in network.weights]
    for start in range(0, len(positions), BATCH):
        x, y = batches.take(tf.constant(positions[start : start + BATCH]), *batches.tensors)
        variables = [weight.value for weight in network.weights]
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(losses(y, network(x, training=False)))
        gradients = tape.gradient(
            loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        total = [a + b.numpy() for a, b in zip(total, gradients, strict=True)]
    square = sum(
        float(np.square(gradient * (1 - mask)).sum())
        for arrays, masks in zip(network.by_layer(total), kept, strict=True)
        for gradient, mask in zip(arrays, masks, strict=True)
    )
    return math.sqrt(square) / len(positions)
