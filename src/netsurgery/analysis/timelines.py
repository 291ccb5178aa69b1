"""The training steps of a finished search in time: when each ran, and what it waited for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from netsurgery.search.ectonas.priorities import critical_path_seconds
from netsurgery.search.layout import SearchFolder
from netsurgery.search.records import Record
from netsurgery.storage.files import read_json


@dataclass(frozen=True)
class StepTiming:
    """A training step: when it ran and what it had to wait for."""

    name: str
    record: Record
    feeders: tuple[str, ...]  # jobs; it can start when they have ended
    decided: bool = False  # and when a decision has been made from their results
    left: float = 0.0  # seconds of it and of the longest chain behind it, about; of ECToNAS's

    @property
    def began(self) -> float:
        """Unix time; 0 for a fallen candidate that was handed on untrained."""
        return self.record.began

    @property
    def ended(self) -> float:
        """Unix time."""
        return self.record.began + self.record.wall_seconds


def timings_of(folder: SearchFolder) -> list[StepTiming]:
    """The training steps of a finished search that trained something, in the order of its plans."""
    start = StepTiming("warm-up", folder.start(), ())
    found = [start]
    last: tuple[str, ...] = (start.name,)
    for plan in folder.plans():
        generation = plan["generation"]
        for part in _parts(folder, plan):
            slots = part.get("slots", {})
            steps = folder.steps(part)
            left = (
                critical_path_seconds(part, folder.parents(part)) if "round_epochs" in part else {}
            )
            for step in steps:
                born = step not in slots
                feeders = last if born else tuple(f"{generation}/{slot}" for slot in slots[step])
                record = Record.from_json(read_json(folder.record(generation, step)))
                name, behind = f"{generation}/{step}", left.get(step, 0.0)
                found.append(StepTiming(name, record, feeders, decided=born, left=behind))
            if steps:
                last = tuple(f"{generation}/{step}" for step in steps)
    end = folder.end()
    if end.step == "final":
        found.append(StepTiming("final", end, last, decided=True))
    return [job for job in found if job.began]


def _parts(folder: SearchFolder, plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A generation's plan; of a decision point of the Surgeon its tries, one after the other."""
    if folder.try_plan(plan["generation"], 1).exists():
        yield from folder.tries(plan["generation"])
    else:
        yield plan


def slots_of(jobs: list[StepTiming]) -> int:
    """How many training steps ran side by side at the most."""
    changes: dict[float, int] = defaultdict(int)
    for job in jobs:
        changes[job.began] += 1
        changes[job.ended] -= 1
    running = most = 0
    for moment in sorted(changes):
        running += changes[moment]
        most = max(most, running)
    return most
