"""What MLflow is to show of a search: plain values, from its records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netsurgery.files import read_json
from netsurgery.jobs.decisions import read_winners
from netsurgery.layout import WARM_UP, SearchFolder
from netsurgery.network import Topology
from netsurgery.search import outcome, scores
from netsurgery.search.generation import SEARCH
from netsurgery.search.records import OK, Record
from netsurgery.shown import PREFIX, Point, digest

RUNNING, FINISHED, FAILED = "RUNNING", "FINISHED", "FAILED"
KIND, NAME, SEED, CANDIDATE = (PREFIX + name for name in ("kind", "search", "seed", "candidate"))
LONGEST_PARAM, LONGEST_TAG = 6000, 8000  # characters that MLflow stores
SETTINGS_IN_SUMMARY = ("seed", "budget", "greediness")  # these are params


@dataclass(frozen=True)
class Run:
    """What MLflow is to show as a run. Times are in milliseconds since 1970."""

    name: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    points: frozenset[Point]
    status: str
    started: int
    ended: int

    def digest(self) -> str:
        """Hash of what it shows but its times; its name follows from its tags."""
        return digest(self.tags, self.params, self.points, self.status)


def gather(
    folder: SearchFolder, until: int | None, settings: Mapping[str, Any], seed: int
) -> tuple[Run, dict[str, Run]]:
    """The runs of a search and of its candidates, from the records.

    Args:
        folder: of the search.
        until: the last generation to be seen; later files may be half redone and are not looked
            at. None for a finished search.
        settings: of the search.
        seed: of the search.
    """
    finished = until is None
    plans = (
        [plan for plan in folder.plans() if plan["action"] == SEARCH]
        if until is None
        else [read_json(folder.plan(generation)) for generation in range(1, until + 1)]
    )
    paths = [folder.record(0, WARM_UP)]
    paths += [
        folder.record(plan["generation"], step) for plan in plans for step in folder.steps(plan)
    ]
    paths += [folder.final / "network.json"] if finished else []
    records = [Record.from_json(read_json(path)) for path in paths]
    winners = [read_winners(folder.winners(generation)) for generation in range(len(plans) + 1)]
    summary = read_json(folder.final / "summary.json") if finished else {}

    spans = _spans(paths, records)
    survivors = {parent.candidate for parents, _, _ in winners for parent in parents}
    lineage = outcome.lineage(records, survivors, summary.get("candidate", ""))
    eliminated = {row["candidate"]: row["eliminated_in"] for row in lineage}
    if not finished:
        # the lineage takes winners without offspring for eliminated in the end, which is to come
        eliminated |= dict.fromkeys(survivors, "")
    tags = {
        NAME: folder.root.parent.name,
        SEED: str(seed),
        PREFIX + "algorithm": settings["algorithm"],
        PREFIX + "dataset": settings["dataset"],
    }
    search = _search(tags, winners, summary, settings, spans)
    candidates = {
        name: _candidate(
            tags, record, eliminated[name], name == summary.get("candidate"), spans[name]
        )
        for name, record in outcome.last_records(records).items()
    }
    return search, candidates


def _spans(paths: Sequence[Path], records: Sequence[Record]) -> dict[str, tuple[int, int]]:
    """When each candidate's training began and ended, from the times of its records' files."""
    spans: dict[str, tuple[int, int]] = {}
    for path, record in zip(paths, records, strict=True):
        ended = path.stat().st_mtime
        span = int(1000 * (ended - record.wall_seconds)), int(1000 * ended)
        first, last = spans.get(record.candidate, span)
        spans[record.candidate] = min(first, span[0]), max(last, span[1])
    return spans


def _search(
    tags: Mapping[str, str],
    winners: Sequence[tuple[list[Record], list[str], int]],
    summary: Mapping[str, Any],
    settings: Mapping[str, Any],
    spans: Mapping[str, tuple[int, int]],
) -> Run:
    """The run of a search; its summary is empty until it is finished."""
    points: dict[tuple[str, int], float | None] = {}
    for generation, (parents, _, spent) in enumerate(winners):
        best = parents[scores.rank(parents, settings["metric"], 1.0, settings["score_window"])[0]]
        points["val_score", generation] = best.score
        points["parameters", generation] = best.parameters
        points["epochs_trained", generation] = best.epochs_trained
        points["epochs_spent", generation] = spent / best.batches_per_epoch
    for name, value in summary.items():
        if isinstance(value, (int, float)) and name not in SETTINGS_IN_SUMMARY:
            points[name, len(winners)] = value
    tags = {**tags, KIND: "search"}
    if summary:
        tags[PREFIX + "status"] = summary["status"]
        tags[PREFIX + "winner"] = summary["candidate"]
        tags[PREFIX + "layers"] = _cut(" | ".join(summary["layers"]), LONGEST_TAG)
    status = _status(summary["status"]) if summary else RUNNING
    used = {name: value for name, value in settings.items() if name != "seeds"}
    return Run(
        name=f"{tags[NAME]}/seed{tags[SEED]}",
        tags=tags,
        params=_flat(used | {"seed": int(tags[SEED])}),
        points=_finite(points),
        status=status,
        started=min(started for started, _ in spans.values()),
        ended=max(ended for _, ended in spans.values()),
    )


def _candidate(
    tags: Mapping[str, str],
    record: Record,
    eliminated_in: str,
    selected: bool,
    span: tuple[int, int],
) -> Run:
    """The run of a candidate, from its last record."""
    points: dict[tuple[str, int], float | None] = {}
    for entry in record.history:
        for metric, value in entry.items():
            points[metric, round((entry["epoch"] or 0) * record.batches_per_epoch)] = value
    points["val_score", record.batches_trained] = record.score
    # as a metric as well, for MLflow sorts params as text
    points["parameters", record.batches_trained] = record.parameters
    tags = {
        **tags,
        KIND: "candidate",
        CANDIDATE: record.candidate,
        PREFIX + "status": record.status,
        PREFIX + "outcome": "eliminated" if eliminated_in else "winner",
    }
    if eliminated_in:
        tags[PREFIX + "eliminated_in"] = eliminated_in
    if selected:
        tags[PREFIX + "selected"] = "true"
    layers = " | ".join(map(str, Topology.from_json(record.topology).layers))
    params = {
        "generation": record.generation,
        "parent": record.parent,
        "operation": record.operation,
        "position": record.position,
        "parameters": record.parameters,
        "layers": _cut(layers, LONGEST_PARAM),
    }
    return Run(
        name=record.candidate,
        tags=tags,
        params=_flat({name: value for name, value in params.items() if value is not None}),
        points=_finite(points),
        status=_status(record.status),
        started=span[0],
        ended=span[1],
    )


def _status(status: str) -> str:
    return FINISHED if status == OK else FAILED


def _finite(points: Mapping[tuple[str, int], float | None]) -> frozenset[Point]:
    """Without what is None: records have that where a value was not finite."""
    return frozenset((m, float(v), step) for (m, step), v in points.items() if v is not None)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Params: texts as they are, other values as JSON, those of mappings by dotted names."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value if isinstance(value, str) else json.dumps(value)
    return flat


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."
