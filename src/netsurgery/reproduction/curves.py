"""Training curves along the winners' lineages, and their means over runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from netsurgery.analysis.runs import Run
from netsurgery.search.methods import BASELINE
from netsurgery.search.records import Record


def lineage(run: Run) -> list[Record]:
    """The records of a finished run's winner and its ancestors, the initial network first.

    The record of an ancestor is that of the end of its generation, when it was selected.
    """
    known: dict[str, Record] = {}
    number = 0
    while run.folder.winners(number).exists():
        for record in run.folder.read_winners(number).records:
            known.setdefault(record.candidate, record)
        number += 1
    chain = [run.folder.end()]
    while (parent := chain[0].parent) is not None:
        chain.insert(0, known[parent])
    return chain


def curve(run: Run, metric: str = "val_accuracy") -> np.ndarray:
    """Epochs and metric (2, n) along the lineage of a finished run's winner."""
    chain, points = lineage(run), []
    for record, child in [*pairwise(chain), (chain[-1], None)]:
        until = math.inf if child is None else _birth(child)
        points += [
            (entry["epoch"], math.nan if entry[metric] is None else entry[metric])
            for entry in record.history
            if (entry["epoch"] or 0) <= until + 1e-9
        ]
    return np.array(points, dtype=float).reshape(-1, 2).T


def _birth(record: Record) -> float:
    """The last epoch before the first entry of a candidate's history."""
    first = record.history[0]["epoch"] if record.history else math.inf
    return -math.inf if first is None else math.nextafter(first, -math.inf)


def mean_curve(runs: Sequence[Run], ends: dict[str, float] | None = None) -> np.ndarray:
    """Epochs and the mean of the winners' validation accuracies in percent (2, n).

    As in figure 5 of ECToNAS, the mean is over all runs that are still training, so it jumps where
    runs end.

    Args:
        runs: unfinished ones are ignored.
        ends: epochs at which to cut off the runs of each topology.
    """
    curves = []
    for run in runs:
        if run.result is None:
            continue
        points = curve(run)
        if ends is not None:
            points = points[:, points[0] <= ends.get(run.topology, math.inf) + 1e-9]
        points = points[:, np.isfinite(points[1])]
        if points.shape[1]:
            curves.append(points)
    if not curves:
        return np.empty((2, 0))
    epochs = np.arange(1, int(max(points[0, -1] for points in curves)) + 1)
    values = np.full((len(curves), len(epochs)), np.nan)
    for row, points in zip(values, curves, strict=True):
        within = epochs <= math.ceil(points[0, -1])
        row[within] = np.interp(epochs[within], *points)
    return np.vstack([epochs, 100 * np.nanmean(values, axis=0)])


def mean_ends(runs: Sequence[Run]) -> dict[str, float]:
    """The mean number of epochs that the winners' weights were trained for, by topology."""
    found: dict[str, list[float]] = {}
    for run in runs:
        if run.result is not None:
            found.setdefault(run.topology, []).append(run.result["epochs_trained"])
    return {topology: float(np.mean(values)) for topology, values in found.items()}


def baseline_of(run: Run, runs: Sequence[Run]) -> Run | None:
    """The finished baseline with the same dataset, topology and seed."""
    return next(
        (r for r in runs if r.method == BASELINE and r.case == run.case and r.result is not None),
        None,
    )
