"""The score at which a search ends: no network has to be better."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from netsurgery.objectives.metrics import is_maximized
from netsurgery.search.records import Record, Status


@dataclass(frozen=True)
class Target:
    """The value of the objective at which a search ends; None: it has none."""

    objective: str
    target: float | None = None

    def is_reached(self, score: float | None) -> bool:
        """Whether a score is as good as the target; one that is None is not."""
        if self.target is None or score is None:
            return False
        return score >= self.target if is_maximized(self.objective) else score <= self.target

    def reached_by(self, records: Iterable[Record]) -> tuple[str, ...]:
        """The candidates that reach it, of those that did not fail."""
        return tuple(
            record.candidate
            for record in records
            if record.status == Status.OK and self.is_reached(record.score)
        )

    @property
    def reason(self) -> str:
        """Why a search ends."""
        return f"{self.objective} reached the target of {self.target}"


NO_TARGET = Target("val_loss")


def describe_target(summary: Mapping[str, Any]) -> str | None:
    """A sentence on the target, from the summary of a search; None without a target."""
    if summary.get("target") is None:
        return None
    target = Target(summary["objective"], summary["target"])
    score = f"{target.objective} {summary['val_score']:.4f}"
    if target.is_reached(summary["val_score"]):
        return f"The search ended with {score}, which reaches the target of {target.target:g}."
    return f"The search did not reach the target of {target.target:g}: it ended with {score}."
