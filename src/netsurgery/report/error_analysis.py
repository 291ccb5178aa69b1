"""Errors of a trained network: by class, label or target, and its most confident mistakes."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from netsurgery.objectives.label_scores import LabelCounts, per_label
from netsurgery.objectives.number_scores import NumberScores
from netsurgery.objectives.tasks import MULTILABEL

MAX_MISTAKES = 12  # most confident mistakes that are listed
MAX_POINTS = 300  # points in the scatter plot of a regression


def confusion(y: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count samples by their class (rows) and the predicted class (columns)."""
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (y, predicted), 1)
    return counts


def by_class(counts: np.ndarray) -> list[dict[str, float | int | None]]:
    """Samples, precision, recall and F1 of every class; None where they are undefined.

    Args:
        counts: see `confusion`.
    """
    correct, actual, predicted = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)

    def ratio(a: int, b: int) -> float | None:
        return a / b if b else None

    return [
        {
            "samples": int(actual[i]),
            "precision": ratio(int(correct[i]), int(predicted[i])),
            "recall": ratio(int(correct[i]), int(actual[i])),
            "f1": ratio(2 * int(correct[i]), int(predicted[i] + actual[i])),
        }
        for i in range(len(counts))
    ]


def encode_png(sample: np.ndarray, largest: float | None) -> str | None:
    """An image as a base64-encoded PNG; None if the sample is not an image.

    Args:
        sample: (height, width, 1 or 3) as stored.
        largest: value of white; None: the largest of the sample.
    """
    if sample.ndim != 3 or sample.shape[-1] not in (1, 3):
        return None
    from PIL import Image

    values = np.nan_to_num(sample.astype(float))
    low = min(0.0, float(values.min()))
    high = max(largest or 0.0, float(values.max())) - low
    bytes_ = np.round(255 * (values - low) / (high or 1)).astype(np.uint8)
    image = Image.fromarray(bytes_[..., 0] if sample.shape[-1] == 1 else bytes_)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


def classification_errors(
    x: np.ndarray,
    y: np.ndarray,
    indices: np.ndarray,
    outputs: np.ndarray,
    data: Mapping[str, Any],
) -> dict[str, Any]:
    """The errors of a classifier.

    Args:
        x: (N, *shape) all samples as stored.
        y: (N,) their classes.
        indices: (n,) of the test samples.
        outputs: (n, classes) probabilities.
        data: description of the prepared dataset.

    Returns:
        JSON values: classes, confusion, by_class, and mistakes, the most confident first.
    """
    names: Sequence[str] = data["classes"]
    true, predicted = y[indices], outputs.argmax(axis=1)
    counts = confusion(true, predicted, len(names))
    confidence = outputs[np.arange(len(outputs)), predicted]
    wrong = np.flatnonzero(true != predicted)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:MAX_MISTAKES]
    images = not data["features"]  # rows of a table that are reshaped to images mean nothing
    return {
        "task": "classification",
        "samples": len(indices),
        "classes": list(names),
        "confusion": counts.tolist(),
        "by_class": by_class(counts),
        "mistakes": [
            {
                "sample": int(indices[i]),
                "class": names[int(true[i])],
                "predicted": names[int(predicted[i])],
                "probability": round(float(confidence[i]), 4),
                "png": encode_png(np.asarray(x[indices[i]]), data["scaling"]["largest"])
                if images
                else None,
            }
            for i in worst
        ],
    }


def label_errors(y: np.ndarray, probabilities: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    """The errors where samples have any number of labels.

    Args:
        y: (n, labels) of 0 and 1.
        probabilities: (n, labels).
        names: of the labels.

    Returns:
        JSON values: the labels, the scores of each, and the means.
    """
    counts = LabelCounts.of(y, probabilities)
    return {
        "task": MULTILABEL,
        "samples": len(y),
        "labels": list(names),
        "by_label": per_label(counts),
        **{key: _finite(value) for key, value in counts.scores().items()},
    }


def _finite(value: float) -> float | None:
    """A number as a JSON value."""
    return float(value) if np.isfinite(value) else None


def regression_errors(y: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    """The errors of a regression: the scores of each target, and the errors of the first.

    Args:
        y: (n, targets) in the unit of the targets.
        predicted: (n, targets).
        names: of the targets.
    """
    error = predicted[:, 0] - y[:, 0]
    named = list(names) or [f"target {i}" for i in range(y.shape[1])]
    scores = NumberScores.of(y, predicted)
    step = max(1, len(y) // MAX_POINTS)
    return {
        "task": "regression",
        "samples": len(y),
        "target": named[0] if y.shape[1] > 1 or names else "target",
        "by_target": [
            {"target": name} | {key: _finite(values[i]) for key, values in vars(scores).items()}
            for i, name in enumerate(named)
        ],
        "quantiles": {str(q): float(np.quantile(error, q)) for q in (0.05, 0.25, 0.5, 0.75, 0.95)},
        "points": [
            [float(a), float(b)] for a, b in zip(y[::step, 0], predicted[::step, 0], strict=True)
        ],
    }
