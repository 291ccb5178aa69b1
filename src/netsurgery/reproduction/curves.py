"""Means of training curves over runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from netsurgery.reproduction.paper_runs import PaperRun
from netsurgery.search.methods import BASELINE


def mean_curve(runs: Sequence[PaperRun], ends: dict[str, float] | None = None) -> np.ndarray:
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
        points = run.curve
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


def mean_ends(runs: Sequence[PaperRun]) -> dict[str, float]:
    """The mean number of epochs that the winners' weights were trained for, by topology."""
    found: dict[str, list[float]] = {}
    for run in runs:
        if run.result is not None:
            found.setdefault(run.topology, []).append(run.result["epochs_trained"])
    return {topology: float(np.mean(values)) for topology, values in found.items()}


def baseline_of(run: PaperRun, runs: Sequence[PaperRun]) -> PaperRun | None:
    """The finished baseline with the same dataset, topology and seed."""
    return next(
        (r for r in runs if r.method == BASELINE and r.case == run.case and r.result is not None),
        None,
    )
