"""The history of a search, from its records."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from netsurgery.search import lineage
from netsurgery.search.algorithms import read_generation
from netsurgery.search.layout import SearchFolder
from netsurgery.search.plans import GenerationPlan
from netsurgery.search.records import Record
from netsurgery.search.steps import FINAL, WARM_UP
from netsurgery.search.winners import Winners
from netsurgery.storage.files import read_json


class TrainedStep(NamedTuple):
    """A training step, and when it ended."""

    record: Record
    ended: float  # Unix time, in seconds

    @property
    def began(self) -> float:
        """When it began, in Unix time."""
        return self.ended - self.record.wall_seconds


@dataclass(frozen=True)
class SearchHistory:
    """What the records of a search say, up to a generation or to the end of the search."""

    folder: SearchFolder
    settings: Mapping[str, Any]
    seed: int
    plans: Sequence[GenerationPlan]
    paths: Sequence[Path]
    records: Sequence[Record]
    summary: Mapping[str, Any]  # empty until the search is finished
    references: Sequence[Mapping[str, Any]]  # models that are no networks, if there are any

    @classmethod
    def read(
        cls, folder: SearchFolder, until: int | None, settings: Mapping[str, Any], seed: int
    ) -> SearchHistory:
        """Read the history from the files of a search (see `build_runs`)."""
        plans = (
            folder.generations()
            if until is None
            else [read_generation(folder.plan(number)) for number in range(1, until + 1)]
        )
        paths = [folder.record(0, WARM_UP)]
        paths += [folder.record(plan.generation, step) for plan in plans for step in plan.steps]
        paths += [folder.final / "network.json"] if until is None else []
        records = [Record.from_json(read_json(path)) for path in paths]
        summary = read_json(folder.final / "summary.json") if until is None else {}
        has_references = until is None and folder.reference.exists()
        references = read_json(folder.reference)["models"] if has_references else []
        return cls(folder, settings, seed, plans, paths, records, summary, references)

    @cached_property
    def winners(self) -> list[Winners]:
        """Of each generation: the next parents, their models, and the batches spent so far."""
        return [self.folder.read_winners(number) for number in range(len(self.plans) + 1)]

    @cached_property
    def last(self) -> dict[str, Record]:
        """The last record of each candidate."""
        return lineage.last_records(self.records)

    @cached_property
    def model_files(self) -> dict[str, str]:
        """The model file of each candidate's last record, relative to the folder of the search."""
        return {
            record.candidate: str(path.with_suffix(".keras").relative_to(self.folder.root))
            for path, record in zip(self.paths, self.records, strict=True)
            if record == self.last[record.candidate]
        }

    @cached_property
    def eliminated(self) -> dict[str, tuple[str, str]]:
        """Where each candidate was eliminated, and by whom; empty strings for the others."""
        survivors = {candidate for winners in self.winners for candidate in winners.candidates}
        final = self.summary.get("candidate", "")
        where = {
            row["candidate"]: row["eliminated_in"]
            for row in lineage.lineage(self.records, survivors, final)
        }
        if not final:
            # the lineage regards winners without offspring as eliminated at the end
            where |= dict.fromkeys(survivors, "")
        by: dict[str, str] = {}
        for plan, winners in zip(self.plans, self.winners[1:], strict=True):
            files = {step: self.folder.record(plan.generation, step) for step in plan.steps}
            names = {step: self.by_path[path].candidate for step, path in files.items()}
            beaten = lineage.beaten(plan, names, winners.candidates)
            by |= {loser: ", ".join(others) for loser, others in beaten.items()}
        return {
            name: (place, (final if place == "final" else by.get(name, "")) if place else "")
            for name, place in where.items()
        }

    @cached_property
    def by_path(self) -> dict[Path, Record]:
        """The records, by file."""
        return dict(zip(self.paths, self.records, strict=True))

    @cached_property
    def steps(self) -> dict[str, list[TrainedStep]]:
        """The training steps of each candidate, in order."""
        found: dict[str, list[TrainedStep]] = {}
        for path, record in self.by_path.items():
            is_timed = record.began and record.wall_seconds
            ended = record.began + record.wall_seconds if is_timed else path.stat().st_mtime
            found.setdefault(record.candidate, []).append(TrainedStep(record, ended))
        return {
            name: sorted(steps, key=lambda step: (step.record.batches_trained, step.ended))
            for name, steps in found.items()
        }

    def ancestry(self, candidate: str) -> list[str]:
        """The ancestors of a candidate from the initial network on, and the candidate itself."""
        names = [candidate]
        while parent := self.last[names[-1]].parent:
            names.append(parent)
        return names[::-1]

    def ended(self, generation: int) -> float:
        """When the last training step up to a generation ended, in Unix time."""
        return max(
            step.ended
            for steps in self.steps.values()
            for step in steps
            if step.record.generation <= generation
        )

    def seconds(self, generation: float = math.inf) -> float:
        """Wall time of all training steps up to a generation."""
        return round(
            sum(
                record.wall_seconds
                for record in self.records
                if generation == math.inf
                or (record.generation <= generation and record.step != FINAL)
            ),
            3,
        )
