"""From the records of a search to the runs that MLflow is to show of it."""

from __future__ import annotations

import bisect
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from netsurgery import datasets
from netsurgery.networks.network import Topology
from netsurgery.search import outcome, scores
from netsurgery.search.layout import WARM_UP, SearchFolder, read_generation
from netsurgery.search.plans import GenerationPlan
from netsurgery.search.records import OK, Record
from netsurgery.search.winners import read_winners
from netsurgery.storage.files import CHECKSUMS, read_json
from netsurgery.storage.mlflow_sqlite import SECONDS
from netsurgery.tracking.runs import (
    CANDIDATE,
    FAILED,
    FINISHED,
    KIND,
    LONGEST_TAG,
    NAME,
    PREFIX,
    RUNNING,
    SEED,
    Run,
    cut,
    finite,
    flat,
)

FINAL = "final"  # the last training step
NO_METRICS = (
    "seed",
    "budget",
    "greediness",
    SECONDS,
)  # of a summary: params, and what `seconds` has
COMMIT, SOURCE, SOURCE_TYPE = (  # MLflow's own, for its columns
    f"mlflow.source.{name}" for name in ("git.commit", "name", "type")
)
DESCRIBING_DATA = ("origin", "version", "task", "samples", "parts", "shape", "type", "scaling")
ELIMINATION = re.compile(
    r"(?:g(?P<generation>\d+)/)?(?P<phase>\w+?)(?:/(?P<type>[a-z_]+))?(?:/round(?P<round>\d+))?"
    r"(?:/slot\d+)?"
)


@dataclass(frozen=True)
class SearchHistory:
    """All that the records tell of a search up to a generation, or to its end."""

    folder: SearchFolder
    settings: Mapping[str, Any]
    seed: int
    plans: Sequence[GenerationPlan]
    paths: Sequence[Path]
    records: Sequence[Record]
    summary: Mapping[str, Any]  # empty until the search is finished

    @classmethod
    def read(
        cls, folder: SearchFolder, until: int | None, settings: Mapping[str, Any], seed: int
    ) -> SearchHistory:
        """Read it from a search's files (see `gather`)."""
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
        return cls(folder, settings, seed, plans, paths, records, summary)

    @cached_property
    def winners(self) -> list[tuple[list[Record], list[str], int]]:
        """Of each generation: the next parents, their models, the batches spent up to them."""
        return [read_winners(self.folder.winners(n)) for n in range(len(self.plans) + 1)]

    @cached_property
    def last(self) -> dict[str, Record]:
        """The last record of every candidate."""
        return outcome.last_records(self.records)

    @cached_property
    def model_files(self) -> dict[str, str]:
        """The model file of every candidate's last record, within the search's folder."""
        return {
            record.candidate: str(path.with_suffix(".keras").relative_to(self.folder.root))
            for path, record in zip(self.paths, self.records, strict=True)
            if record == self.last[record.candidate]
        }

    @cached_property
    def eliminated(self) -> dict[str, tuple[str, str]]:
        """Where each candidate was eliminated, and by whom; empty for those that were not."""
        survivors = {parent.candidate for parents, _, _ in self.winners for parent in parents}
        final = self.summary.get("candidate", "")
        where = {
            row["candidate"]: row["eliminated_in"]
            for row in outcome.lineage(self.records, survivors, final)
        }
        if not final:
            # the lineage takes winners without offspring for eliminated in the end
            where |= dict.fromkeys(survivors, "")
        by: dict[str, str] = {}
        for plan, (parents, _, _) in zip(self.plans, self.winners[1:], strict=True):
            files = {step: self.folder.record(plan.generation, step) for step in plan.steps}
            names = {step: self.by_path[path].candidate for step, path in files.items()}
            beaten = outcome.beaten(plan, names, [parent.candidate for parent in parents])
            by |= {loser: ", ".join(others) for loser, others in beaten.items()}
        return {
            name: (place, (final if place == "final" else by.get(name, "")) if place else "")
            for name, place in where.items()
        }

    @cached_property
    def by_path(self) -> dict[Path, Record]:
        """The records by their files."""
        return dict(zip(self.paths, self.records, strict=True))

    @cached_property
    def steps(self) -> dict[str, list[tuple[Record, float]]]:
        """Every candidate's training steps in order, with the times when they ended."""
        found: dict[str, list[tuple[Record, float]]] = {}
        for path, record in self.by_path.items():
            known = record.began and record.wall_seconds
            ended = record.began + record.wall_seconds if known else path.stat().st_mtime
            found.setdefault(record.candidate, []).append((record, ended))
        return {
            name: sorted(steps, key=lambda step: (step[0].batches_trained, step[1]))
            for name, steps in found.items()
        }

    def line(self, candidate: str) -> list[str]:
        """A candidate and its ancestors, the starting network first."""
        found = [candidate]
        while parent := self.last[found[-1]].parent:
            found.append(parent)
        return found[::-1]


def build_runs(
    folder: SearchFolder,
    until: int | None,
    settings: Mapping[str, Any],
    seed: int,
    tags: Mapping[str, str] | None = None,
) -> tuple[Run, dict[str, Run]]:
    """The runs of a search and of its candidates, from the records.

    Args:
        folder: of the search.
        until: the last generation to be seen; later files may be half redone and are not looked
            at. None for a finished search.
        settings: of the search.
        seed: of the search.
        tags: further ones for all these runs.
    """
    story = SearchHistory.read(folder, until, settings, seed)
    data = datasets.describe(folder.root.parents[1] / "_data" / settings["dataset"])
    common = {
        **(tags or {}),
        NAME: folder.root.parent.name,
        SEED: str(seed),
        PREFIX + "algorithm": settings["algorithm"],
        PREFIX + "dataset": settings["dataset"],
        PREFIX + "data_sha256": "-".join(data[CHECKSUMS].values()),
    }
    return _search(story, common, data), {
        name: _candidate(story, common, record) for name, record in story.last.items()
    }


def _search(story: SearchHistory, common: Mapping[str, str], data: Mapping[str, Any]) -> Run:
    """The run of a search."""
    settings, summary = story.settings, story.summary
    points: dict[tuple[str, int], float | None] = {}
    ends = [_ended(story, generation) for generation in range(len(story.winners))]
    for generation, (parents, _, spent) in enumerate(story.winners):
        best = parents[
            scores.rank_by_fitness(parents, settings["objective"], 1.0, settings["score_window"])[0]
        ]
        points["val_score", generation] = best.score
        points["parameters", generation] = best.parameters
        points["epochs_trained", generation] = best.epochs_trained
        points["epochs_spent", generation] = spent / best.batches_per_epoch
    tags = {**common, KIND: "search", **_provenance(story.records)}
    if summary:
        for name, value in summary.items():
            if isinstance(value, (int, float)) and name not in NO_METRICS:
                points[name, len(story.winners)] = value
        ends.append(max(ended for steps in story.steps.values() for _, ended in steps))
        tags[PREFIX + "status"] = summary["status"]
        tags[PREFIX + "winner"] = summary["candidate"]
        tags[PREFIX + "layers"] = cut(" | ".join(summary["layers"]), LONGEST_TAG)
        tags[PREFIX + "model"] = "final/model.keras"
    start = Topology.from_json(story.records[0].topology)
    used = {name: value for name, value in settings.items() if name != "seeds"}
    return Run(
        name=f"{tags[NAME]}/seed{story.seed}",
        tags=tags,
        params=flat(
            used
            | {"seed": story.seed, "layers": " | ".join(map(str, start.layers))}
            | {"data": {name: data[name] for name in DESCRIBING_DATA}}
        ),
        points=finite(points),
        status=_status(summary["status"]) if summary else RUNNING,
        started=min(_began(steps) for steps in story.steps.values()),
        ended=int(1000 * ends[-1]),
        times={step: int(1000 * ended) for step, ended in enumerate(ends)},
        seconds={step: _seconds(story, step) for step in range(len(story.winners))}
        | ({len(story.winners): _seconds(story)} if summary else {}),
    )


def _ended(story: SearchHistory, generation: int) -> float:
    """When the last training step of the generations up to one ended."""
    return max(
        ended
        for steps in story.steps.values()
        for record, ended in steps
        if record.generation <= generation
    )


def _seconds(story: SearchHistory, generation: float = math.inf) -> float:
    """Wall time of all training steps up to a generation."""
    return round(
        sum(
            record.wall_seconds
            for record in story.records
            if generation == math.inf or (record.generation <= generation and record.step != FINAL)
        ),
        3,
    )


def _candidate(story: SearchHistory, common: Mapping[str, str], record: Record) -> Run:
    """The run of a candidate, from its last record."""
    name, end = record.candidate, record.batches_trained
    steps = story.steps[name]
    points: dict[tuple[str, int], float | None] = {}
    for entry in record.history:
        for metric, value in entry.items():
            points[metric, round((entry["epoch"] or 0) * record.batches_per_epoch)] = value
    points["val_score", end] = record.score
    # not as a param: MLflow sorts those as text
    points["parameters", end] = record.parameters
    ends = [known.batches_trained for known, _ in steps]
    times = {
        step: int(1000 * steps[min(bisect.bisect_left(ends, step), len(steps) - 1)][1])
        for _, step in points
    }
    where, by = story.eliminated[name]
    final = story.summary.get("candidate", "")
    tags = {
        **common,
        KIND: "candidate",
        CANDIDATE: name,
        PREFIX + "status": record.status,
        PREFIX + "outcome": "eliminated" if where else "winner",
        PREFIX + "lineage": cut("".join(f"/{each}" for each in story.line(name)), LONGEST_TAG - 1)
        + "/",
        PREFIX + "model": story.model_files[name],
        PREFIX + "model_sha256": record.model_sha256,
        **_elimination(where, by),
        **_provenance([record for record, _ in steps]),
    }
    if final and name in story.line(final):
        tags[PREFIX + "line"] = "final"
    if name == final:
        tags[PREFIX + "selected"] = "true"
    params = {
        "operation": record.operation or "start",
        "generation": f"{record.generation:02d}",  # as text it sorts like the number
        "parent": record.parent,
        "position": record.position,
        "layers": " | ".join(map(str, Topology.from_json(record.topology).layers)),
    }
    return Run(
        name=name,
        tags=tags,
        params=flat({key: value for key, value in params.items() if value is not None}),
        points=finite(points),
        status=_status(record.status),
        started=_began(steps),
        ended=int(1000 * max(ended for _, ended in steps)),
        times=times,
        seconds={end: round(sum(known.wall_seconds for known, _ in steps), 3)},
    )


def _elimination(where: str, by: str) -> dict[str, str]:
    """Tags of a place such as g01/phase1/add_units/round2/slot0 and of who was better there."""
    if not where:
        return {}
    parts = ELIMINATION.fullmatch(where)
    found = {"in": where, **(parts.groupdict() if parts else {}), "by": by}
    found.pop("type", None)
    return {f"{PREFIX}eliminated_{name}": value for name, value in found.items() if value}


def _provenance(records: Iterable[Record]) -> dict[str, str]:
    """Tags of the code, environment and device; several values where steps ran differently."""
    found: dict[str, list[str]] = {}
    for record in records:
        for name, value in record.provenance.items():
            values = found.setdefault(name, [])
            if value not in values:
                values.append(value)
    tags = {PREFIX + name: cut("; ".join(v), LONGEST_TAG) for name, v in found.items()}
    if "commit" in found:
        tags[COMMIT] = found["commit"][-1]
    return tags | {SOURCE: "netsurgery", SOURCE_TYPE: "PROJECT"}


def _began(steps: Sequence[tuple[Record, float]]) -> int:
    return int(1000 * min(ended - record.wall_seconds for record, ended in steps))


def _status(status: str) -> str:
    return FINISHED if status == OK else FAILED
