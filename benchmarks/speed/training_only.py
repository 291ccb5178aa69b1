"""Lower bound of a search's run time: only its training steps, on all cores at once.

A process per core prepares all topologies. Then all processes train at the same time, without
validation, files or decisions, in several passes. This is measured generation by generation, while
the search is paused after it (see `pause_search`), because the speed of a shared machine changes
within minutes by more than the differences of interest.
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
MAX_SECONDS = 20.0  # approximate maximum of a pass through a generation


@dataclass
class Workload:
    """The training of one topology in a search."""

    topology: Mapping[str, Any]
    batches: int = 0
    seconds: float = 0.0  # in the search


def by_topology(records: Iterable[Record]) -> list[Workload]:
    """Training steps by topology."""
    found: dict[str, Workload] = {}
    for record in records:
        if not record.seconds.get("training"):  # it failed
            continue
        work = found.setdefault(str(record.topology), Workload(record.topology))
        work.batches += record.batches_spent
        work.seconds += record.seconds["training"]
    return list(found.values())


def _train(
    works: Sequence[Workload],
    part: float,
    search: Path,
    data: Path,
    settings: Mapping[str, Any],
    barrier: Barrier,
) -> list[float]:
    """Seconds of all batches by pass, extrapolated from a part of them; runs in a process."""
    from netsurgery.processes.tensorflow_imports import without_optional_packages

    with without_optional_packages():
        from netsurgery import training
    import numpy as np

    from netsurgery.datasets import read_part
    from netsurgery.networks.network import initialise
    from netsurgery.networks.topology import Topology
    from netsurgery.objectives.training_settings import CompileSettings
    from netsurgery.storage.settings import from_settings
    from netsurgery.training.epoch import NO_MOVES

    training.use_threads()
    training.disable_trim()
    rng = np.random.default_rng(0)
    samples = read_part(data, search / "split.npz", "training")
    size = settings["batch_size"]
    compile_settings = from_settings(CompileSettings, settings)
    loops = []
    for work in works:
        model = training.TrainableNetwork(
            initialise(Topology.from_json(work.topology), rng), compile_settings
        )
        loop = training.TrainingLoop(model, samples, samples, size)
        count = min(work.batches, max(20, round(part * work.batches)))
        order = rng.integers(len(samples), size=count * size, dtype=np.int32)
        rates = np.full(count, compile_settings.learning_rate, np.float32)
        loop.epoch(order[:size], rates, NO_MOVES)  # compiles the graph
        loops.append((work, loop, order, rates))
    found = []
    for _ in range(PASSES):
        barrier.wait()
        seconds = 0.0
        for work, loop, order, rates in loops:
            begun = perf_counter()
            loop.epoch(order, rates, NO_MOVES)
            seconds += (perf_counter() - begun) * work.batches * size / len(order)
        found.append(seconds)
    return found


def measure_passes(
    records: Iterable[Record], cores: int, search: Path, data: Path, settings: Mapping[str, Any]
) -> list[float]:
    """Seconds of the training steps without anything else, with all cores busy, by pass.

    Args:
        records: of the training steps.
        cores: to train on; each trains an equal part of every topology's batches.
        search: the search's folder.
        data: the folder of its prepared dataset.
        settings: of the training.
    """
    works = by_topology(records)
    part = min(1.0, MAX_SECONDS / sum((work.seconds for work in works), 1e-9))
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(cores) as pool:
        barrier = manager.Barrier(cores)
        given = [(works, part, search, data, settings, barrier)] * cores
        by_core = pool.starmap(_train, given, chunksize=1)
    # each core's seconds are of all batches, of which it would do one share
    return [sum(each) / cores**2 for each in zip(*by_core, strict=True)]
