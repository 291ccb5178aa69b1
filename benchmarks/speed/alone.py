"""The training steps of a search alone, on all cores at once: nothing can search faster.

Each core has a process, made ready for its share of the topologies. Then all of them train, with
no validation, file or decision between. That is repeated: the best of the passes counts, and how
far they are apart is how noisy the machine is.
"""

from __future__ import annotations

import heapq
import multiprocessing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from time import perf_counter
from typing import Any

from netsurgery.timelines import Job

PASSES = 3
SECONDS = 40.0  # that a pass takes at most, about


@dataclass
class Work:
    """What a search trained of one topology."""

    topology: Mapping[str, Any]
    batches: int = 0
    seconds: float = 0.0  # that it took there


def gather(jobs: Sequence[Job]) -> list[Work]:
    """The training steps of a search by topology."""
    found: dict[str, Work] = {}
    for job in jobs:
        work = found.setdefault(str(job.record.topology), Work(job.record.topology))
        work.batches += job.record.batches_spent
        work.seconds += job.record.seconds["training"]
    return [work for work in found.values() if work.batches]


def deal(works: Sequence[Work], cores: int) -> list[list[Work]]:
    """Shares that take equally long: the longest work first, to whoever has least."""
    shares: list[list[Work]] = [[] for _ in range(cores)]
    load = [(0.0, core) for core in range(cores)]
    for work in sorted(works, key=lambda w: -w.seconds):
        taken, core = heapq.heappop(load)
        shares[core].append(work)
        heapq.heappush(load, (taken + work.seconds, core))
    return shares


def _train(
    share: Sequence[Work],
    part: float,
    search: Path,
    data: Path,
    settings: Mapping[str, Any],
    together: Barrier,
) -> list[float]:
    """Seconds of all the batches of a share by pass, of which a part is trained; in a process."""
    from netsurgery.trainer.imports import for_training

    with for_training():
        from netsurgery import training
    import numpy as np

    from netsurgery.datasets import read_part
    from netsurgery.network import Topology, initialise

    training.use_one_thread()
    training.keep_freed()
    rng = np.random.default_rng(0)
    samples = read_part(data, search / "split.npz", "training")
    size = settings["batch_size"]
    courses = []
    for work in share:
        learner = training.Learner(initialise(Topology.from_json(work.topology), rng), settings)
        course = training.Course(learner, samples, samples, size)
        count = min(work.batches, max(20, round(part * work.batches)))
        order = rng.integers(len(samples), size=count * size, dtype=np.int32)
        course.epoch(order[:size])  # makes the kernels
        courses.append((work, course, order))
    found = []
    for _ in range(PASSES):
        together.wait()
        seconds = 0.0
        for work, course, order in courses:
            begun = perf_counter()
            course.epoch(order)
            seconds += (perf_counter() - begun) * work.batches * size / len(order)
        found.append(seconds)
    return found


def passes(
    jobs: Sequence[Job], cores: int, search: Path, data: Path, settings: Mapping[str, Any]
) -> list[float]:
    """Seconds that the training steps of a search take alone, on all cores all the time, by pass.

    Args:
        jobs: of the search.
        cores: to train on.
        search: the search's folder.
        data: the folder of its prepared dataset.
        settings: of its training.
    """
    works = gather(jobs)
    part = min(1.0, SECONDS * cores / sum(work.seconds for work in works))
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(cores) as pool:
        together = manager.Barrier(cores)
        shares = deal(works, cores)
        given = [(share, part, search, data, settings, together) for share in shares]
        by_core = pool.starmap(_train, given, chunksize=1)
    return [sum(each) / cores for each in zip(*by_core, strict=True)]
