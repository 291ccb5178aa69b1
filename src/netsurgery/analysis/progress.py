"""The progress of the runs of a configuration, read from their records during or after a run.

Only files are read, so that it works on any machine with access to them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from netsurgery.analysis.runs import FINISHED, MISSING, UNFINISHED, Experiment, Run
from netsurgery.networks.topology import Topology
from netsurgery.objectives.metrics import is_maximized
from netsurgery.search.account import Account
from netsurgery.search.records import Record
from netsurgery.search.steps import Phase, Step
from netsurgery.search.winners import Winners
from netsurgery.storage.files import read_json

NO_RECORDS = (
    "plan.json",
    "winners.json",
    "tracked.json",
    "first_look.json",
    "singular_values.json",
)
WINDOW = 300.0  # seconds over which the training speed is averaged
PHASES = {
    Phase.WARM_UP: "start",
    Phase.RECUPERATION: "recuperation",
    Phase.PHASE1: "phase 1, round {0}",
    Phase.PHASE2: "phase 2, round {0}",
    Phase.TRY: "try {0}, full step",
    Phase.COOLED: "cooling",
    Phase.FRESH: "from fresh weights",
    Phase.FINAL: "final",
}


@dataclass(frozen=True)
class Progress:
    """The progress of one run."""

    search: str
    seed: int
    state: str  # see `netsurgery.analysis.runs`
    generation: int
    phase: str
    epochs_spent: float
    epochs_expected: float | None  # None if not yet known
    best_score: float | None
    metric: str

    @property
    def epochs_left(self) -> float:
        """Epochs left to train; 0 if not yet known."""
        if self.state not in (UNFINISHED, MISSING) or self.epochs_expected is None:
            return 0.0
        return max(0.0, self.epochs_expected - self.epochs_spent)


def timed_records(folder: Path) -> Iterator[tuple[float, Record]]:
    """The records of a generation with their modification times."""
    for path in folder.rglob("*.json"):
        if path.name in NO_RECORDS or path.name.startswith("."):
            continue
        try:
            content, written = read_json(path), path.stat().st_mtime
        except (OSError, ValueError):
            continue  # being replaced at the moment
        if isinstance(content, dict) and "batches_spent" in content:
            yield written, Record.from_json(content)


def phase_label(name: str) -> str:
    """A readable name for a training step."""
    step = Step.parse(name)
    return PHASES[step.phase].format(step.number)


def expected_epochs(
    run: Run, winners: Winners, now: Sequence[Record], spent: float, trained: float
) -> float | None:
    """The total epochs that a run will spend; None if not yet known.

    If its budget is a time, what is left is counted in epochs of the networks that train now.

    Args:
        run: the run.
        winners: of its last generation.
        now: the records of the current one.
        spent: epochs spent so far.
        trained: epochs that the weights of the best candidate were trained for.
    """
    budget = run.algorithm.budget(run.settings)
    if not isinstance(budget, str):
        return run.algorithm.expected_epochs(run.settings, spent, trained)
    if winners.speed is None:
        return None  # it is being measured
    account = Account.of(budget, winners.followed_by((), now))
    topologies = [Topology.from_json(record.topology) for record in now or winners.records]
    batches, _ = account.in_batches(topologies)
    return spent + max(0, batches) / account.per_epoch


def run_progress(run: Run) -> tuple[Progress, list[tuple[float, float]]]:
    """The progress of a run; and the times and epochs of the records of its current generation."""
    metric = run.settings["objective"]
    if run.summary is not None:
        summary = run.summary
        phase_text = "done" if run.state == FINISHED else summary["status"]
        spent = summary["epochs_spent"]
        done = Progress(
            run.search, run.seed, run.state, summary["generations"], phase_text, spent, spent,
            summary["val_score"], metric,
        )  # fmt: skip
        return done, []
    decided = -1
    while run.folder.winners(decided + 1).exists():
        decided += 1
    winners = run.folder.read_winners(decided) if decided >= 0 else Winners((), 0)
    now = sorted(timed_records(run.folder.generation(decided + 1)), key=lambda found: found[0])
    records = [*winners.records, *(record for _, record in now)]
    per_epoch = records[0].batches_per_epoch if records else 1
    spent = (winners.batches_spent + sum(record.batches_counted for _, record in now)) / per_epoch
    values = [record.score for record in records if record.score is not None]
    best = (max if is_maximized(metric) else min)(values, default=None)
    trained = max((record.epochs_trained for record in records), default=0.0)
    if now:
        phase = phase_label(now[-1][1].step)
    elif run.state == MISSING:
        phase = "waiting"
    else:
        phase = "start" if decided < 0 else "planning"
    moments = [(written, record.batches_counted / per_epoch) for written, record in now]
    expected = expected_epochs(run, winners, [record for _, record in now], spent, trained)
    return (
        Progress(
            run.search,
            run.seed,
            run.state,
            max(0, decided + 1),
            phase,
            spent,
            expected,
            best,
            metric,
        ),
        moments,
    )


def measure(experiment: Experiment, now: float | None = None) -> dict[str, Any]:
    """The progress of all runs, as JSON values.

    The time left follows from the epochs left and the speed of the last minutes; it is None if
    nothing was trained in them.

    Args:
        experiment: the runs.
        now: Unix time; by default the current time.
    """
    now = time.time() if now is None else now
    searches, moments = [], []
    for run in experiment.runs:
        progress, recent_records = run_progress(run)
        searches.append(progress)
        moments += recent_records
        end = run.folder.final / "summary.json"
        if progress.state == FINISHED and end.exists() and run.summary is not None:
            wall_seconds = run.summary.get("wall_seconds") or 0.0
            if end.stat().st_mtime > now - WINDOW and wall_seconds > 0:
                share = min(1.0, WINDOW / wall_seconds)
                moments.append((end.stat().st_mtime, share * run.summary["epochs_spent"]))
    left = sum(progress.epochs_left for progress in searches)
    recent = [(written, epochs) for written, epochs in moments if written > now - WINDOW]
    began = min((written for written, _ in recent), default=now)
    elapsed = max(1.0, now - began)
    speed = sum(epochs for _, epochs in recent) / elapsed if recent else 0.0
    return {
        "time": now,
        "runs": len(searches),
        "finished": sum(run.state not in (UNFINISHED, MISSING) for run in experiment.runs),
        "epochs_spent": sum(progress.epochs_spent for progress in searches),
        "epochs_left": left,
        "epochs_per_second": speed,
        "seconds_left": left / speed if speed > 0 else (0.0 if left == 0 else None),
        "searches": [asdict(progress) for progress in searches],
    }


def table_rows(measured: dict[str, Any], *, all_runs: bool) -> list[Sequence[str]]:
    """The rows of a table of the unfinished runs, or of all."""
    rows: list[Sequence[str]] = [
        ("search", "seed", "state", "generation", "phase", "epochs", "best score")
    ]
    for run in measured["searches"]:
        if not all_runs and run["state"] != UNFINISHED:
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


def summary_line(measured: dict[str, Any]) -> str:
    """A line about all runs."""
    seconds = measured["seconds_left"]
    if seconds is None:
        left = "no training in the last minutes"
    elif seconds == 0:
        left = "nothing left to do"
    else:
        minutes = math.ceil(seconds / 60)
        left = f"about {minutes} min left" if minutes < 100 else f"about {minutes / 60:.1f} h left"
    return (
        f"{measured['finished']} of {measured['runs']} runs finished,"
        f" {measured['epochs_spent']:,.0f} epochs spent,"
        f" {measured['epochs_left']:,.0f} left; {left}"
    )
