"""Figures of finished runs, kept without their models: an experiment of days runs in parts.

A file has a line of JSON for each run, sorted by search and seed. The summary of the pooling trials
lies beside it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from netsurgery.analysis.runs import Experiment, Run
from netsurgery.reproduction.paper_runs import PaperRun
from netsurgery.storage.files import CHECKSUMS, write_text

Kept = dict[tuple[str, int], Mapping[str, Any]]  # by search and seed
DIGITS = 4  # of the accuracies in curves


def figures(run: PaperRun) -> dict[str, Any]:
    """What is kept of a finished run, as plain values."""
    assert run.summary is not None
    epochs, accuracies = run.curve.tolist()
    return {
        "search": run.search,
        "seed": run.seed,
        "summary": {key: value for key, value in run.summary.items() if key != CHECKSUMS},
        "savings": run.savings,
        "redraws": run.redraws,
        "operations": run.operations,
        "curve": [epochs, [round(v, DIGITS) if math.isfinite(v) else None for v in accuracies]],
    }


def read_kept(path: Path) -> Kept:
    """Read what `keep` wrote; nothing if there is no such file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {(each["search"], each["seed"]): each for each in map(json.loads, lines)}


def keep(experiment: Experiment, path: Path) -> None:
    """Add the finished runs of an experiment to a file, or replace them there."""
    kept = read_kept(path)
    for run in experiment.runs:
        if run.result is not None:
            kept[run.search, run.seed] = figures(PaperRun.of(run))
    lines = [json.dumps(kept[key], separators=(",", ":")) for key in sorted(kept)]
    if lines:
        write_text(path, "".join(f"{line}\n" for line in lines))
    if experiment.pooling_trials.exists():
        write_text(kept_trials(path), experiment.pooling_trials.read_text(encoding="utf-8"))


def kept_trials(path: Path) -> Path:
    """Where the summary of the pooling trials is kept, beside the file of runs."""
    return path.with_name(f"{path.stem}-pooling.csv")


def with_kept(experiment: Experiment, path: Path) -> Experiment:
    """An experiment in which what is not finished is what was kept, if it was."""
    kept = read_kept(path)

    def complete(run: Run) -> Run:
        found = kept.get((run.search, run.seed))
        if run.result is not None or found is None:
            return run
        return replace(PaperRun.of(run), summary=found["summary"], kept=found)

    trials = experiment.pooling_trials
    return replace(
        experiment,
        runs=list(map(complete, experiment.runs)),
        pooling_trials=trials if trials.exists() else kept_trials(path),
    )
