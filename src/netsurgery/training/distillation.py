"""Distillation: a network learns from the predictions of a teacher (Hinton et al., 2015).

What a trained network predicts says more of a sample than its class: which others it resembles. A
smaller network that learns it generalizes better than from the classes alone.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from netsurgery.datasets import Samples
from netsurgery.training.compiler import POSITIONS, Compiler
from netsurgery.training.graphs import GraphCache
from netsurgery.training.metrics import Classification, metric_sums
from netsurgery.training.model import TrainableNetwork
from netsurgery.training.samples import Batches

VIEWS = 4  # of each sample, changed at random as in training, of which the teacher's mean counts
SHARE = 0.9  # of the loss that compares with the teacher; the rest compares with the classes
BATCH = 500  # samples that the teacher sees at once


def predict(teacher: TrainableNetwork, samples: Samples, rng: np.random.Generator) -> np.ndarray:
    """What a teacher predicts for training samples: the mean over views of each.

    Args:
        teacher: a trained network that gives the probabilities of classes.
        samples: to train on.
        rng: draws how the views change.

    Returns:
        Probabilities, float32 (N, classes), of all samples as stored; 0 for those of other parts.
    """
    batches, change = Batches(samples), samples.change

    def predict_batch(positions: tf.Tensor, moves: tf.Tensor, *tensors: tf.Tensor) -> tf.Tensor:
        x, _ = batches.take(positions, *tensors, moves=None if change is None else moves)
        return teacher.forward(x, training=False).output

    known = samples.y, samples.target, teacher.loss, teacher.outputs
    metrics = metric_sums(*known, logits=teacher.logits)
    compiler = Compiler(teacher, metrics, batches, GraphCache())
    outputs = compiler.compile("teacher", predict_batch, (POSITIONS, batches.moves), warm_up=1)
    predicted = np.zeros((len(samples.y), teacher.outputs))
    views, count = 1 if change is None else VIEWS, len(samples.indices)
    for _ in range(views):
        moves = np.zeros((count, 0), np.int32) if change is None else change.draw(count, rng)
        for start in range(0, count, BATCH):
            positions = np.arange(start, min(start + BATCH, count), dtype=np.int32)
            own = samples.indices[positions]
            predicted[own] += outputs(positions, moves[positions]) / views
    return predicted.astype(np.float32)


def with_predictions(y: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Labels that `Distilled` takes, float32 (N, 1 + classes).

    Args:
        y: (N,) class numbers.
        predicted: (N, classes) by the teacher.
    """
    return np.concatenate([y[:, None].astype(np.float32), predicted], axis=1)


class Distilled(Classification):
    """Loss and metrics of a network with a teacher; those of classes, but for the loss."""

    def losses(self, y: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
        """The weighted loss of each sample, (n,).

        Args:
            y: (n, 1 + classes) (see `with_predictions`).
            predicted: (n, classes).
        """
        classes = _classes(y)
        of_classes = super().losses(classes, predicted)
        of_teacher = keras.losses.CategoricalCrossentropy().call(y[:, 1:], predicted)
        if self.weights is not None:
            of_teacher *= tf.gather(self.weights, classes)
        return SHARE * of_teacher + (1 - SHARE) * of_classes

    def sums(self, y: tf.Tensor, predicted: tf.Tensor, losses: tf.Tensor) -> tf.Tensor:
        """(width,) sums over a batch, the loss first.

        Args:
            y: (n, 1 + classes) (see `with_predictions`).
            predicted: (n, classes).
            losses: (n,), theirs.
        """
        return super().sums(_classes(y), predicted, losses)


def _classes(y: tf.Tensor) -> tf.Tensor:
    return tf.cast(y[:, 0], tf.int32)
