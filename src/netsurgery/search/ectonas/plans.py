"""What ECToNAS plans: a generation with its brackets, and what that may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from netsurgery.search.plans import GenerationPlan
from netsurgery.surgery import Mutation

UNLIMITED = "full"


@dataclass(frozen=True)
class GenerationBudget:
    """What a generation may cost.

    It is all that a generation knows of the search's budget, so that a larger budget leaves
    the generations that ran in full as they are. It is printed and parsed as "full", the number of
    batches, both numbers such as "1200+30", or "0" with the parents that it ends with and why.

    Attributes:
        batches: that it trains at most; None: as much as its settings ask for.
        start: batches that the start of each training step counts for, in a budget of time.
        reached: the parents that the search ends with: those that reach its target, or all.
        reason: why it ends there.
    """

    batches: int | None = None
    start: int = 0
    reached: tuple[str, ...] = ()
    reason: str = ""

    @property
    def remaining(self) -> int:
        """The batches that a single training step may train; 0 without a limit."""
        return max(0, (self.batches or 0) - self.start)

    def __str__(self) -> str:
        if self.reached:
            return f"{self.batches} {','.join(self.reached)} {self.reason}"
        if self.batches is None:
            return UNLIMITED
        return f"{self.batches}+{self.start}" if self.start else str(self.batches)

    @classmethod
    def parse(cls, text: str) -> GenerationBudget:
        """Read what `str` gave."""
        amounts, *end = text.split(" ", 2)
        if end:
            return cls(int(amounts), reached=tuple(end[0].split(",")), reason=end[1])
        batches, _, start = amounts.partition("+")
        return cls() if batches == UNLIMITED else cls(int(batches), int(start or 0))


@dataclass(frozen=True)
class RejectedOffspring:
    """A degenerate offspring, and why it is not made."""

    parent: str
    mutation: Mutation
    parameters: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "parent": self.parent,
            "mutation": self.mutation.to_json(),
            "parameters": self.parameters,
            "reason": self.reason,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RejectedOffspring:
        """Read what `to_json` gave."""
        return cls(**(dict(values) | {"mutation": Mutation.from_json(values["mutation"])}))


@dataclass(frozen=True, kw_only=True)
class BracketPlan(GenerationPlan):
    """A generation of ECToNAS.

    `rounds` has the rounds of every training step (see `netsurgery.search.ectonas.byes`);
    `batches` is what all of them cost.
    """

    kind: ClassVar[str] = "generation"
    budget: GenerationBudget
    batches: int
    round_epochs: int
    rejected: tuple[RejectedOffspring, ...]
    rounds: Mapping[str, tuple[str, ...]]

    def rounds_of(self, step: str) -> tuple[str, ...]:
        """The rounds that a training step covers, in order; the first one is its name."""
        return self.rounds[step]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return super().to_json() | {
            "budget": str(self.budget),
            "batches": self.batches,
            "round_epochs": self.round_epochs,
            "rejected": [each.to_json() for each in self.rejected],
            "rounds": {step: list(rounds) for step, rounds in self.rounds.items()},
        }

    @classmethod
    def _fields(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return super()._fields(values) | {
            "budget": GenerationBudget.parse(values["budget"]),
            "batches": values["batches"],
            "round_epochs": values["round_epochs"],
            "rejected": tuple(RejectedOffspring.from_json(each) for each in values["rejected"]),
            "rounds": {step: tuple(rounds) for step, rounds in values["rounds"].items()},
        }
