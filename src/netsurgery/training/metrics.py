"""Losses and metrics as sums over a batch, which add up to those of an epoch.

Keras's own metrics, where they are asked for, gather in variables instead.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from netsurgery.datasets import Samples, Scaling
from netsurgery.objectives.keras_catalog import Setting
from netsurgery.training.keras_metrics import KerasMetrics

Scores = dict[str, float]

# losses whose labels are class numbers; others take them one-hot
WITH_CLASS_NUMBERS = (
    keras.losses.SparseCategoricalCrossentropy,
    keras.losses.CategoricalGeneralizedCrossEntropy,
    keras.losses.Circle,
)
OURS = ("top5_accuracy", "balanced_accuracy")  # metrics on request; others are Keras's


class _Measures:
    """What all have in common: the loss of every sample, and Keras's metrics.

    Args:
        loss: of Keras.
        metrics: names, or mappings of names of Keras's to arguments.
        outputs: of the network.
        classes: whether they are classes.
    """

    weights: np.ndarray | None = None  # (classes,) of the samples' losses

    def __init__(
        self, loss: keras.losses.Loss, metrics: Sequence[Setting], outputs: int, *, classes: bool
    ) -> None:
        self.loss, self.metrics = loss, list(metrics)
        self.ours = [str(setting) for setting in metrics if setting in OURS]
        others = [setting for setting in metrics if setting not in OURS]
        self.others = KerasMetrics(others, outputs, classes=classes)

    def losses(self, y: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
        """(n,) losses.

        Args:
            y: what is to be learned, as the loss takes it.
            predicted: (n, outputs).
        """
        losses = self.loss.call(y, predicted)
        whole = not len(losses.shape)  # some have one for a batch
        return tf.repeat(losses, tf.shape(predicted)[0]) if whole else losses

    @property
    def variables(self) -> list[keras.Variable]:
        """Those in which Keras's metrics gather."""
        return self.others.variables

    def reset(self) -> None:
        """Begin anew, before the first batch."""
        self.others.reset()


class Classification(_Measures):
    """Loss and accuracy; if asked for, top-5 accuracy, the mean accuracy of the classes, Keras's.

    Args:
        loss: of Keras.
        classes: of the samples.
        metrics: those to measure besides accuracy.
        weights: (classes,) of the samples' losses; None: all are 1.
        logits: whether the network's output is linear.
    """

    def __init__(
        self,
        loss: keras.losses.Loss,
        classes: int,
        metrics: Sequence[Setting],
        weights: np.ndarray | None,
        *,
        logits: bool,
    ) -> None:
        super().__init__(loss, metrics, classes, classes=True)
        self.classes, self.logits = classes, logits
        self.weights = None if weights is None else weights.astype(np.float32)

    @property
    def width(self) -> int:
        """How many sums there are."""
        more = {"top5_accuracy": 1, "balanced_accuracy": 2 * self.classes}
        return 2 + sum(more[name] for name in self.ours)

    def losses(self, y: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
        """(n,) losses, weighted.

        Args:
            y: (n,) class numbers.
            predicted: (n, classes).
        """
        labels = y if isinstance(self.loss, WITH_CLASS_NUMBERS) else tf.one_hot(y, self.classes)
        losses = super().losses(labels, predicted)
        return losses if self.weights is None else losses * tf.gather(self.weights, y)

    def sums(self, y: tf.Tensor, predicted: tf.Tensor, losses: tf.Tensor) -> tf.Tensor:
        """(width,) sums over a batch, the loss first; Keras's metrics see it.

        Args:
            y: (n,) class numbers.
            predicted: (n, classes).
            losses: (n,) of them.
        """
        if self.variables:
            # a tensor from which Keras cannot go back to what a softmax was given
            self.others.update(y, (tf.nn.softmax if self.logits else tf.identity)(predicted))
        most = tf.argmax(predicted, axis=-1, output_type=tf.int32)
        hits = tf.cast(tf.equal(most, y), tf.float32)
        found = [tf.stack([tf.reduce_sum(losses), tf.reduce_sum(hits)])]
        for name in self.ours:
            if name == "top5_accuracy":
                top = keras.metrics.sparse_top_k_categorical_accuracy(y, predicted, k=5)
                found.append(tf.reduce_sum(tf.cast(top, tf.float32))[None])
            else:
                for values in (hits, tf.ones_like(hits)):
                    found.append(tf.math.unsorted_segment_sum(values, y, self.classes))
        return tf.concat(found, 0) if self.ours else found[0]

    def scores(self, sums: np.ndarray, samples: int) -> Scores:
        """What the sums over so many samples say."""
        found = dict(zip(("loss", "accuracy"), (sums[:2] / samples).tolist(), strict=True))
        rest = sums[2:]
        for name in self.ours:
            if name == "top5_accuracy":
                found[name], rest = float(rest[0] / samples), rest[1:]
            else:
                hits, seen, rest = np.split(rest, [self.classes, 2 * self.classes])
                found[name] = float((hits[seen > 0] / seen[seen > 0]).mean())
        return found | self.others.scores()


class Regression(_Measures):
    """Loss, in the scaled targets' unit; mean absolute and root mean square error, in the targets'.

    Beside them r2, the part of the targets' variance that is explained: 0 for one who always says
    their mean; and Keras's metrics that are asked for, in the targets' unit.

    Args:
        loss: of Keras.
        target: how the targets were scaled.
        outputs: how many there are.
        metrics: those of Keras's to measure.
    """

    width = 5

    def __init__(
        self, loss: keras.losses.Loss, target: Scaling, outputs: int, metrics: Sequence[Setting]
    ) -> None:
        super().__init__(loss, metrics, outputs, classes=False)
        self.unit = (1 / target.scale).astype(np.float32)
        self.shift = target.shift.astype(np.float32)

    def sums(self, y: tf.Tensor, predicted: tf.Tensor, losses: tf.Tensor) -> tf.Tensor:
        """(5,) sums over a batch, the loss first; Keras's metrics see it.

        Args:
            y: (n, targets) scaled.
            predicted: (n, targets).
            losses: (n,) of them.
        """
        if self.variables:
            self.others.update(*(values * self.unit + self.shift for values in (y, predicted)))
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
            **self.others.scores(),
        }


MetricSums = Classification | Regression


def metric_sums(
    samples: Samples,
    loss: keras.losses.Loss,
    outputs: int,
    metrics: Sequence[Setting] = (),
    weights: np.ndarray | None = None,
    *,
    logits: bool,
) -> MetricSums:
    """What there is to measure on samples of a network with that loss and so many outputs.

    Args:
        samples: with classes or with targets.
        loss: of Keras.
        outputs: of the network.
        metrics: those to measure besides what always is.
        weights: (classes,) of the samples' losses; None: all are 1.
        logits: whether the network's output is linear.
    """
    if samples.target is None:
        return Classification(loss, outputs, metrics, weights, logits=logits)
    return Regression(loss, samples.target, outputs, metrics)
