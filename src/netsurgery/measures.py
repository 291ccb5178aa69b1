"""Losses and metrics as sums over a batch, which add up to those of an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from netsurgery.datasets import Samples

Scores = dict[str, float]

CROSSENTROPY = "crossentropy"
LOSSES = {"mse": "mean_squared_error", "mae": "mean_absolute_error", "huber": "huber"}


def loss_of(name: str, *, logits: bool) -> Any:
    """What Keras is to compile a model with.

    Args:
        name: crossentropy, mse, mae or huber.
        logits: whether the model's output is linear, so that its cross-entropy is that of logits.
    """
    if name != CROSSENTROPY:
        return LOSSES[name]
    if logits:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return "sparse_categorical_crossentropy"


class _WithLoss:
    """What all have in common: the loss of every sample, by any of Keras's losses."""

    metrics: Sequence[str] = ()  # those that were asked for
    weights: np.ndarray | None = None  # (classes,) of the samples' losses

    def __init__(self, loss: Any) -> None:
        loss = keras.losses.get(loss)
        self._losses = loss.call if isinstance(loss, keras.losses.Loss) else loss

    def losses(self, y: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
        """(n,) losses.

        Args:
            y: what is to be learned.
            predicted: (n, outputs).
        """
        return self._losses(y, predicted)


class Classification(_WithLoss):
    """Loss and accuracy; if asked for, top-5 accuracy and the mean accuracy of the classes.

    Args:
        loss: as Keras compiles with it.
        classes: of the samples.
        metrics: names of those to measure besides accuracy.
        weights: (classes,) of the samples' losses; None: all are 1.
    """

    def __init__(
        self, loss: Any, classes: int, metrics: Sequence[str], weights: np.ndarray | None
    ) -> None:
        super().__init__(loss)
        self.classes = classes
        self.metrics = metrics
        self.weights = None if weights is None else weights.astype(np.float32)

    @property
    def width(self) -> int:
        """How many sums there are."""
        more = {"top5_accuracy": 1, "balanced_accuracy": 2 * self.classes}
        return 2 + sum(more[name] for name in self.metrics)

    def losses(self, y: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
        """(n,) losses, weighted.

        Args:
            y: (n,) class numbers.
            predicted: (n, classes).
        """
        losses = super().losses(y, predicted)
        return losses if self.weights is None else losses * tf.gather(self.weights, y)

    def sums(self, y: tf.Tensor, predicted: tf.Tensor, losses: tf.Tensor) -> tf.Tensor:
        """(width,) sums over a batch, the loss first.

        Args:
            y: (n,) class numbers.
            predicted: (n, classes).
            losses: (n,) of them.
        """
        most = tf.argmax(predicted, axis=-1, output_type=tf.int32)
        hits = tf.cast(tf.equal(most, y), tf.float32)
        found = [tf.stack([tf.reduce_sum(losses), tf.reduce_sum(hits)])]
        for name in self.metrics:
            if name == "top5_accuracy":
                top = keras.metrics.sparse_top_k_categorical_accuracy(y, predicted, k=5)
                found.append(tf.reduce_sum(tf.cast(top, tf.float32))[None])
            else:
                for values in (hits, tf.ones_like(hits)):
                    found.append(tf.math.unsorted_segment_sum(values, y, self.classes))
        return tf.concat(found, 0) if self.metrics else found[0]

    def scores(self, sums: np.ndarray, samples: int) -> Scores:
        """What the sums over so many samples say."""
        found = dict(zip(("loss", "accuracy"), (sums[:2] / samples).tolist(), strict=True))
        rest = sums[2:]
        for name in self.metrics:
            if name == "top5_accuracy":
                found[name], rest = float(rest[0] / samples), rest[1:]
            else:
                hits, seen, rest = np.split(rest, [self.classes, 2 * self.classes])
                found[name] = float((hits[seen > 0] / seen[seen > 0]).mean())
        return found


class Regression(_WithLoss):
    """Loss, in the scaled targets' unit; mean absolute and root mean square error, in the targets'.

    Beside them r2, the part of the targets' variance that is explained: 0 for one who always says
    their mean.

    Args:
        loss: as Keras compiles with it.
        scale: (targets,) what the targets were multiplied by.
    """

    width = 5

    def __init__(self, loss: Any, scale: np.ndarray) -> None:
        super().__init__(loss)
        self.unit = (1 / scale).astype(np.float32)

    def sums(self, y: tf.Tensor, predicted: tf.Tensor, losses: tf.Tensor) -> tf.Tensor:
        """(5,) sums over a batch, the loss first.

        Args:
            y: (n, targets) scaled.
            predicted: (n, targets).
            losses: (n,) of them.
        """
        error = (predicted - y) * self.unit
        value = y * self.unit
        found = (tf.abs(error), error**2, value, value**2)
        means = [tf.reduce_sum(tf.reduce_mean(values, axis=1)) for values in found]
        return tf.stack([tf.reduce_sum(losses), *means])

    def scores(self, sums: np.ndarray, samples: int) -> Scores:
        """What the sums over so many samples say."""
        loss, absolute, squares, values, value_squares = (sums / samples).tolist()
        variance = value_squares - values**2
        return {
            "loss": loss,
            "mae": absolute,
            "rmse": float(np.sqrt(squares)),
            "r2": 1 - squares / variance if variance else float("nan"),
        }


Measures = Classification | Regression


def measures(
    samples: Samples,
    loss: Any,
    outputs: int,
    metrics: Sequence[str] = (),
    weights: np.ndarray | None = None,
) -> Measures:
    """What there is to measure on samples of a network with that loss and so many outputs."""
    if samples.target is None:
        return Classification(loss, outputs, metrics, weights)
    return Regression(loss, samples.target.scale)
