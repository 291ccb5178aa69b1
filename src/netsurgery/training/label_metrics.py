"""Sums of losses and metrics where each sample has any number of labels."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from netsurgery.objectives.keras_catalog import Setting
from netsurgery.objectives.label_scores import BINS, LARGEST, THRESHOLD, LabelCounts
from netsurgery.training.sums import Scores, Sums


class MultiLabel(Sums):
    """Loss, mean average precision, macro F1, exact match and accuracy; on request Keras's metrics.

    Args:
        loss: a Keras loss.
        labels: their number.
        settings: metrics of Keras.
    """

    def __init__(self, loss: keras.losses.Loss, labels: int, settings: Sequence[Setting]) -> None:
        super().__init__(loss, settings, labels, classes=False)
        self.labels = labels

    @property
    def width(self) -> int:
        """The number of sums."""
        return 2 + 2 * self.labels * BINS

    def losses(self, y: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
        """The loss of each sample, (n,), the mean over its labels.

        Args:
            y: (n, labels) of 0 and 1.
            predicted: (n, labels) probabilities.
        """
        return super().losses(tf.cast(y, tf.float32), predicted)

    def sums(self, y: tf.Tensor, predicted: tf.Tensor, losses: tf.Tensor) -> tf.Tensor:
        """(width,) sums over a batch, the loss first; also updates Keras's metrics.

        Args:
            y: (n, labels) of 0 and 1.
            predicted: (n, labels) probabilities.
            losses: (n,), theirs.
        """
        if self.variables:
            self.keras_metrics.update(tf.cast(y, tf.float32), predicted)
        likely = predicted >= THRESHOLD
        exact = tf.reduce_all(tf.equal(likely, y > 0), axis=1)
        first = tf.stack([tf.reduce_sum(losses), tf.reduce_sum(tf.cast(exact, tf.float32))])
        place = self._bins(predicted, likely) + BINS * tf.range(self.labels)
        place += self.labels * BINS * tf.cast(y, tf.int32)
        flat = tf.reshape(place, [-1])
        size = 2 * self.labels * BINS
        ones = tf.ones_like(flat, tf.float32)
        return tf.concat([first, tf.math.unsorted_segment_sum(ones, flat, size)], 0)

    def _bins(self, predicted: tf.Tensor, likely: tf.Tensor) -> tf.Tensor:
        """The bin of each probability, int32 (n, labels); see `LabelCounts`."""
        p = tf.clip_by_value(predicted, 1e-7, 1 - 1e-7)
        scaled = (tf.math.log(p / (1 - p)) / LARGEST + 1) * (BINS / 2)
        known = tf.where(tf.math.is_nan(scaled), 0.0, scaled)  # a network that diverged
        place = tf.cast(tf.clip_by_value(known, 0.0, BINS - 1.0), tf.int32)
        middle = BINS // 2
        return tf.where(likely, tf.maximum(place, middle), tf.minimum(place, middle - 1))

    def scores(self, sums: np.ndarray, samples: int) -> Scores:
        """Loss and metrics from the sums over a number of samples."""
        without, having = sums[2:].reshape(2, self.labels, BINS)
        counts = LabelCounts(without, having, exact=float(sums[1]))
        return {
            "loss": float(sums[0] / samples),
            **counts.scores(),
            **self.keras_metrics.scores(),
        }
