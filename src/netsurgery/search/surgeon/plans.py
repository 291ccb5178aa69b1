"""What the Surgeon plans: the tries of a decision point, and what comes of them.

A decision point is a chain of plans, each in a file of its own: one per try, then the verdict. They
are merged to a `DecisionPlan`. A search's end is a `FinalPlan` in the place of a first try.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from netsurgery.search.plans import FinalPlan, GenerationPlan, Offspring, TrainingPlan
from netsurgery.storage.files import read_json

SEARCH, FINISH = "search", "finish"
ALL = "-"  # branches


@dataclass(frozen=True)
class Continue:
    """Permission for a try, whose branches train for `step_batches` in all."""

    step_batches: int

    def __str__(self) -> str:
        return f"{SEARCH} {self.step_batches}"


@dataclass(frozen=True)
class Stop:
    """No further try.

    Attributes:
        batches: how long the final candidate still trains.
        reason: why.
        reached: the branches that reach the target of the search, if it ends with them.
    """

    batches: int
    reason: str
    reached: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{FINISH} {self.batches} {','.join(self.reached) or ALL} {self.reason}"


# All that a try knows of the search's end, so that a longer search leaves what is decided as it is.
Allowance = Continue | Stop


def parse_allowance(text: str) -> Allowance:
    """Read what `str` gave."""
    action, batches, *end = text.split(" ", 3)
    if action == SEARCH:
        return Continue(int(batches))
    branches, reason = end
    return Stop(int(batches), reason, () if branches == ALL else tuple(branches.split(",")))


@dataclass(frozen=True)
class RecommendedOffspring(Offspring):
    """An offspring of a try: how much it was recommended, and whether it was drawn at random."""

    recommendation: float
    drawn: bool


@dataclass(frozen=True, kw_only=True)
class TryPlan(TrainingPlan):
    """A try: all offspring recuperate, the best of them train to the full step."""

    kind: ClassVar[str] = "try"
    attempt: int  # from 1
    step_batches: int
    offspring: tuple[RecommendedOffspring, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        own = {"attempt": self.attempt, "step_batches": self.step_batches}
        return super().to_json() | own

    @classmethod
    def _fields(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        own = {name: values[name] for name in ("attempt", "step_batches")}
        return super()._fields(values) | own

    @classmethod
    def _offspring(cls, values: Mapping[str, Any]) -> Offspring:
        return RecommendedOffspring.from_json(values)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What comes of the tries of a decision point.

    `winners` are the training steps that give the next branches, in their order; none if the
    branches of before stay. `accepted` says whether the last try gave them.
    """

    kind: ClassVar[str] = "verdict"
    generation: int
    attempt: int  # as many as there were tries, and one
    accepted: bool
    reason: str
    winners: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"kind": self.kind} | asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Verdict:
        """Read what `to_json` gave."""
        names = ("generation", "attempt", "accepted", "reason")
        return cls(
            winners=tuple(values["winners"]),
            **{name: values[name] for name in names},
        )


@dataclass(frozen=True, kw_only=True)
class DecisionPlan(GenerationPlan):
    """A whole decision point: its tries and their verdict."""

    kind: ClassVar[str] = "decision"
    step_batches: int
    redraws: int
    accepted: bool
    reason: str
    offspring: tuple[RecommendedOffspring, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        own = {
            "step_batches": self.step_batches,
            "redraws": self.redraws,
            "accepted": self.accepted,
            "reason": self.reason,
        }
        return super().to_json() | own

    @classmethod
    def _fields(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        own = {name: values[name] for name in ("step_batches", "redraws", "accepted", "reason")}
        return super()._fields(values) | own

    @classmethod
    def _offspring(cls, values: Mapping[str, Any]) -> Offspring:
        return RecommendedOffspring.from_json(values)


def read_try(path: Path) -> TryPlan | Verdict | FinalPlan:
    """Read the plan of a try, the verdict on all tries, or the final plan."""
    values = read_json(path)
    kinds: dict[str, type[TryPlan | Verdict | FinalPlan]] = {
        kind.kind: kind for kind in (TryPlan, Verdict, FinalPlan)
    }
    return kinds[values["kind"]].from_json(values)
