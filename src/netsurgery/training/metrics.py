"""Losses and metrics as sums over a batch, which add up to those of an epoch.

Keras's own metrics, if requested, accumulate in variables instead.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from netsurgery.datasets import Scaling, task_of_labels
from netsurgery.objectives.keras_catalog import Setting
from netsurgery.objectives.number_scores import NumberScores
from netsurgery.objectives.tasks import CLASSIFICATION, MULTILABEL
from netsurgery.training.label_metrics import MultiLabel
from netsurgery.training.sums import Scores, Sums

# losses that take class numbers; others take one-hot labels
SPARSE_LOSSES = (
    keras.losses.SparseCategoricalCrossentropy,
    keras.losses.CategoricalGeneralizedCrossEntropy,
    keras.losses.Circle,
)


class Classification(Sums):
    """Loss and accuracy; on request top-5 accuracy, the mean accuracy of the classes, Keras's.

    Args:
        loss: a Keras loss.
        classes: number of classes.
        settings: additional metrics.
        weights: (classes,) weights of the samples' losses; None: all are 1.
        logits: whether the network's output is linear.
    """

    def __init__(
        self,
        loss: keras.losses.Loss,
        classes: int,
        settings: Sequence[Setting],
        weights: np.ndarray | None,
        *,
        logits: bool,
    ) -> None:
        super().__init__(loss, settings, classes, classes=True)
        self.classes, self.logits = classes, logits
        self.weights = None if weights is None else weights.astype(np.float32)

    @property
    def width(self) -> int:
        """The number of sums."""
        more = {"top5_accuracy": 1, "balanced_accuracy": 2 * self.classes}
        return 2 + sum(more[name] for name in self.own_metrics)

    def losses(self, y: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
        """The weighted loss of each sample, (n,).

        Args:
            y: (n,) class numbers.
            predicted: (n, classes).
        """
        labels = y if isinstance(self.loss, SPARSE_LOSSES) else tf.one_hot(y, self.classes)
        losses = super().losses(labels, predicted)
        return losses if self.weights is None else losses * tf.gather(self.weights, y)

    def sums(self, y: tf.Tensor, predicted: tf.Tensor, losses: tf.Tensor) -> tf.Tensor:
        """(width,) sums over a batch, the loss first; also updates Keras's metrics.

        Args:
            y: (n,) class numbers.
            predicted: (n, classes).
            losses: (n,), theirs.
        """
        if self.variables:
            # `identity` hides from Keras which logits a softmax was computed from
            self.keras_metrics.update(y, (tf.nn.softmax if self.logits else tf.identity)(predicted))
        most = tf.argmax(predicted, axis=-1, output_type=tf.int32)
        hits = tf.cast(tf.equal(most, y), tf.float32)
        sums = [tf.stack([tf.reduce_sum(losses), tf.reduce_sum(hits)])]
        for name in self.own_metrics:
            if name == "top5_accuracy":
                top = keras.metrics.sparse_top_k_categorical_accuracy(y, predicted, k=5)
                sums.append(tf.reduce_sum(tf.cast(top, tf.float32))[None])
            else:
                for values in (hits, tf.ones_like(hits)):
                    sums.append(tf.math.unsorted_segment_sum(values, y, self.classes))
        return tf.concat(sums, 0) if self.own_metrics else sums[0]

    def scores(self, sums: np.ndarray, samples: int) -> Scores:
        """Loss and metrics from the sums over a number of samples."""
        scores = dict(zip(("loss", "accuracy"), (sums[:2] / samples).tolist(), strict=True))
        rest = sums[2:]
        for name in self.own_metrics:
            if name == "top5_accuracy":
                scores[name], rest = float(rest[0] / samples), rest[1:]
            else:
                hits, seen, rest = np.split(rest, [self.classes, 2 * self.classes])
                scores[name] = float((hits[seen > 0] / seen[seen > 0]).mean())
        return scores | self.keras_metrics.scores()


class Regression(Sums):
    """Loss, mean absolute error, root mean square error and r2; on request Keras's metrics.

    The loss is in the unit of the scaled targets, everything else in that of the original ones. Of
    several targets, each is the mean of theirs.

    Args:
        loss: a Keras loss.
        target: how the targets were scaled.
        outputs: number of targets.
        settings: metrics of Keras.
    """

    def __init__(
        self, loss: keras.losses.Loss, target: Scaling, outputs: int, settings: Sequence[Setting]
    ) -> None:
        super().__init__(loss, settings, outputs, classes=False)
        # sums are in units near the targets' own, where squares neither overflow nor vanish
        self.units = np.float64(1) if target.units is None else np.float64(target.units.unit)
        self.unit = (1 / target.scale).astype(np.float32)
        self.outputs = outputs
        original = target.of_values
        self.whole_unit = (1 / original.scale).astype(np.float32)
        self.shift = original.shift.astype(np.float32)

    @property
    def width(self) -> int:
        """The number of sums."""
        return 1 + 4 * self.outputs

    def sums(self, y: tf.Tensor, predicted: tf.Tensor, losses: tf.Tensor) -> tf.Tensor:
        """(width,) sums over a batch, the loss first; also updates Keras's metrics.

        Args:
            y: (n, targets), scaled.
            predicted: (n, targets), scaled.
            losses: (n,), theirs.
        """
        if self.variables:
            unscaled = (values * self.whole_unit + self.shift for values in (y, predicted))
            self.keras_metrics.update(*unscaled)
        error = (predicted - y) * self.unit
        value = y * self.unit
        found = (tf.abs(error), error**2, value, value**2)
        columns = [column for each in found for column in tf.unstack(each, self.outputs, axis=1)]
        return tf.stack([tf.reduce_sum(values) for values in (losses, *columns)])

    def scores(self, sums: np.ndarray, samples: int) -> Scores:
        """Loss and metrics from the sums over a number of samples."""
        loss, *means = (sums / samples).tolist()
        numbers = NumberScores.of_means(np.reshape(means, (4, self.outputs)), self.units)
        return {"loss": loss, **numbers.scores(), **self.keras_metrics.scores()}


MetricSums = Classification | Regression | MultiLabel


def metric_sums(
    y: np.ndarray,
    target: Scaling | None,
    loss: keras.losses.Loss,
    outputs: int,
    settings: Sequence[Setting] = (),
    weights: np.ndarray | None = None,
    *,
    logits: bool,
) -> MetricSums:
    """The sums for samples and a network with this loss and number of outputs.

    Args:
        y: classes, labels or targets, as `netsurgery.datasets.Samples` has them.
        target: the scaling of targets; None for classes and labels.
        loss: a Keras loss.
        outputs: of the network.
        settings: additional metrics.
        weights: (classes,) weights of the samples' losses; None: all are 1.
        logits: whether the network's output is linear.
    """
    task = task_of_labels(y, target)
    if task == CLASSIFICATION:
        return Classification(loss, outputs, settings, weights, logits=logits)
    if task == MULTILABEL:
        return MultiLabel(loss, outputs, settings)
    assert target is not None
    return Regression(loss, target, outputs, settings)
