"""The training steps of a search alone, on all cores at once: nothing can search faster.

Each core has a process, made ready for all topologies. Then all of them train, with no validation,
file or decision between. That is repeated, in passes. It is done part by part, while the search is
held behind what it trained last (see `held`): a machine that others use, too, is from one quarter
of an hour to the next faster or slower by more than what is to be measured.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from time import perf_counter
from typing import Any

from netsurgery.search.records import Record

PASSES = 3
SECONDS = 20.0  # that a pass through a part of a search takes at most, about


@dataclass
class Work:
    """What a search trained of one topology."""

    topology: Mapping[str, Any]
    batches: int = 0
    seconds: float = 0.0  # that it took there


def gather(records: Iterable[Record]) -> list[Work]:
    """Training steps by topology."""
    found: dict[str, Work] = {}
    for record in records:
        if not record.seconds.get("training"):  # it fell
            continue
        work = found.setdefault(str(record.topology), Work(record.topology))
        work.batches += record.batches_spent
        work.seconds += record.seconds["training"]
    return list(found.values())


def _train(
    works: Sequence[Work],
    part: float,
    search: Path,
    data: Path,
    settings: Mapping[str, Any],
    together: Barrier,
) -> list[float]:
    """Seconds of all batches by pass, of which a part is trained; in a process."""
    from netsurgery.processes.tensorflow_imports import without_optional_packages

    with without_optional_packages():
        from netsurgery import training
    import numpy as np

    from netsurgery.datasets import read_part
    from netsurgery.networks.network import Topology, initialise

    training.use_one_thread()
    training.disable_trim()
    rng = np.random.default_rng(0)
    samples = read_part(data, search / "split.npz", "training")
    size = settings["batch_size"]
    courses = []
    for work in works:
        learner = training.TrainableNetwork(
            initialise(Topology.from_json(work.topology), rng), settings
        )
        course = training.TrainingLoop(learner, samples, samples, size)
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
    records: Iterable[Record], cores: int, search: Path, data: Path, settings: Mapping[str, Any]
) -> list[float]:
    """Seconds that training steps take alone, on all cores all the time, by pass.

    Args:
        records: of the training steps.
        cores: to train on; each trains an equal part of every topology's batches.
        search: the search's folder.
        data: the folder of its prepared dataset.
        settings: of its training.
    """
    works = gather(records)
    part = min(1.0, SECONDS / sum((work.seconds for work in works), 1e-9))
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(cores) as pool:
        together = manager.Barrier(cores)
        given = [(works, part, search, data, settings, together)] * cores
        by_core = pool.starmap(_train, given, chunksize=1)
    # each core's seconds are of all batches, of which it would do one share
    return [sum(each) / cores**2 for each in zip(*by_core, strict=True)]
