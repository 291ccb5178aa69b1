"""The names of training steps: also the names of their files, and of their random streams.

warm-up                              the initial network
recuperation/<candidate>             an offspring right after surgery
phase1/<operation>/round<r>/slot<i>  ECToNAS: a round within one mutation type
phase2/round<r>/slot<i>              ECToNAS: a round between mutation types
try<t>/slot<rank>                    Surgeon: a candidate that trains to the full step
cooled/<candidate>                   Arbor: an offspring while its learning rate falls
fresh/<candidate>                    Arbor: a network that trains from fresh weights
final                                the final candidate
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """The part of a search that a training step belongs to, in order."""

    WARM_UP = "warm-up"
    RECUPERATION = "recuperation"
    PHASE1 = "phase1"
    PHASE2 = "phase2"
    TRY = "try"
    COOLED = "cooled"
    FRESH = "fresh"
    FINAL = "final"

    @property
    def order(self) -> int:
        """Later phases have a higher number."""
        return list(Phase).index(self)


WARM_UP, RECUPERATION, FINAL = map(str, (Phase.WARM_UP, Phase.RECUPERATION, Phase.FINAL))

_NAME = re.compile(
    r"(?P<phase>warm-up|recuperation|phase1|phase2|try|cooled|fresh|final)(?P<attempt>\d+)?"
    r"(?:/(?P<candidate>g\d+c\d+))?(?:/(?P<operation>[a-z_]+)(?=/))?"
    r"(?:/round(?P<round>\d+))?(?:/slot(?P<slot>\d+))?"
)


@dataclass(frozen=True)
class Step:
    """A training step, as its name says.

    `operation` is that of a bracket of phase 1; `number` the round of a bracket or the number of a
    try, from 1; `slot` the place in the round, or the rank in the try, from 0.
    """

    phase: Phase
    candidate: str = ""
    operation: str = ""
    number: int = 0
    slot: int = 0

    @classmethod
    def parse(cls, name: str) -> Step:
        """Read the name of a training step.

        Raises:
            ValueError: It is not such a name.
        """
        found = _NAME.fullmatch(name)
        if found is None:
            raise ValueError(f"{name!r} is not the name of a training step")
        return cls(
            phase=Phase(found["phase"]),
            candidate=found["candidate"] or "",
            operation=found["operation"] or "",
            number=int(found["attempt"] or found["round"] or 0),
            slot=int(found["slot"] or 0),
        )

    @property
    def order(self) -> tuple[int, int]:
        """When it is trained in its generation: later than all its contenders."""
        return self.phase.order, self.number

    @property
    def bracket(self) -> str:
        """The name of its bracket, such as phase1/add_dense or phase2."""
        return f"{self.phase}/{self.operation}" if self.operation else str(self.phase)


def candidate_name(generation: int, number: int) -> str:
    """The name of a candidate: its generation and its number there, both from 0."""
    return f"g{generation:02d}c{number:02d}"


def birth_order(candidate: str) -> tuple[int, ...]:
    """What candidates are sorted by: generation and number. As text g01c100 is before g01c11."""
    return tuple(map(int, re.findall(r"\d+", candidate)))


def recuperation_step(candidate: str) -> str:
    """The training step of an offspring right after surgery."""
    return f"{RECUPERATION}/{candidate}"


def cooled_step(candidate: str) -> str:
    """The training step of an offspring in which its learning rate falls."""
    return f"{Phase.COOLED}/{candidate}"


def fresh_step(candidate: str) -> str:
    """The training step of a network with fresh weights."""
    return f"{Phase.FRESH}/{candidate}"


def bracket_slot(bracket: str, round_: int, slot: int) -> str:
    """A slot in a round of a bracket."""
    return f"{bracket}/round{round_}/slot{slot}"


def branch_step(attempt: int, rank: int) -> str:
    """The training step that trains the candidate with this rank in a try to the full step."""
    return f"{Phase.TRY}{attempt}/slot{rank}"
