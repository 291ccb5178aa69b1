"""What repeats come to: means with their spread, and differences of pairs with an interval."""

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
    """Mean and standard deviation of what is there, and how much of it was asked for."""

    mean: float
    deviation: float  # of a sample; NaN of fewer than two
    count: int
    asked: int

    @property
    def present(self) -> str:
        """How many are there, for people."""
        return str(self.count) if self.count == self.asked else f"{self.count} of {self.asked}"


def mean_and_sd(values: Sequence[float | None]) -> MeanAndSD:
    """Mean and standard deviation; None stands for what is missing."""
    found = [value for value in values if value is not None]
    return MeanAndSD(
        statistics.fmean(found) if found else math.nan,
        statistics.stdev(found) if len(found) > 1 else math.nan,
        len(found),
        len(values),
    )


@dataclass(frozen=True)
class Difference:
    """The mean of differences of pairs, and the interval that holds it with 95 % confidence.

    The interval is Student's: it takes the differences to be about normal. NaN of fewer than two.
    """

    mean: float
    low: float
    high: float
    pairs: int

    @property
    def row(self) -> dict[str, float]:
        """Its columns in a table."""
        interval = {"from": self.low, "to": self.high}
        return {"pairs": self.pairs, "difference": self.mean, **interval}


def paired(ours: Mapping[Key, float | None], theirs: Mapping[Key, float | None]) -> Difference:
    """Ours less theirs over all cases that both have."""
    found = []
    for case, value in ours.items():
        other = theirs.get(case)
        if value is not None and other is not None:
            found.append(value - other)
    if not found:
        return Difference(math.nan, math.nan, math.nan, 0)
    mean = statistics.fmean(found)
    if len(found) < 2:
        return Difference(mean, math.nan, math.nan, 1)
    from scipy.stats import t  # takes a while to import

    reach = float(t.ppf((1 + CONFIDENCE) / 2, len(found) - 1))
    reach *= statistics.stdev(found) / math.sqrt(len(found))
    return Difference(mean, mean - reach, mean + reach, len(found))
