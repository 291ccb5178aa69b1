"""Scores of predictions of several labels per sample, from counts by probability.

Average precision ranks samples, so it needs all of them at once; counts add up over batches. Within
a bin, a thirty-second of a logit wide, samples count as equally likely.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

BINS = 512  # of the probabilities of a label, from unlikely to likely
LARGEST = 8.0  # logit; a probability of 0.9997
THRESHOLD = 0.5  # from which on a label is predicted

AVERAGE_PRECISION, F1, PRECISION, RECALL, ACCURACY = (
    *("average_precision", "f1", "precision", "recall", "accuracy"),
)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Part / whole; NaN where there is no whole."""
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def _mean(values: np.ndarray) -> float:
    """The mean of the values that are defined; NaN if none is."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


@dataclass(frozen=True)
class LabelCounts:
    """Samples by their probability of each label.

    Attributes:
        without: (labels, BINS) samples that do not have the label.
        having: (labels, BINS) samples that have it.
        exact: samples of which every label is predicted right.
    """

    without: np.ndarray
    having: np.ndarray
    exact: float

    @property
    def samples(self) -> float:
        """How many samples are counted."""
        return float(self.without[0].sum() + self.having[0].sum())

    def by_label(self) -> dict[str, np.ndarray]:
        """The scores of each label, (labels,); NaN where one is undefined."""
        from_threshold = slice(BINS // 2, None)
        actual = self.having.sum(axis=1)
        hits = self.having[:, from_threshold].sum(axis=1)
        predicted = hits + self.without[:, from_threshold].sum(axis=1)
        wrong = actual + predicted - 2 * hits
        # from the most likely sample on
        found = np.cumsum(self.having[:, ::-1], axis=1)
        seen = found + np.cumsum(self.without[:, ::-1], axis=1)
        steps = np.diff(found, axis=1, prepend=0)
        precise = np.divide(found, seen, out=np.zeros(found.shape), where=seen > 0)
        return {
            AVERAGE_PRECISION: _ratio((steps * precise).sum(axis=1), actual),
            F1: _ratio(2 * hits, actual + predicted),
            PRECISION: _ratio(hits, predicted),
            RECALL: _ratio(hits, actual),
            ACCURACY: 1 - wrong / self.samples,
        }

    def scores(self) -> dict[str, float]:
        """The means over the labels, each over those for which a score is defined."""
        found = self.by_label()
        return {
            "mean_average_precision": _mean(found[AVERAGE_PRECISION]),
            "macro_f1": _mean(found[F1]),
            "exact_match": self.exact / self.samples,
            "label_accuracy": _mean(found[ACCURACY]),
        }

    @classmethod
    def of(cls, y: np.ndarray, probabilities: np.ndarray) -> LabelCounts:
        """Count some samples.

        Args:
            y: (n, labels) of 0 and 1.
            probabilities: (n, labels).
        """
        labels = y.shape[1]
        p = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
        place = np.clip((np.log(p / (1 - p)) / LARGEST + 1) * (BINS / 2), 0, BINS - 1).astype(int)
        likely = probabilities >= THRESHOLD
        place = np.where(likely, np.maximum(place, BINS // 2), np.minimum(place, BINS // 2 - 1))
        counts = np.zeros((2, labels, BINS))
        np.add.at(counts, (y.astype(int), np.arange(labels)[None], place), 1)
        without, having = counts
        return cls(without, having, float((likely == y.astype(bool)).all(axis=1).sum()))


def per_label(counts: LabelCounts) -> list[Mapping[str, float | int | None]]:
    """The scores of each label as JSON values, with the samples that have it."""
    scores = counts.by_label()
    actual = counts.having.sum(axis=1)
    return [
        {"samples": int(actual[i])}
        | {k: None if np.isnan(values[i]) else float(values[i]) for k, values in scores.items()}
        for i in range(len(actual))
    ]
