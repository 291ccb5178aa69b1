"""Statistics over repeated runs: means, deviations, and paired differences with intervals."""

from __future__ import annotations

import math
import statistics
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
CONFIDENCE = 0.95


@dataclass(frozen=True)
class MeanAndSD:
    """Mean and standard deviation of the available values, and how many were requested."""

    mean: float
    deviation: float  # of the sample; NaN for fewer than two values
    count: int
    requested: int

    @property
    def count_text(self) -> str:
        """The number of values, such as 5, or 3 of 5 if some are missing."""
        complete = self.count == self.requested
        return str(self.count) if complete else f"{self.count} of {self.requested}"


def mean_and_sd(values: Sequence[float | None]) -> MeanAndSD:
    """Mean and standard deviation; None marks a missing value."""
    present = [value for value in values if value is not None]
    return MeanAndSD(
        statistics.fmean(present) if present else math.nan,
        statistics.stdev(present) if len(present) > 1 else math.nan,
        len(present),
        len(values),
    )


@dataclass(frozen=True)
class Difference:
    """The mean of paired differences with its 95 % confidence interval.

    The interval follows Student's t distribution, which assumes approximately normal
    differences; it is NaN for fewer than two pairs.
    """

    mean: float
    low: float
    high: float
    pairs: int

    @property
    def columns(self) -> dict[str, float]:
        """The columns of a table."""
        interval = {"95 % from": self.low, "95 % to": self.high}
        return {"pairs": self.pairs, "difference": self.mean, **interval}


def paired_difference(
    values: Mapping[Key, float | None], reference: Mapping[Key, float | None]
) -> Difference:
    """Values minus reference over all cases that have both."""
    differences = []
    for case, value in values.items():
        other = reference.get(case)
        if value is not None and other is not None:
            differences.append(value - other)
    return interval_of_mean(differences)


def interval_of_mean(values: Sequence[float]) -> Difference:
    """The mean of some values with its 95 % confidence interval."""
    if not values:
        return Difference(math.nan, math.nan, math.nan, 0)
    mean = statistics.fmean(values)
    if len(values) < 2:
        return Difference(mean, math.nan, math.nan, 1)
    from scipy.stats import t  # takes a while to import

    margin = float(t.ppf((1 + CONFIDENCE) / 2, len(values) - 1))
    margin *= statistics.stdev(values) / math.sqrt(len(values))
    return Difference(mean, mean - margin, mean + margin, len(values))
