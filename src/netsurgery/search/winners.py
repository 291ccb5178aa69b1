"""The winners of a generation: the parents of the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netsurgery.search.records import Record
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
    """The next parents, and the batches that all candidates trained so far."""

    parents: tuple[Winner, ...]
    batches_spent: int

    @classmethod
    def first(cls, record: Record) -> Winners:
        """The trained initial network, which is the first parent."""
        return cls((Winner(record, model_name(0, WARM_UP)),), record.batches_spent)

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

    @property
    def batches_per_epoch(self) -> int:
        """Batches in an epoch, the same for all candidates of a search."""
        return self.parents[0].record.batches_per_epoch

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        parents = [{"record": each.record.to_json(), "model": each.model} for each in self.parents]
        return {"parents": parents, "batches_spent": self.batches_spent}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Winners:
        """Read what `to_json` gave."""
        parents = (
            Winner(Record.from_json(each["record"]), each["model"]) for each in values["parents"]
        )
        return cls(tuple(parents), values["batches_spent"])


def read_winners(path: Path) -> Winners:
    """Read the winners of a generation."""
    return Winners.from_json(read_json(path))
