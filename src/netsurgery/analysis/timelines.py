"""When each training step of a finished search ran, and which steps it waited for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from netsurgery.search.ectonas.plans import BracketPlan
from netsurgery.search.ectonas.priorities import critical_path_seconds
from netsurgery.search.layout import SearchFolder
from netsurgery.search.plans import GenerationPlan, TrainingPlan
from netsurgery.search.records import Record
from netsurgery.search.surgeon.plans import DecisionPlan, TryPlan
from netsurgery.storage.provenance import cores_of


@dataclass(frozen=True)
class StepTiming:
    """When a training step ran, and which steps it waited for."""

    name: str
    record: Record
    depends_on: tuple[str, ...]  # names of the steps that must end before this one starts
    after_decision: bool = False  # whether a decision on their results comes first
    critical_path: float = 0.0  # estimated seconds of it and its longest chain; ECToNAS only

    @property
    def cores(self) -> int:
        """How many cores it had, one for each part of a batch."""
        return cores_of(self.record.provenance)

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
    for plan in folder.generations():
        generation = plan.generation
        critical_paths: Mapping[str, float] = {}
        if isinstance(plan, BracketPlan):
            critical_paths = critical_path_seconds(plan, folder.parents(plan))
        for part in _parts(folder, plan):
            for step, record in folder.records_of(part).items():
                first = step not in part.contenders
                contenders = () if first else part.contenders[step]
                depends_on = last if first else tuple(f"{generation}/{c}" for c in contenders)
                name, remaining = f"{generation}/{step}", critical_paths.get(step, 0.0)
                timings.append(StepTiming(name, record, depends_on, first, remaining))
            last = tuple(f"{generation}/{step}" for step in part.steps)
    end = folder.end()
    if end.step == "final":
        timings.append(StepTiming("final", end, last, after_decision=True))
    return [timing for timing in timings if timing.began]


def _parts(folder: SearchFolder, plan: GenerationPlan) -> Iterator[TrainingPlan]:
    """The plan of a generation, or the plans of all tries of a decision point of the Surgeon."""
    if not isinstance(plan, DecisionPlan):
        yield plan
        return
    for part in folder.tries(plan.generation):
        if isinstance(part, TryPlan):
            yield part


def peak_concurrency(timings: list[StepTiming]) -> int:
    """The maximum number of cores that trained at the same time."""
    changes: dict[float, int] = defaultdict(int)
    for timing in timings:
        changes[timing.began] += timing.cores
        changes[timing.ended] -= timing.cores
    running = peak = 0
    for moment in sorted(changes):
        running += changes[moment]
        peak = max(peak, running)
    return peak
