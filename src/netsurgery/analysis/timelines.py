"""When each training step of a finished search ran, and which steps it waited for."""

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
    """When a training step ran, and which steps it waited for."""

    name: str
    record: Record
    depends_on: tuple[str, ...]  # names of the steps that must end before this one starts
    after_decision: bool = False  # whether a decision on their results comes first
    critical_path: float = 0.0  # estimated seconds of it and its longest chain; ECToNAS only

    @property
    def began(self) -> float:
        """Unix time; 0 for a failed candidate that was passed on untrained."""
        return self.record.began

    @property
    def ended(self) -> float:
        """Unix time."""
        return self.record.began + self.record.wall_seconds


def timings_of(folder: SearchFolder) -> list[StepTiming]:
    """The timings of a finished search, in the order of its plans, without untrained steps."""
    start = StepTiming("warm-up", folder.start(), ())
    timings = [start]
    last: tuple[str, ...] = (start.name,)
    for plan in folder.plans():
        generation = plan["generation"]
        for part in _parts(folder, plan):
            slots = part.get("slots", {})
            steps = folder.steps(part)
            critical_paths = (
                critical_path_seconds(part, folder.parents(part)) if "round_epochs" in part else {}
            )
            for step in steps:
                first = step not in slots
                depends_on = (
                    last if first else tuple(f"{generation}/{slot}" for slot in slots[step])
                )
                record = Record.from_json(read_json(folder.record(generation, step)))
                name, remaining = f"{generation}/{step}", critical_paths.get(step, 0.0)
                timings.append(StepTiming(name, record, depends_on, first, remaining))
            if steps:
                last = tuple(f"{generation}/{step}" for step in steps)
    end = folder.end()
    if end.step == "final":
        timings.append(StepTiming("final", end, last, after_decision=True))
    return [timing for timing in timings if timing.began]


def _parts(folder: SearchFolder, plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plan of a generation, or the plans of all tries of a decision point of the Surgeon."""
    if folder.try_plan(plan["generation"], 1).exists():
        yield from folder.tries(plan["generation"])
    else:
        yield plan


def peak_concurrency(timings: list[StepTiming]) -> int:
    """The maximum number of training steps that ran at the same time."""
    changes: dict[float, int] = defaultdict(int)
    for timing in timings:
        changes[timing.began] += 1
        changes[timing.ended] -= 1
    running = peak = 0
    for moment in sorted(changes):
        running += changes[moment]
        peak = max(peak, running)
    return peak
