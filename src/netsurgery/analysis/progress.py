"""How far the runs of a configuration are, from what lies on disk: while they run, or afterwards.

Nothing of a run needs to cooperate, so that it can be asked from anywhere that sees the files.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from netsurgery.analysis.runs import FINISHED, MISSING, UNFINISHED, Experiment, Run
from netsurgery.objectives.objectives import rises
from netsurgery.search.layout import WARM_UP
from netsurgery.storage.files import read_json

NO_RECORDS = ("plan.json", "winners.json", "tracked.json", "singular_values.json")
WINDOW = 300.0  # seconds over which the speed is measured
PHASES = {
    r"recuperation": "recuperation",
    r"phase(\d)/.*round(\d+)/": "phase {0}, round {1}",
    r"phase(\d)/round(\d+)/": "phase {0}, round {1}",
    r"try(\d+)/": "try {0}, full step",
    WARM_UP: "start",
}


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    search: str
    seed: int
    state: str  # see `netsurgery.analysis.runs`
    generation: int
    phase: str
    epochs_spent: float
    epochs_expected: float | None  # None where nothing says it yet
    best_score: float | None
    metric: str

    @property
    def left(self) -> float:
        """Epochs that are left to train, as far as is known."""
        if self.state not in (UNFINISHED, MISSING) or self.epochs_expected is None:
            return 0.0
        return max(0.0, self.epochs_expected - self.epochs_spent)


def records(folder: Path) -> Iterator[tuple[float, dict[str, Any]]]:
    """When each record of a generation was written, and what it says."""
    for path in folder.rglob("*.json"):
        if path.name in NO_RECORDS or path.name.startswith("."):
            continue
        try:
            content, written = read_json(path), path.stat().st_mtime
        except (OSError, ValueError):
            continue  # being made again right now
        if isinstance(content, dict) and "batches_spent" in content:
            yield written, content


def phase_of(step: str) -> str:
    """A training step for people."""
    for pattern, words in PHASES.items():
        if found := re.match(pattern, step):
            return words.format(*found.groups())
    return step


def expected(run: Run, spent: float, trained: float) -> float | None:
    """Epochs that a run will have spent in the end.

    Args:
        run: whose settings say how it ends.
        spent: so far.
        trained: epochs that the best candidate's weights received.
    """
    chosen = run.settings
    if chosen["algorithm"] == "baseline":
        return float(chosen["epochs"])
    if chosen.get("budget") is not None:
        return max(float(chosen["budget"]), spent)
    return spent * max(1.0, chosen["epochs"] / trained) if trained else None


def of_run(run: Run) -> tuple[Progress, list[tuple[float, float]]]:
    """How far a run is; and when which epochs were spent in its current generation."""
    metric = run.settings["objective"]
    if run.summary is not None:
        summary = run.summary
        words = "done" if run.state == FINISHED else summary["status"]
        spent = summary["epochs_spent"]
        done = Progress(
            run.search, run.seed, run.state, summary["generations"], words, spent, spent,
            summary["val_score"], metric,
        )  # fmt: skip
        return done, []
    decided = -1
    while run.folder.winners(decided + 1).exists():
        decided += 1
    parents: list[dict[str, Any]] = []
    batches = 0
    if decided >= 0:
        winners = read_json(run.folder.winners(decided))
        parents, batches = [p["record"] for p in winners["parents"]], winners["batches_spent"]
    now = sorted(records(run.folder.generation(decided + 1)), key=lambda found: found[0])
    known = [*parents, *(content for _, content in now)]
    per_epoch = known[0]["batches_per_epoch"] if known else 1
    spent = (batches + sum(content["batches_spent"] for _, content in now)) / per_epoch
    values = [record["score"] for record in known if record["score"] is not None]
    best = (max if rises(metric) else min)(values, default=None)
    trained = max((record["epochs_trained"] for record in known), default=0.0)
    if now:
        phase = phase_of(now[-1][1]["step"])
    elif run.state == MISSING:
        phase = "waiting"
    else:
        phase = "start" if decided < 0 else "planning"
    moments = [(written, content["batches_spent"] / per_epoch) for written, content in now]
    whole = expected(run, spent, trained)
    return (
        Progress(
            run.search, run.seed, run.state, max(0, decided + 1), phase, spent, whole, best, metric
        ),
        moments,
    )


def measure(experiment: Experiment, now: float | None = None) -> dict[str, Any]:
    """How far all runs are, in plain values.

    The time left is that of the epochs left at the speed of the last minutes; None where nothing
    was trained in them.

    Args:
        experiment: the runs.
        now: Unix time; by default that of the clock.
    """
    now = time.time() if now is None else now
    found, moments = [], []
    for run in experiment.runs:
        progress, theirs = of_run(run)
        found.append(progress)
        moments += theirs
        end = run.folder.final / "summary.json"
        if progress.state == FINISHED and end.exists() and run.summary is not None:
            whole = run.summary.get("wall_seconds") or 0.0
            if end.stat().st_mtime > now - WINDOW and whole > 0:
                share = min(1.0, WINDOW / whole)
                moments.append((end.stat().st_mtime, share * run.summary["epochs_spent"]))
    left = sum(progress.left for progress in found)
    recent = [(written, epochs) for written, epochs in moments if written > now - WINDOW]
    began = min((written for written, _ in recent), default=now)
    elapsed = max(1.0, now - began)
    speed = sum(epochs for _, epochs in recent) / elapsed if recent else 0.0
    return {
        "time": now,
        "runs": len(found),
        "finished": sum(run.state not in (UNFINISHED, MISSING) for run in experiment.runs),
        "epochs_spent": sum(progress.epochs_spent for progress in found),
        "epochs_left": left,
        "epochs_per_second": speed,
        "seconds_left": left / speed if speed > 0 else (0.0 if left == 0 else None),
        "searches": [asdict(progress) for progress in found],
    }


def lines(measured: dict[str, Any], *, every: bool) -> list[Sequence[str]]:
    """Rows for people: of the runs that go on, or of all."""
    rows: list[Sequence[str]] = [
        ("search", "seed", "state", "generation", "phase", "epochs", "best score")
    ]
    for run in measured["searches"]:
        if not every and run["state"] != UNFINISHED:
            continue
        of = "" if run["epochs_expected"] is None else f" of {run['epochs_expected']:.0f}"
        rows.append(
            (
                run["search"],
                str(run["seed"]),
                run["state"],
                str(run["generation"]),
                run["phase"],
                f"{run['epochs_spent']:.1f}{of}",
                "-" if run["best_score"] is None else f"{run['best_score']:.4f}",
            )
        )
    return rows


def summary(measured: dict[str, Any]) -> str:
    """All runs in one line."""
    seconds = measured["seconds_left"]
    if seconds is None:
        left = "nothing was trained in the last minutes"
    elif seconds == 0:
        left = "nothing is left to do"
    else:
        minutes = math.ceil(seconds / 60)
        left = f"about {minutes} min left" if minutes < 100 else f"about {minutes / 60:.1f} h left"
    return (
        f"{measured['finished']} of {measured['runs']} runs finished,"
        f" {measured['epochs_spent']:,.0f} epochs spent,"
        f" {measured['epochs_left']:,.0f} to go; {left}"
    )
