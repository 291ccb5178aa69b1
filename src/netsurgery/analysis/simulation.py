"""Simulate how long searches take on other numbers of workers, from the records of finished ones.

A worker runs one training step at a time: a core, a GPU, or a job slot of a partition. A step that
trained the parts of its batches on several cores takes as many workers; with fewer, it takes longer
in proportion. As in the workflow, steps of earlier generations go first and, within a generation,
those with the longest critical path (see `netsurgery.search.ectonas.priorities`). The duration of a
step comes from its record; the time between steps (starting a step, planning the next generation)
is estimated from the gaps in the recorded run.
"""

from __future__ import annotations

import heapq
import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from netsurgery.analysis.timelines import StepTiming, peak_concurrency

DEFAULT_WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)


@dataclass(frozen=True)
class Step:
    """A training step of a search to simulate."""

    seconds: float
    depends_on: tuple[int, ...]  # indices of steps of the same search, all before this one
    after_decision: bool  # whether a decision is made between those steps and this one
    cores: int = 1  # that it had

    def seconds_on(self, workers: int) -> float:
        """How long it takes on some workers: each computes a share of the parts."""
        return self.seconds * self.cores / min(self.cores, workers)


@dataclass(frozen=True)
class Search:
    """A search, as measured in one run. All times are in seconds."""

    steps: tuple[Step, ...]
    overhead: float  # to start a step on a free worker
    decision: float  # from the last step of a generation until the next one is planned
    workers: int  # the most that were busy at the same time
    measured: float  # from the start of the first step to the end of the last

    @classmethod
    def from_timings(cls, timings: Sequence[StepTiming]) -> Search:
        """A search from the timings of its steps, in the order of its plans."""
        timings = sorted(timings, key=_priority)
        index = {timing.name: i for i, timing in enumerate(timings)}
        steps = tuple(
            Step(
                timing.record.wall_seconds,
                tuple(index[name] for name in timing.depends_on if name in index),
                timing.after_decision,
                timing.cores,
            )
            for timing in timings
        )
        overhead, decision = _gaps(timings)
        span = max(timing.ended for timing in timings) - min(timing.began for timing in timings)
        return cls(steps, overhead, decision, peak_concurrency(timings), span)

    @property
    def total(self) -> float:
        """The sum of the seconds of all steps."""
        return sum(step.seconds for step in self.steps)

    @property
    def critical_path(self) -> float:
        """Seconds of the longest chain of steps: a lower bound for any number of workers."""
        return simulate([self], sum(step.cores for step in self.steps)).seconds


@dataclass(frozen=True)
class Cluster:
    """How steps become jobs. All times are in seconds; by default a step starts at once."""

    wait: float = 0.0  # from the submission of a job until it starts
    start_up: float = 0.0  # of a job on its worker: Snakemake, TensorFlow
    steps_per_job: int = 1  # run one after the other; their results appear when all have ended
    cores_per_search: int = (
        0  # run each search as one job with this many workers; 0: steps are jobs
    )


@dataclass(frozen=True)
class Outcome:
    """A simulated run."""

    workers: int
    seconds: float
    jobs: int  # submitted to the cluster
    training: float  # worker-seconds of training
    starting: float  # worker-seconds of starting jobs or steps

    @property
    def training_share(self) -> float:
        """The fraction of the workers' time spent on training."""
        return self.training / (self.workers * self.seconds)

    @property
    def starting_share(self) -> float:
        """The fraction of the workers' time spent on starting jobs and steps."""
        return self.starting / (self.workers * self.seconds)

    @property
    def idle_share(self) -> float:
        """The fraction of the workers' time without work, waiting for matches and decisions."""
        return max(0.0, 1 - self.training_share - self.starting_share)


def simulate(searches: Sequence[Search], workers: int, cluster: Cluster | None = None) -> Outcome:
    """Simulate searches that run at the same time.

    Args:
        searches: earlier ones have priority.
        workers: that the searches share.
        cluster: how steps become jobs; by default each step starts at once.

    Raises:
        ValueError: there are fewer workers than one search's job needs.
    """
    cluster = cluster or Cluster()
    if cluster.cores_per_search:
        return _simulate_search_jobs(searches, workers, cluster)

    def needed(s: int, i: int) -> int:
        return min(searches[s].steps[i].cores, workers)

    missing = [[len(step.depends_on) for step in search.steps] for search in searches]
    followers: list[list[list[int]]] = [[[] for _ in search.steps] for search in searches]
    for s, search in enumerate(searches):
        for i, step in enumerate(search.steps):
            for dependency in step.depends_on:
                followers[s][dependency].append(i)
    upcoming = [
        (cluster.wait, s, i) for s, n in enumerate(missing) for i, c in enumerate(n) if not c
    ]
    heapq.heapify(upcoming)  # steps by the earliest time at which they can start
    ready: list[tuple[int, int]] = []
    running: list[tuple[float, int, tuple[int, ...], int]] = []  # by end, and their workers
    now = training = starting = 0.0
    jobs, free = 0, workers
    while upcoming or ready or running:
        while upcoming and upcoming[0][0] <= now:
            heapq.heappush(ready, heapq.heappop(upcoming)[1:])
        # the first one waits until enough are free, as a job of Snakemake does
        while ready and free >= needed(*ready[0]):
            s, chosen = _next_job(ready, cluster.steps_per_job)
            search, taken = searches[s], max(needed(s, i) for i in chosen)
            taken = min(taken, free)
            seconds = sum(search.steps[i].seconds_on(taken) for i in chosen)
            overhead = cluster.start_up + search.overhead * len(chosen)
            heapq.heappush(running, (now + overhead + seconds, s, chosen, taken))
            training, starting = training + taken * seconds, starting + taken * overhead
            jobs, free = jobs + 1, free - taken
        now = min(
            ([running[0][0]] if running else []) + ([upcoming[0][0]] if upcoming and free else [])
        )
        while running and running[0][0] <= now:
            _, s, ended, taken = heapq.heappop(running)
            free += taken
            for follower in itertools.chain.from_iterable(followers[s][i] for i in ended):
                missing[s][follower] -= 1
                if not missing[s][follower]:
                    decision = searches[s].decision * searches[s].steps[follower].after_decision
                    heapq.heappush(upcoming, (now + decision + cluster.wait, s, follower))
    return Outcome(workers, now, jobs, training, starting)


def _next_job(ready: list[tuple[int, int]], max_steps: int) -> tuple[int, tuple[int, ...]]:
    """Take the next steps of one search from those that are ready."""
    s, first = heapq.heappop(ready)
    chosen = [first]
    while ready and ready[0][0] == s and len(chosen) < max_steps:
        chosen.append(heapq.heappop(ready)[1])
    return s, tuple(chosen)


def _simulate_search_jobs(searches: Sequence[Search], workers: int, cluster: Cluster) -> Outcome:
    """Simulate each search as one job, as many at a time as the workers allow."""
    concurrent = workers // cluster.cores_per_search
    if not concurrent:
        raise ValueError(
            f"{workers} workers are fewer than the {cluster.cores_per_search} that each search uses"
        )
    outcomes = [simulate([search], cluster.cores_per_search) for search in searches]
    free_at = [0.0] * min(concurrent, len(searches))
    for outcome in outcomes:
        start = heapq.heappop(free_at)
        heapq.heappush(free_at, start + cluster.wait + cluster.start_up + outcome.seconds)
    training = sum(outcome.training for outcome in outcomes)
    starting = sum(
        outcome.starting + cluster.cores_per_search * cluster.start_up for outcome in outcomes
    )
    return Outcome(workers, max(free_at), len(outcomes), training, starting)


def repeated(searches: Sequence[Search], times: int) -> list[Search]:
    """Copies of some searches, as if each ran with several seeds."""
    return [replace(search) for _ in range(times) for search in searches]


def _priority(timing: StepTiming) -> tuple[float, float]:
    """The generation of a step and its critical path: smaller values go first."""
    generation, _, step = timing.name.partition("/")
    if step:
        return int(generation), -timing.critical_path
    return (math.inf if timing.depends_on else 0), 0  # the final step; the warm-up


def _gaps(timings: list[StepTiming]) -> tuple[float, float]:
    """Mean seconds to start a step on a free worker, and to plan the next generation."""
    ended = {timing.name: timing.ended for timing in timings}
    ends = sorted(ended.values())
    starts, decisions = [], []
    first_gaps: dict[tuple[str, ...], float] = {}
    for timing in sorted(timings, key=lambda timing: timing.began):
        dependencies = [ended[name] for name in timing.depends_on if name in ended]
        if not dependencies:
            continue
        if timing.after_decision:
            gap = timing.began - max(dependencies)
            if first_gaps.setdefault(timing.depends_on, gap) == gap:
                decisions.append(gap)
                continue
        freed = max((end for end in ends if end <= timing.began), default=timing.began)
        starts.append(max(0.0, timing.began - max(freed, *dependencies)))
    overhead = statistics.fmean(starts) if starts else 0.0
    between = statistics.fmean(decisions) if decisions else overhead
    return overhead, max(0.0, between - overhead)
