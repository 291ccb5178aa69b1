"""Runs of a paper's experiment, with what its tables and plots need beside summaries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas

from netsurgery.analysis.runs import Run
from netsurgery.search.records import Record
from netsurgery.search.surgeon.plans import DecisionPlan


@dataclass(frozen=True)
class PaperRun(Run):
    """A run whose figures are read from its files, or were kept without them.

    Only finished runs have figures.

    Attributes:
        kept: the figures of a run without files (see `netsurgery.reproduction.kept_runs`).
    """

    kept: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, run: Run) -> PaperRun:
        """The same run."""
        if isinstance(run, PaperRun):
            return run
        return cls(**{each.name: getattr(run, each.name) for each in fields(Run)})

    @cached_property
    def savings(self) -> tuple[float, float] | None:
        """The fractions of training saved compared with training every candidate from scratch.

        The first compares with training each candidate for the epochs that its weights were trained
        for when it was eliminated; the second with training each for the epochs of the winner. None
        for an unfinished run or one without candidates.
        """
        if self.result is None or not self.result["generations"]:
            return None
        if self.kept is not None:
            own, winners = self.kept["savings"]
            return own, winners
        rows = pandas.read_csv(self.folder.lineage)
        spent = self.result["epochs_spent"]
        received = float(rows["epochs_trained"].sum())
        alike = len(rows) * self.result["epochs_trained"]
        return 1 - spent / received, 1 - spent / alike

    @cached_property
    def redraws(self) -> list[int]:
        """The re-draws at each decision point of the Surgeon."""
        if self.kept is not None:
            return list(self.kept["redraws"])
        plans = self.folder.plans()
        return [plan.redraws for plan in plans if isinstance(plan, DecisionPlan)]

    @cached_property
    def operations(self) -> list[str]:
        """The operations that led from the initial network to the final one."""
        if self.kept is not None:
            return list(self.kept["operations"])
        return [each.operation for each in self.lineage if each.operation is not None]

    @cached_property
    def curve(self) -> np.ndarray:
        """Epochs and validation accuracy (2, n) along the lineage of the final network."""
        if self.kept is not None:
            return np.array(self.kept["curve"], dtype=float)
        chain, points = self.lineage, []
        for record, child in [*pairwise(chain), (chain[-1], None)]:
            until = math.inf if child is None else _birth(child)
            points += [
                (entry["epoch"], entry["val_accuracy"])
                for entry in record.history
                if (entry["epoch"] or 0) <= until + 1e-9
            ]
        return np.array(points, dtype=float).reshape(-1, 2).T

    @cached_property
    def lineage(self) -> list[Record]:
        """The records of the final network and its ancestors, the initial network first.

        The record of an ancestor is that of the end of its generation, when it was selected. A run
        without files has none.
        """
        known: dict[str, Record] = {}
        number = 0
        while self.folder.winners(number).exists():
            for record in self.folder.read_winners(number).records:
                known.setdefault(record.candidate, record)
            number += 1
        chain = [self.folder.end()]
        while (parent := chain[0].parent) is not None:
            chain.insert(0, known[parent])
        return chain


def _birth(record: Record) -> float:
    """The last epoch before the first entry of a candidate's history."""
    first = record.history[0]["epoch"] if record.history else math.inf
    return -math.inf if first is None else math.nextafter(first, -math.inf)
