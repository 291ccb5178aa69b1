"""Claims of the papers' texts: the paper's figure, ours, and whether the claim holds.

A claim about a mean holds if our mean agrees with it, and does not hold if the mean's whole 95 %
confidence interval contradicts it; in between nothing can be said, nor from fewer than two runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pandas

from netsurgery.reproduction import published
from netsurgery.reproduction.statistics import Difference, interval_of_mean

MINUS = "\N{MINUS SIGN}"
NO_RUNS = "no such runs"


class Verdict(StrEnum):
    """What our results say of a claim."""

    HOLDS = "holds"
    FAILS = "does not hold"
    OPEN = "cannot be said"


@dataclass(frozen=True)
class Finding:
    """Our figure, as text, and the verdict."""

    figure: str
    verdict: Verdict


NOTHING = Finding(NO_RUNS, Verdict.OPEN)


@dataclass(frozen=True)
class Claim:
    """A claim of a text; `low` and `high` bound its figure, infinite where it gives no bound."""

    low: float
    high: float

    def judge(self, mean: Difference) -> Verdict:
        """Whether a mean lies within the bounds, or its whole interval outside them."""
        if mean.pairs < 2:
            return Verdict.OPEN
        if self.low <= mean.mean <= self.high:
            return Verdict.HOLDS
        outside = mean.high < self.low or mean.low > self.high
        return Verdict.FAILS if outside else Verdict.OPEN

    def judge_all(self, means: Mapping[str, Difference]) -> Verdict:
        """Whether all means lie within the bounds, or the interval of one of them outside."""
        found = {self.judge(mean) for mean in means.values()}
        for verdict in (Verdict.FAILS, Verdict.OPEN, Verdict.HOLDS):
            if verdict in found:
                return verdict
        return Verdict.OPEN

    def agrees(self, mean: Difference) -> Verdict:
        """Whether a single published figure, `high`, lies in the interval of our mean."""
        if mean.pairs < 2:
            return Verdict.OPEN
        return Verdict.HOLDS if mean.low <= self.high <= mean.high else Verdict.FAILS


def number(value: float, digits: int = 1, *, signed: bool = False) -> str:
    """A number with a proper minus sign."""
    return f"{value:{'+' if signed else ''}.{digits}f}".replace("-", MINUS)


def with_interval(mean: Difference, unit: str, digits: int = 1, *, signed: bool = False) -> str:
    """A mean with its unit, its interval and the number of values."""
    text = f"{number(mean.mean, digits, signed=signed)}{unit}"
    if math.isnan(mean.low):
        return f"{text} (n = {mean.pairs})"
    low, high = (number(each, digits, signed=signed) for each in (mean.low, mean.high))
    return f"{text} ({low} to {high}, n = {mean.pairs})"


def in_each(means: Mapping[str, Difference], unit: str) -> str:
    """The means of several cases on one line."""
    parts = (f"{name} {number(mean.mean, signed=True)}" for name, mean in means.items())
    return f"{', '.join(parts)}{unit}"


def count(values: Sequence[bool]) -> str:
    """How many of the values are true."""
    return f"{sum(values)} of {len(values)}"


def of_mean(claim: Claim, values: Sequence[float], unit: str, digits: int = 1) -> Finding:
    """The finding on a claim about a mean within bounds."""
    if not values:
        return NOTHING
    mean = interval_of_mean(values)
    return Finding(with_interval(mean, unit, digits), claim.judge(mean))


def of_figure(claim: Claim, values: Sequence[float], unit: str, digits: int = 1) -> Finding:
    """The finding on a single published figure."""
    if not values:
        return NOTHING
    mean = interval_of_mean(values)
    return Finding(with_interval(mean, unit, digits), claim.agrees(mean))


def of_cases(claim: Claim, means: Mapping[str, Difference], unit: str) -> Finding:
    """The finding on a claim about all cases."""
    return Finding(in_each(means, unit), claim.judge_all(means)) if means else NOTHING


Find = Callable[[Claim], Finding]


def table(name: str, findings: Mapping[str, Find], *, full: bool) -> pandas.DataFrame:
    """The claims of a paper, ours beside them.

    Args:
        name: of the file with the claims.
        findings: for each claim what gives our finding.
        full: whether searches train as long as the paper's; claims on numbers of epochs need that.
    """
    rows = []
    for row in published.table(name).to_dict("records"):
        low, high = row["low"], row["high"]
        claim = Claim(
            -math.inf if low != low else float(low), math.inf if high != high else float(high)
        )
        found = findings[row["claim"]](claim)
        if row["full_scale"] == "yes" and not full:
            found = Finding(found.figure, Verdict.OPEN)
        rows.append(
            {
                "claim": row["text"],
                "paper": "–" if row["figure"] != row["figure"] else row["figure"],  # noqa: RUF001
                "here": found.figure,
                "verdict": str(found.verdict),
            }
        )
    return pandas.DataFrame(rows)
