"""Keras's own metrics, which gather what they have seen in variables."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from netsurgery.objectives.keras_catalog import Setting, named
from netsurgery.training.keras_objects import new_metric

OF_CLASS_NUMBERS = (keras.metrics.IoU, keras.metrics.MeanIoU)  # the predicted class, too
WITH_CLASS_NUMBERS = (
    keras.metrics.SparseCategoricalAccuracy,
    keras.metrics.SparseCategoricalCrossentropy,
    keras.metrics.SparseTopKCategoricalAccuracy,
)


class KerasMetrics:
    """Some metrics of predictions, over batches.

    Args:
        settings: names of metrics, or mappings of these to arguments.
        outputs: of the network.
        classes: whether labels are class numbers; else they are numbers, one for each output.
    """

    def __init__(self, settings: Sequence[Setting], outputs: int, *, classes: bool) -> None:
        self.outputs, self.classes = outputs, classes
        self.metrics = {named(setting)[0]: new_metric(setting, outputs) for setting in settings}
        first = tf.zeros((1, outputs))  # some make their variables when they see it
        self.update(tf.zeros(1, tf.int32) if classes else first, first)
        self.reset()

    @property
    def variables(self) -> list[keras.Variable]:
        """All of them."""
        return [variable for metric in self.metrics.values() for variable in metric.variables]

    def reset(self) -> None:
        """Forget what was seen."""
        for metric in self.metrics.values():
            metric.reset_state()

    def update(self, y: tf.Tensor, predicted: tf.Tensor) -> None:
        """See a batch.

        Args:
            y: (n,) class numbers, or (n, outputs).
            predicted: (n, outputs), probabilities of classes.
        """
        for metric in self.metrics.values():
            metric.update_state(*self._seen_by(metric, y, predicted))

    def _seen_by(
        self, metric: keras.metrics.Metric, y: tf.Tensor, predicted: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Labels and predictions as a metric takes them: of classes mostly one-hot."""
        if not self.classes or isinstance(metric, WITH_CLASS_NUMBERS):
            return y, predicted
        if type(metric) in OF_CLASS_NUMBERS:  # others that derive from these take them one-hot
            return y, tf.argmax(predicted, axis=-1)
        return tf.one_hot(y, self.outputs), predicted

    def scores(self) -> dict[str, float]:
        """What they say of all that was seen; the mean, where a metric has a value per class."""
        results = {name: metric.result() for name, metric in self.metrics.items()}
        return {name: float(np.mean(result)) for name, result in results.items()}
