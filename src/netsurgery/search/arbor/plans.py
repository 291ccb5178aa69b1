"""What Arbor plans: a round of growths, or networks that train from fresh weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, ClassVar

from netsurgery.search.plans import FreshNetwork, GenerationPlan
from netsurgery.search.steps import Phase, Step, fresh_step

NONE = "-"


class Part(StrEnum):
    """The parts of a search, in order."""

    ROUND = "round"  # growths of the trunk compete
    CONTEST = "contest"  # the shape that grew competes with a template, both as large as allowed
    FINAL = "final"  # the winner of the contest trains from fresh weights
    END = "end"


@dataclass(frozen=True)
class Allowance:
    """All that the plan of a generation knows of the budget.

    So a larger budget leaves the rounds that took place as they are.

    Attributes:
        part: of the search that comes next.
        batches: that each of its networks trains; those of the final candidate at the end. A round
            has its own.
        reason: why the search ends.
        smaller: networks that train besides the final one, whose batches follow its own: the
            parameters that each has less than.
    """

    part: Part
    batches: tuple[int, ...] = ()
    reason: str = ""
    smaller: tuple[int, ...] = ()

    def __str__(self) -> str:
        smaller = ",".join(map(str, self.smaller))
        batches = ",".join(map(str, self.batches))
        return f"{self.part} {batches or NONE} {smaller or NONE} {self.reason}"

    @classmethod
    def parse(cls, text: str) -> Allowance:
        """Read what `str` gave."""
        part, batches, smaller, reason = text.split(" ", 3)
        counts, sizes = (
            () if each == NONE else tuple(map(int, each.split(","))) for each in (batches, smaller)
        )
        return cls(Part(part), counts, reason, sizes)


@dataclass(frozen=True, kw_only=True)
class RoundPlan(GenerationPlan):
    """A round: each offspring trains at the full rate, then the rate falls in a step of its own.

    `cooling_batches` are those of the second step; `gradients` has what the first look found for
    each candidate.
    """

    kind: ClassVar[str] = "arbor round"
    cooling_batches: int
    gradients: Mapping[str, float | None]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        own = {"cooling_batches": self.cooling_batches, "gradients": dict(self.gradients)}
        return super().to_json() | own

    @classmethod
    def _fields(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        own = {name: values[name] for name in ("cooling_batches", "gradients")}
        return super()._fields(values) | own


@dataclass(frozen=True, kw_only=True)
class FreshPlan(GenerationPlan):
    """Networks that train from fresh weights over a whole schedule each.

    `part` is that of the search: the contest or the final training.
    """

    kind: ClassVar[str] = "arbor fresh networks"
    part: Part
    networks: tuple[FreshNetwork, ...]

    @property
    def steps(self) -> list[str]:
        """All training steps."""
        return [fresh_step(network.candidate) for network in self.networks]

    def network_of(self, step: str) -> FreshNetwork:
        """The network that a step trains."""
        name = Step.parse(step).candidate
        return next(network for network in self.networks if network.candidate == name)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        own = {"part": self.part, "networks": [asdict(network) for network in self.networks]}
        return super().to_json() | own

    @classmethod
    def _fields(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        networks = tuple(map(FreshNetwork.from_json, values["networks"]))
        own = {"part": Part(values["part"]), "networks": networks}
        return super()._fields(values) | own


def is_cooled(step: str) -> bool:
    """Whether a training step leaves a finished network: its learning rate has fallen."""
    return Step.parse(step).phase in (Phase.COOLED, Phase.FRESH, Phase.FINAL)
