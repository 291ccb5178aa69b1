"""How long searches would take on other numbers of slots, from the records of finished ones.

A slot runs one training step at a time: a core, a GPU, a place in a partition. The order is that of
the workflow: of what is ready that with most behind it (see
`netsurgery.search.ectonas.priorities`). What a step itself takes comes from its record; what lies
between steps (starting one, deciding on the next generation) from the gaps of the run that the
records are from.
"""

from __future__ import annotations

import heapq
import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from netsurgery.analysis.timelines import StepTiming, slots_of

STANDARD = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)


@dataclass(frozen=True)
class Step:
    """A training step of a search to be simulated."""

    seconds: float
    feeders: tuple[int, ...]  # steps of the same search, by number; all come before it
    decided: bool  # between them and this one lies a decision


@dataclass(frozen=True)
class Search:
    """What is known of a search from one run of it. All times are in seconds."""

    steps: tuple[Step, ...]
    overhead: float  # to start a step on a slot that is free
    decision: float  # from the last step of a generation until the next is planned
    slots: int  # it ran on so many
    measured: float  # from the begin of its first step to the end of its last

    @classmethod
    def from_jobs(cls, jobs: Sequence[StepTiming]) -> Search:
        """A search from its jobs, in the order of its plans."""
        jobs = sorted(jobs, key=_turn)
        number = {job.name: i for i, job in enumerate(jobs)}
        steps = tuple(
            Step(
                job.record.wall_seconds,
                tuple(number[name] for name in job.feeders if name in number),
                job.decided,
            )
            for job in jobs
        )
        overhead, decision = _gaps(jobs)
        span = max(job.ended for job in jobs) - min(job.began for job in jobs)
        return cls(steps, overhead, decision, slots_of(jobs), span)

    @property
    def busy(self) -> float:
        """Seconds of all steps together."""
        return sum(step.seconds for step in self.steps)

    @property
    def critical_path(self) -> float:
        """Seconds of its longest chain: however many slots there are, it takes no less."""
        return simulate([self], len(self.steps)).seconds


@dataclass(frozen=True)
class Cluster:
    """How steps become jobs. All times are in seconds; the default is this machine."""

    wait: float = 0.0  # from the submission of a job until it begins
    start_up: float = 0.0  # of a job on its slot: Snakemake, TensorFlow
    candidates: int = 1  # steps in a job, one after the other; they are seen when all have ended
    apart: int = 0  # each search is one job with so many slots; 0: steps are jobs


@dataclass(frozen=True)
class Outcome:
    """A simulated run."""

    slots: int
    seconds: float
    jobs: int  # of the cluster
    training: float  # seconds of slots that trained
    starting: float  # seconds of slots that started jobs or steps

    @property
    def use(self) -> float:
        """The part of all slots' time that was trained in."""
        return self.training / (self.slots * self.seconds)

    @property
    def started(self) -> float:
        """The part that went to starting."""
        return self.starting / (self.slots * self.seconds)

    @property
    def idle(self) -> float:
        """The part in which a slot had nothing: brackets and decisions are waited for."""
        return max(0.0, 1 - self.use - self.started)


def simulate(searches: Sequence[Search], slots: int, cluster: Cluster | None = None) -> Outcome:
    """Run searches side by side.

    Args:
        searches: any number of them; those that come first are preferred.
        slots: that they share.
        cluster: how steps become jobs; by default each starts at once.

    Raises:
        ValueError: the slots are not enough for one search's job.
    """
    cluster = cluster or Cluster()
    if cluster.apart:
        return _apart(searches, slots, cluster)
    left = [[len(step.feeders) for step in search.steps] for search in searches]
    fed: list[list[list[int]]] = [[[] for _ in search.steps] for search in searches]
    for s, search in enumerate(searches):
        for i, step in enumerate(search.steps):
            for feeder in step.feeders:
                fed[s][feeder].append(i)
    coming = [(cluster.wait, s, i) for s, n in enumerate(left) for i, c in enumerate(n) if not c]
    heapq.heapify(coming)  # steps by the time from which on they can begin
    ready: list[tuple[int, int]] = []
    running: list[tuple[float, int, tuple[int, ...]]] = []  # by end
    now = training = starting = 0.0
    jobs = 0
    while coming or ready or running:
        while coming and coming[0][0] <= now:
            heapq.heappush(ready, heapq.heappop(coming)[1:])
        while ready and len(running) < slots:
            s, chosen = _take(ready, cluster.candidates)
            search, seconds = searches[s], sum(searches[s].steps[i].seconds for i in chosen)
            around = cluster.start_up + search.overhead * len(chosen)
            heapq.heappush(running, (now + around + seconds, s, chosen))
            training, starting, jobs = training + seconds, starting + around, jobs + 1
        now = min(
            ([running[0][0]] if running else [])
            + ([coming[0][0]] if coming and len(running) < slots else [])
        )
        while running and running[0][0] <= now:
            _, s, ended = heapq.heappop(running)
            for follower in itertools.chain.from_iterable(fed[s][i] for i in ended):
                left[s][follower] -= 1
                if not left[s][follower]:
                    decision = searches[s].decision * searches[s].steps[follower].decided
                    heapq.heappush(coming, (now + decision + cluster.wait, s, follower))
    return Outcome(slots, now, jobs, training, starting)


def _take(ready: list[tuple[int, int]], most: int) -> tuple[int, tuple[int, ...]]:
    """The next steps that are ready, all of one search."""
    s, first = heapq.heappop(ready)
    chosen = [first]
    while ready and ready[0][0] == s and len(chosen) < most:
        chosen.append(heapq.heappop(ready)[1])
    return s, tuple(chosen)


def _apart(searches: Sequence[Search], slots: int, cluster: Cluster) -> Outcome:
    """Each search as one job, as many side by side as there is room for."""
    places = slots // cluster.apart
    if not places:
        raise ValueError(f"{slots} slots are less than the {cluster.apart} of one search's job")
    alone = [simulate([search], cluster.apart) for search in searches]
    free = [0.0] * min(places, len(searches))
    for outcome in alone:
        begun = heapq.heappop(free)
        heapq.heappush(free, begun + cluster.wait + cluster.start_up + outcome.seconds)
    training = sum(outcome.training for outcome in alone)
    starting = sum(outcome.starting + cluster.apart * cluster.start_up for outcome in alone)
    return Outcome(slots, max(free), len(alone), training, starting)


def repeated(searches: Sequence[Search], times: int) -> list[Search]:
    """Each of some searches several times, as if with other seeds."""
    return [replace(search) for _ in range(times) for search in searches]


def _turn(job: StepTiming) -> tuple[float, float]:
    """The generation of a step and how much is behind it: the smaller goes first."""
    generation, _, step = job.name.partition("/")
    if step:
        return int(generation), -job.left
    return (math.inf if job.feeders else 0), 0  # the warm-up has none


def _gaps(jobs: list[StepTiming]) -> tuple[float, float]:
    """Seconds to start a step on a free slot, and to decide on the next ones: means over a run."""
    ended = {job.name: job.ended for job in jobs}
    ends = sorted(ended.values())
    starts, decisions = [], []
    groups: dict[tuple[str, ...], float] = {}
    for job in sorted(jobs, key=lambda j: j.began):
        fed = [ended[name] for name in job.feeders if name in ended]
        if not fed:
            continue
        if job.decided:
            groups.setdefault(job.feeders, job.began - max(fed))
            if groups[job.feeders] == job.began - max(fed):
                decisions.append(groups[job.feeders])
                continue
        freed = max((end for end in ends if end <= job.began), default=job.began)
        starts.append(max(0.0, job.began - max(freed, *fed)))
    overhead = statistics.fmean(starts) if starts else 0.0
    between = statistics.fmean(decisions) if decisions else overhead
    return overhead, max(0.0, between - overhead)
