"""Attribute the time of a search to its parts, from its records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from netsurgery.analysis.timelines import StepTiming

# parts of a run, in the order of tables and plots
PARTS = ("start-up", "data", "build", "training", "validation", "files", "workflow", "idle")
DESCRIPTIONS = {
    "start-up": "everything before the first training job: Snakemake, TensorFlow, data preparation",
    "data": "mapping the prepared samples",
    "build": "surgery, variables, tracing",
    "training": "gradient steps",
    "validation": "evaluation after every epoch",
    "files": "reading and writing model files",
    "workflow": "Snakemake, starting jobs, planning generations, and all that follows the last job",
    "idle": "a core that waits for a training job on another core",
}
RECORDED = {"data": "data", "training": "training", "validation": "validation", "files": "files"}


def _gaps(jobs: Iterable[StepTiming], cores: int) -> tuple[float, float]:
    """Core-seconds without a training job: with one ready to start (workflow), or none (idle)."""
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
    """Core-seconds of a run by the names of `PARTS`."""
    found = dict.fromkeys(PARTS, 0.0)
    first, last = min(job.began for job in jobs), max(job.ended for job in jobs)
    found["start-up"] = cores * (first - began)
    for job in jobs:
        known = {RECORDED[k]: v for k, v in job.record.seconds.items() if k in RECORDED}
        for part, seconds in known.items():
            found[part] += seconds
        found["build"] += job.record.wall_seconds - sum(known.values())
    workflow, found["idle"] = _gaps(jobs, cores)
    found["workflow"] = workflow + cores * (ended - last)
    return found


def best_batch_seconds(runs: Iterable[list[StepTiming]]) -> dict[str, float]:
    """Seconds per batch by topology: the best of all jobs with at least an epoch."""
    best: dict[str, float] = defaultdict(lambda: float("inf"))
    for jobs in runs:
        for job in jobs:
            record = job.record
            if record.batches_spent >= record.batches_per_epoch:
                seconds = record.seconds["training"] / record.batches_spent
                key = str(record.topology)
                best[key] = min(best[key], seconds)
    return best


def best_speed_bound(jobs: list[StepTiming], best: Mapping[str, float], cores: int) -> float:
    """Lower bound: seconds of training at the best speed of each topology, with all cores busy.

    Topologies that never trained for an epoch count with their own speed.
    """
    total = 0.0
    for job in jobs:
        record = job.record
        own = record.seconds["training"] / max(record.batches_spent, 1)
        total += record.batches_spent * min(own, best.get(str(record.topology), own))
    return total / cores


def overheads(jobs: list[StepTiming]) -> list[float]:
    """Seconds of each job outside training and validation."""
    inside = ("training", "validation")
    return [
        job.record.wall_seconds - sum(job.record.seconds.get(name, 0.0) for name in inside)
        for job in jobs
    ]


def by_generation(jobs: list[StepTiming], cores: int) -> dict[int, dict[str, Any]]:
    """For each generation the number of jobs, and core-seconds of workflow and idle per job."""
    grouped: dict[int, list[StepTiming]] = defaultdict(list)
    for job in jobs:
        if "/" in job.name:
            grouped[int(job.name.partition("/")[0])].append(job)
    found = {}
    for generation, own in grouped.items():
        workflow, idle = _gaps(own, cores)
        found[generation] = {
            "jobs": len(own),
            "workflow": workflow / len(own),
            "idle": idle / len(own),
        }
    return found
