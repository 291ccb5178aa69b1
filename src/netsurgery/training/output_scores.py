"""Loss and metrics of outputs that are computed already, as `evaluate` gives them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from netsurgery.datasets import Scaling
from netsurgery.objectives.keras_catalog import Setting
from netsurgery.training.evaluation import BATCH
from netsurgery.training.keras_objects import new_loss
from netsurgery.training.metrics import Scores, metric_sums


def score_outputs(
    outputs: np.ndarray,
    y: np.ndarray,
    target: Scaling | None,
    *,
    loss: Setting,
    metrics: Sequence[Setting] = (),
    penalty: float = 0.0,
    logits: bool = False,
) -> Scores:
    """Loss and metrics of a network's outputs.

    Args:
        outputs: (n, outputs): probabilities or logits of classes, probabilities of labels, or
            scaled targets.
        y: (n,) class numbers, (n, outputs) labels of 0 and 1, or (n, outputs) targets as they are
            stored.
        target: scaling of the stored targets; None for classes and labels.
        loss: of the search.
        metrics: additional metrics.
        penalty: of the network's kernels, which is part of the loss.
        logits: whether outputs are logits.
    """
    made, width = new_loss(loss, logits=logits), outputs.shape[1]
    sums = metric_sums(y, target, made, width, metrics, logits=logits)
    sums.reset()
    labels = y if target is None else target.apply(y)
    parts = []
    for start in range(0, len(outputs), BATCH):
        rows = slice(start, start + BATCH)
        true, predicted = tf.constant(labels[rows]), tf.constant(outputs[rows], tf.float32)
        losses = sums.losses(true, predicted) + penalty
        parts.append(sums.sums(true, predicted, losses).numpy().astype(np.float64))
    return sums.scores(np.sum(parts, axis=0), len(outputs))
