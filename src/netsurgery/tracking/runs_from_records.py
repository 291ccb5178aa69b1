"""The MLflow runs of a search and its candidates, from the records."""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from netsurgery import datasets
from netsurgery.networks.topology import Topology
from netsurgery.search import scores
from netsurgery.search.layout import SearchFolder
from netsurgery.search.records import Record, Status
from netsurgery.storage.files import CHECKSUMS
from netsurgery.storage.mlflow_sqlite import MEASURED, Measurement
from netsurgery.tracking.run_tags import elimination_tags, provenance_tags
from netsurgery.tracking.runs import (
    CANDIDATE,
    FAILED,
    FINISHED,
    KIND,
    MAX_TAG_LENGTH,
    NAME,
    PREFIX,
    RUNNING,
    SEED,
    Run,
    finite_points,
    flatten,
    milliseconds,
    truncate,
)
from netsurgery.tracking.search_history import SearchHistory, TrainedStep

# numbers of a summary that are no points: settings, and what is measured
NO_POINTS = ("seed", "budget", "greediness", *MEASURED)
NOT_IN_NAMES = re.compile(r"[^\w. -]")  # of metrics
DATA_PARAMS = ("origin", "version", "task", "samples", "parts", "shape", "type", "scaling")


def build_runs(
    folder: SearchFolder,
    until: int | None,
    settings: Mapping[str, Any],
    seed: int,
) -> tuple[Run, dict[str, Run]]:
    """The run of a search and those of its candidates.

    Args:
        folder: of the search.
        until: the last generation to read, because the workflow may be redoing later ones; None
            for a finished search.
        settings: of the search.
        seed: of the search.
    """
    history = SearchHistory.read(folder, until, settings, seed)
    data = datasets.describe(folder.root.parents[1] / "_data" / settings["dataset"])
    common = {
        NAME: folder.root.parent.name,
        SEED: str(seed),
        PREFIX + "algorithm": settings["algorithm"],
        PREFIX + "dataset": settings["dataset"],
        PREFIX + "data_sha256": "-".join(data[CHECKSUMS].values()),
    }
    return _search_run(history, common, data), {
        name: _candidate_run(history, common, record) for name, record in history.last.items()
    }


def _search_run(history: SearchHistory, common: Mapping[str, str], data: Mapping[str, Any]) -> Run:
    settings, summary, generations = history.settings, history.summary, len(history.winners)
    tags = {**common, KIND: "search", **provenance_tags(history.records)}
    ends = [history.ended(generation) for generation in range(generations)]
    measured = {("wall_seconds", step): history.seconds(step) for step in range(generations)}
    if summary:
        ends.append(max(step.ended for steps in history.steps.values() for step in steps))
        measured["wall_seconds", generations] = history.seconds()
        measured |= _latency(summary, generations)
        tags[PREFIX + "status"] = summary["status"]
        tags[PREFIX + "winner"] = summary["candidate"]
        tags[PREFIX + "layers"] = truncate(" | ".join(summary["layers"]), MAX_TAG_LENGTH)
        tags[PREFIX + "model"] = "final/model.keras"
    start = Topology.from_json(history.records[0].topology)
    params = {name: value for name, value in settings.items() if name != "seeds"}
    params |= {"seed": history.seed, "layers": " | ".join(map(str, start.layers))}
    params["data"] = {name: data[name] for name in DATA_PARAMS}
    return Run(
        name=f"{tags[NAME]}/seed{history.seed}",
        tags=tags,
        params=flatten(params),
        points=finite_points(_search_metrics(history)),
        status=_status(summary["status"]) if summary else RUNNING,
        started=min(_started(steps) for steps in history.steps.values()),
        ended=milliseconds(ends[-1]),
        times={step: milliseconds(ended) for step, ended in enumerate(ends)},
        measured=measured,
    )


def _search_metrics(history: SearchHistory) -> dict[tuple[str, int], float | None]:
    """The metrics of a search by generation, and one step later the numbers of its summary."""
    settings = history.settings
    metrics: dict[tuple[str, int], float | None] = {}
    for generation, winners in enumerate(history.winners):
        parents, spent = winners.records, winners.batches_spent
        ranks = scores.rank_by_fitness(
            parents, settings["objective"], 1.0, settings["score_window"]
        )
        best = parents[ranks[0]]
        metrics["val_score", generation] = best.score
        metrics |= _size(best, generation)
        metrics["epochs_trained", generation] = best.epochs_trained
        metrics["epochs_spent", generation] = spent / best.batches_per_epoch
    for name, value in history.summary.items():
        if type(value) in (int, float) and name not in NO_POINTS:
            metrics[name, len(history.winners)] = value
    for model in history.references:
        kind = NOT_IN_NAMES.sub("", model["name"])
        for name, value in model.get("test_metrics", {}).items():
            metrics[f"reference/{kind}/test_{name}", len(history.winners)] = value
    return metrics


def _size(record: Record, step: int) -> dict[tuple[str, int], float | None]:
    """The parameters and costs of a network."""
    sizes = {"parameters": record.parameters, **asdict(record.costs)}
    return {(name, step): value for name, value in sizes.items()}


def _latency(values: Mapping[str, Any], step: int) -> dict[Measurement, float]:
    """The latencies in a record or summary."""
    names = ("latency", "latency_batch32")
    return {(name, step): values[name] for name in names if values.get(name) is not None}


def _candidate_run(history: SearchHistory, common: Mapping[str, str], record: Record) -> Run:
    name, end = record.candidate, record.batches_trained
    steps = history.steps[name]
    metrics: dict[tuple[str, int], float | None] = {}
    for entry in record.history:
        for metric, value in entry.items():
            metrics[metric, round((entry["epoch"] or 0) * record.batches_per_epoch)] = value
    metrics["val_score", end] = record.score
    # not as a param: MLflow sorts those as text
    metrics |= _size(record, end)
    ends = [step.record.batches_trained for step in steps]
    times = {
        batches: milliseconds(steps[min(bisect.bisect_left(ends, batches), len(steps) - 1)].ended)
        for _, batches in metrics
    }
    params = {
        "operation": record.operation or "start",
        "generation": f"{record.generation:02d}",  # as text it sorts like the number
        "parent": record.parent,
        "position": record.position,
        "precision": record.precision,
        "layers": " | ".join(map(str, Topology.from_json(record.topology).layers)),
    }
    return Run(
        name=name,
        tags=_candidate_tags(history, common, record),
        params=flatten({key: value for key, value in params.items() if value is not None}),
        points=finite_points(metrics),
        status=_status(record.status),
        started=_started(steps),
        ended=milliseconds(max(step.ended for step in steps)),
        times=times,
        measured={
            ("wall_seconds", end): round(sum(step.record.wall_seconds for step in steps), 3),
            **_latency(asdict(record), end),
        },
    )


def _candidate_tags(
    history: SearchHistory, common: Mapping[str, str], record: Record
) -> dict[str, str]:
    name, final = record.candidate, history.summary.get("candidate", "")
    where, by = history.eliminated[name]
    ancestry = "".join(f"/{each}" for each in history.ancestry(name))
    tags = {
        **common,
        KIND: "candidate",
        CANDIDATE: name,
        PREFIX + "status": record.status,
        PREFIX + "outcome": "eliminated" if where else "winner",
        PREFIX + "lineage": truncate(ancestry, MAX_TAG_LENGTH - 1) + "/",
        PREFIX + "model": history.model_files[name],
        PREFIX + "model_sha256": record.model_sha256,
        **elimination_tags(where, by),
        **provenance_tags([step.record for step in history.steps[name]]),
    }
    if final and name in history.ancestry(final):
        tags[PREFIX + "line"] = "final"
    if name == final:
        tags[PREFIX + "selected"] = "true"
    return tags


def _started(steps: Sequence[TrainedStep]) -> int:
    return milliseconds(min(step.began for step in steps))


def _status(status: str) -> str:
    return FINISHED if status == Status.OK else FAILED
