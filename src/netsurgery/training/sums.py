"""What all sums of losses and metrics have in common."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from netsurgery.objectives.keras_catalog import Setting
from netsurgery.objectives.metrics import OPTIONAL
from netsurgery.training.keras_metrics import KerasMetrics

Scores = dict[str, float]


class Sums:
    """What all tasks have in common: the loss of every sample, and Keras's metrics.

    Args:
        loss: a Keras loss.
        settings: names of metrics, or mappings from names of Keras metrics to arguments.
        outputs: of the network.
        classes: whether the outputs are classes.
    """

    weights: np.ndarray | None = None  # (classes,) weights of the samples' losses

    def __init__(
        self, loss: keras.losses.Loss, settings: Sequence[Setting], outputs: int, *, classes: bool
    ) -> None:
        self.loss, self.settings = loss, list(settings)
        self.own_metrics = [str(setting) for setting in settings if setting in OPTIONAL]
        others = [setting for setting in settings if setting not in OPTIONAL]
        self.keras_metrics = KerasMetrics(others, outputs, classes=classes)

    def losses(self, y: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
        """The loss of each sample, (n,).

        Args:
            y: labels, as the loss takes them.
            predicted: (n, outputs).
        """
        losses = self.loss.call(y, predicted)
        is_scalar = not len(losses.shape)  # some losses have one value per batch
        return tf.repeat(losses, tf.shape(predicted)[0]) if is_scalar else losses

    @property
    def variables(self) -> list[keras.Variable]:
        """The variables in which Keras's metrics accumulate."""
        return self.keras_metrics.variables

    def reset(self) -> None:
        """Prepare for the first batch of an epoch."""
        self.keras_metrics.reset()
