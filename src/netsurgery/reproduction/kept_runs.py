"""Figures of finished runs, kept without their models: an experiment of days runs in parts.

A file has a line of JSON for each run, sorted by search and seed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
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


def keep(runs: Iterable[Run], path: Path) -> None:
    """Add finished runs to a file, or replace them there."""
    kept = read_kept(path)
    for run in runs:
        if run.result is not None:
            kept[run.search, run.seed] = figures(PaperRun.of(run))
    lines = [json.dumps(kept[key], separators=(",", ":")) for key in sorted(kept)]
    if lines:
        write_text(path, "".join(f"{line}\n" for line in lines))


def with_kept(experiment: Experiment, kept: Kept) -> Experiment:
    """An experiment whose runs that are not finished are those that were kept, if they were."""

    def complete(run: Run) -> Run:
        found = kept.get((run.search, run.seed))
        if run.result is not None or found is None:
            return run
        return replace(PaperRun.of(run), summary=found["summary"], kept=found)

    return replace(experiment, runs=list(map(complete, experiment.runs)))
