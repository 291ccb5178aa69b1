"""The winners of a generation: the parents of the next one."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from netsurgery.search.records import Record
from netsurgery.search.speed import Speed
from netsurgery.search.steps import WARM_UP
from netsurgery.storage.files import read_json


def model_name(generation: int, step: str) -> str:
    """The model file of a training step, relative to the search's folder."""
    return f"generation{generation:02d}/{step}.keras"


@dataclass(frozen=True)
class Winner:
    """A candidate that goes on, and its model file relative to the search's folder."""

    record: Record
    model: str


@dataclass(frozen=True)
class Winners:
    """The next parents, and what all candidates spent so far.

    Attributes:
        parents: the candidates that go on.
        batches_spent: that all trained, as the budget counts them.
        speed: of the machine of the first training, if the search measured it.
        seconds_spent: that all training takes by that speed, the measurement included; 0 without.
    """

    parents: tuple[Winner, ...]
    batches_spent: int
    speed: Speed | None = None
    seconds_spent: float = 0.0

    @classmethod
    def first(cls, record: Record) -> Winners:
        """The trained initial network, which is the first parent."""
        measuring = record.speed.measuring if record.speed else 0.0
        nothing = cls((), 0, record.speed, measuring)
        return nothing.followed_by((Winner(record, model_name(0, WARM_UP)),), [record])

    def followed_by(self, parents: Sequence[Winner], records: Collection[Record]) -> Winners:
        """The winners of the next generation.

        Args:
            parents: who won; if nobody did, the parents stay.
            records: of all training steps of the generation.
        """
        batches = [record.batches_counted for record in records]
        seconds = [record.seconds_spent(self.speed) for record in records]
        return Winners(
            tuple(parents) or self.parents,
            self.batches_spent + sum(batches),
            self.speed,
            self.seconds_spent + math.fsum(seconds),  # whatever their order
        )

    @property
    def records(self) -> list[Record]:
        """The records of the parents."""
        return [parent.record for parent in self.parents]

    @property
    def models(self) -> list[str]:
        """The model files of the parents."""
        return [parent.model for parent in self.parents]

    @property
    def candidates(self) -> list[str]:
        """The names of the parents."""
        return [parent.record.candidate for parent in self.parents]

    def record_of(self, candidate: str) -> Record:
        """The record of a parent."""
        return next(record for record in self.records if record.candidate == candidate)

    @property
    def batches_per_epoch(self) -> int:
        """Batches in an epoch, the same for all candidates of a search."""
        return self.parents[0].record.batches_per_epoch

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        parents = [{"record": each.record.to_json(), "model": each.model} for each in self.parents]
        spent = {"batches_spent": self.batches_spent, "seconds_spent": self.seconds_spent}
        return {"parents": parents, **spent, "speed": self.speed and asdict(self.speed)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Winners:
        """Read what `to_json` gave."""
        parents = (
            Winner(Record.from_json(each["record"]), each["model"]) for each in values["parents"]
        )
        speed, seconds = Speed.from_json(values.get("speed")), values.get("seconds_spent", 0.0)
        return cls(tuple(parents), values["batches_spent"], speed, seconds)


def read_winners(path: Path) -> Winners:
    """Read the winners of a generation."""
    return Winners.from_json(read_json(path))
