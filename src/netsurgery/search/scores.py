"""Scores of candidates, and their order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from netsurgery.objectives.metrics import is_maximized
from netsurgery.search.records import Record, Status


def windowed_mean(record: Record, metric: str, window: int) -> float | None:
    """Mean of a metric over the last `window` epochs since surgery; None if one was not finite."""
    return mean_of_last(record.history, metric, window)


def mean_of_last(
    epochs: Sequence[Mapping[str, float | None]], metric: str, window: int
) -> float | None:
    """Mean of a metric over the last `window` epochs; None if one was not finite."""
    values = [entry[metric] for entry in epochs[-window:]]
    finite = [value for value in values if value is not None and math.isfinite(value)]
    return math.fsum(finite) / len(finite) if values and len(finite) == len(values) else None


def ectonas_fitness(record: Record, metric: str, greediness: float) -> float:
    """What candidates are compared by (ECToNAS eq. 2): more is better, -inf for failed ones.

    Args:
        record: of the candidate.
        metric: the validation metric that `record.score` is a mean of.
        greediness: alpha; 1 compares by score alone, less weighs the relative gain in score over
            the parent against the relative growth in parameters.
    """
    if record.status != Status.OK or record.score is None:
        return -math.inf
    direction = 1 if is_maximized(metric) else -1
    if greediness == 1 or record.parent_score is None or record.parent_parameters is None:
        return direction * record.score
    gain = (record.score - record.parent_score) / max(abs(record.parent_score), 1e-12)
    growth = (record.parameters - record.parent_parameters) / record.parent_parameters
    return greediness * direction * gain - (1 - greediness) * growth


def surgeon_score(record: Record, size_weight: float = 1.0) -> float:
    """The Surgeon's score (eq. 16): accuracy + exp(accuracy gain) / exp(size as a fraction).

    Gain and fraction are those over the parent; without one nothing is gained and nothing grows.
    More is better, -inf for a failed candidate. For regression the accuracy is r2, whose gain
    counts as far as an accuracy's can go, from -1 to 1.

    Args:
        record: of the candidate.
        size_weight: multiplies the fraction; 1 as published, 0 leaves the size out.
    """
    if record.status != Status.OK or record.score is None:
        return -math.inf
    before = record.score if record.parent_score is None else record.parent_score
    fraction = record.parameters / (record.parent_parameters or record.parameters)
    gain = min(max(record.score - before, -1.0), 1.0)
    return record.score + math.exp(gain - size_weight * fraction)


def rank_by_fitness(
    records: Sequence[Record], metric: str, greediness: float, window: int
) -> list[int]:
    """Indices of the records, best first; ties go by lower validation loss, then by order."""
    return _ranked(records, [ectonas_fitness(each, metric, greediness) for each in records], window)


def rank_by_surgeon_score(
    records: Sequence[Record], window: int, size_weight: float = 1.0
) -> list[int]:
    """Indices of the records by the Surgeon's score, best first; ties as in `rank_by_fitness`."""
    return _ranked(records, [surgeon_score(each, size_weight) for each in records], window)


def _ranked(records: Sequence[Record], values: Sequence[float], window: int) -> list[int]:
    def key(index: int) -> tuple[float, float]:
        loss = windowed_mean(records[index], "val_loss", window)
        return -values[index], math.inf if loss is None else loss

    return sorted(range(len(records)), key=key)
