"""Where the time of a search went, from its records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from netsurgery.analysis.timelines import StepTiming

# parts of a whole run, in core-seconds, in the order of the pictures
PARTS = ("start-up", "data", "build", "training", "validation", "files", "workflow", "idle")
WORDS = {
    "start-up": "until the first training job begins: Snakemake, TensorFlow, preparing the data",
    "data": "opening the mapped samples",
    "build": "surgery, variables, tracing",
    "training": "training steps",
    "validation": "scoring after every epoch",
    "files": "model files read and written",
    "workflow": "Snakemake, starting jobs, decisions, and what follows the last training job",
    "idle": "a core that has to wait for another one's training job",
}
INSIDE = {"data": "data", "training": "training", "validation": "validation", "files": "files"}


def _waits(jobs: Iterable[StepTiming], cores: int) -> tuple[float, float]:
    """Core-seconds in which no training job ran although one could have, or none could have."""
    jobs = list(jobs)
    ends = {job.name: job.ended for job in jobs}
    ready = {
        job.name: max((ends[f] for f in job.depends_on if f in ends), default=0) for job in jobs
    }
    moments = sorted({t for job in jobs for t in (job.began, job.ended)})
    workflow = idle = 0.0
    for start, end in pairwise(moments):
        running = sum(job.began <= start < job.ended for job in jobs)
        waiting = any(ready[job.name] <= start < job.began for job in jobs)
        free = (end - start) * max(0, cores - running)
        if waiting or not running:
            workflow += free
        else:
            idle += free
    return workflow, idle


def core_seconds(
    jobs: list[StepTiming], cores: int, began: float, ended: float
) -> dict[str, float]:
    """What the cores did from the beginning of a run to its end, by the names of `PARTS`."""
    found = dict.fromkeys(PARTS, 0.0)
    first, last = min(job.began for job in jobs), max(job.ended for job in jobs)
    found["start-up"] = cores * (first - began)
    for job in jobs:
        known = {INSIDE[k]: v for k, v in job.record.seconds.items() if k in INSIDE}
        for part, seconds in known.items():
            found[part] += seconds
        found["build"] += job.record.wall_seconds - sum(known.values())
    workflow, found["idle"] = _waits(jobs, cores)
    found["workflow"] = workflow + cores * (ended - last)
    return found


def fastest(runs: Iterable[list[StepTiming]]) -> dict[str, float]:
    """Seconds of a batch by topology, each the best that any of its jobs reached over an epoch."""
    best: dict[str, float] = defaultdict(lambda: float("inf"))
    for jobs in runs:
        for job in jobs:
            record = job.record
            if record.batches_spent >= record.batches_per_epoch:
                seconds = record.seconds["training"] / record.batches_spent
                key = str(record.topology)
                best[key] = min(best[key], seconds)
    return best


def least(jobs: list[StepTiming], best: Mapping[str, float], cores: int) -> float:
    """Seconds that the training steps alone take, at their best speed, on all cores all the time.

    What never trained for an epoch counts as fast as it was.
    """
    total = 0.0
    for job in jobs:
        record = job.record
        own = record.seconds["training"] / max(record.batches_spent, 1)
        total += record.batches_spent * min(own, best.get(str(record.topology), own))
    return total / cores


def beyond_epochs(jobs: list[StepTiming]) -> list[float]:
    """Seconds of each job that went neither to training steps nor to validation."""
    inside = ("training", "validation")
    return [
        job.record.wall_seconds - sum(job.record.seconds.get(name, 0.0) for name in inside)
        for job in jobs
    ]


def by_generation(jobs: list[StepTiming], cores: int) -> dict[int, dict[str, Any]]:
    """For each generation its jobs, and the workflow's core-seconds for one of them."""
    grouped: dict[int, list[StepTiming]] = defaultdict(list)
    for job in jobs:
        if "/" in job.name:
            grouped[int(job.name.partition("/")[0])].append(job)
    found = {}
    for generation, own in grouped.items():
        workflow, idle = _waits(own, cores)
        found[generation] = {
            "jobs": len(own),
            "workflow": workflow / len(own),
            "idle": idle / len(own),
        }
    return found
