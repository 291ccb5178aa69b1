"""Where a trained network is wrong: by class, and the mistakes it is surest of."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MISTAKES = 12  # shown with their pictures
POINTS = 300  # of a regression, shown as a cloud


def confusion(y: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts of samples by their class (rows) and the predicted one (columns)."""
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (y, predicted), 1)
    return counts


def by_class(counts: np.ndarray) -> list[dict[str, float | int | None]]:
    """Samples, precision, recall and F1 of every class; None where a quotient has no meaning.

    Args:
        counts: see `confusion`.
    """
    hits, there, said = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)

    def share(a: int, b: int) -> float | None:
        return a / b if b else None

    return [
        {
            "samples": int(there[i]),
            "precision": share(int(hits[i]), int(said[i])),
            "recall": share(int(hits[i]), int(there[i])),
            "f1": share(2 * int(hits[i]), int(said[i] + there[i])),
        }
        for i in range(len(counts))
    ]


def picture(sample: np.ndarray, largest: float | None) -> str | None:
    """An image as a PNG in base64; None for what is no image.

    Args:
        sample: (height, width, 1 or 3) as stored.
        largest: value that stands for white; None: the sample's own.
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


def of_classes(
    x: np.ndarray,
    y: np.ndarray,
    indices: np.ndarray,
    outputs: np.ndarray,
    data: Mapping[str, Any],
) -> dict[str, Any]:
    """What a classifier gets wrong.

    Args:
        x: (N, *shape) all samples as stored.
        y: (N,) their classes.
        indices: (n,) of those tested.
        outputs: (n, classes) probabilities.
        data: description of the prepared dataset.

    Returns:
        Plain values: classes, confusion, by_class, and the mistakes, the surest first.
    """
    names: Sequence[str] = data["classes"]
    true, predicted = y[indices], outputs.argmax(axis=1)
    counts = confusion(true, predicted, len(names))
    sure = outputs[np.arange(len(outputs)), predicted]
    wrong = np.flatnonzero(true != predicted)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:MISTAKES]
    pictured = not data["features"]  # rows folded into images show nothing
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
                "probability": round(float(sure[i]), 4),
                "png": picture(np.asarray(x[indices[i]]), data["scaling"]["largest"])
                if pictured
                else None,
            }
            for i in worst
        ],
    }


def of_numbers(y: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    """What a regression is wrong by, of its first target.

    Args:
        y: (n, targets) in their own unit.
        predicted: (n, targets).
        names: of the targets.
    """
    error = predicted[:, 0] - y[:, 0]
    step = max(1, len(y) // POINTS)
    return {
        "task": "regression",
        "samples": len(y),
        "target": names[0] if names else "target",
        "quantiles": {str(q): float(np.quantile(error, q)) for q in (0.05, 0.25, 0.5, 0.75, 0.95)},
        "points": [
            [float(a), float(b)] for a, b in zip(y[::step, 0], predicted[::step, 0], strict=True)
        ],
    }
