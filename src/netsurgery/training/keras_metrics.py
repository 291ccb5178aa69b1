"""Keras's own metrics, which accumulate in variables."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from netsurgery.objectives.keras_catalog import Setting, split_setting
from netsurgery.training.keras_objects import new_metric

# metrics that take predicted class numbers, too; their subclasses take one-hot predictions
IOU_OF_CLASS_NUMBERS = (keras.metrics.IoU, keras.metrics.MeanIoU)
SPARSE_METRICS = (  # metrics that take labels as class numbers
    keras.metrics.SparseCategoricalAccuracy,
    keras.metrics.SparseCategoricalCrossentropy,
    keras.metrics.SparseTopKCategoricalAccuracy,
)


class KerasMetrics:
    """Metrics of predictions, over batches.

    Args:
        settings: names of metrics, or mappings from names to arguments.
        outputs: of the network.
        classes: whether labels are class numbers; otherwise they are one number per output.
    """

    def __init__(self, settings: Sequence[Setting], outputs: int, *, classes: bool) -> None:
        self.outputs, self.classes = outputs, classes
        self.metrics = {
            split_setting(setting)[0]: new_metric(setting, outputs) for setting in settings
        }
        first = tf.zeros((1, outputs))  # some metrics create their variables at the first update
        self.update(tf.zeros(1, tf.int32) if classes else first, first)
        self.reset()

    @property
    def variables(self) -> list[keras.Variable]:
        """The variables of all metrics."""
        return [variable for metric in self.metrics.values() for variable in metric.variables]

    def reset(self) -> None:
        """Reset all metrics."""
        for metric in self.metrics.values():
            metric.reset_state()

    def update(self, y: tf.Tensor, predicted: tf.Tensor) -> None:
        """Update all metrics with a batch.

        Args:
            y: (n,) class numbers, or (n, outputs).
            predicted: (n, outputs), probabilities of classes.
        """
        for metric in self.metrics.values():
            metric.update_state(*self._arguments(metric, y, predicted))

    def _arguments(
        self, metric: keras.metrics.Metric, y: tf.Tensor, predicted: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Labels and predictions as a metric takes them: for most metrics of classes, one-hot."""
        if not self.classes or isinstance(metric, SPARSE_METRICS):
            return y, predicted
        if type(metric) in IOU_OF_CLASS_NUMBERS:
            return y, tf.argmax(predicted, axis=-1)
        return tf.one_hot(y, self.outputs), predicted

    def scores(self) -> dict[str, float]:
        """The value of each metric so far; the mean, where a metric has one value per class."""
        results = {
            name: keras.ops.convert_to_numpy(metric.result())
            for name, metric in self.metrics.items()
        }
        return {name: float(np.mean(result)) for name, result in results.items()}
