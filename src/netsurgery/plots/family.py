"""The ancestry of the candidates of a search, and their training curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from netsurgery.search.lineage import last_records
from netsurgery.search.records import Record


class Family:
    """The candidates of a search with their ancestors.

    Args:
        records: of the search.
        final: name of the final candidate.
        metric: whose curves are needed, such as val_accuracy.
    """

    def __init__(self, records: Sequence[Record], final: str, metric: str) -> None:
        self.metric = metric
        self.last_record = last_records(records)
        self.birth_epochs: dict[str, float] = {}  # epochs of training before the operation
        for record in records:
            if record.last_epochs and not record.last_epochs.kept:
                continue  # it spent batches that these weights did not train
            birth = (record.batches_trained - record.batches_spent) / record.batches_per_epoch
            earlier = self.birth_epochs.get(record.candidate, math.inf)
            self.birth_epochs[record.candidate] = min(birth, earlier)
        # from the network with fresh weights to the final candidate
        self.lineage = [self.last_record[final]]
        while (parent := self._parent(self.lineage[0])) is not None:
            self.lineage.insert(0, parent)

    def _parent(self, record: Record) -> Record | None:
        """The candidate whose weights one continued; None if it had fresh weights."""
        if record.parent is None or self.birth_epochs[record.candidate] == 0:
            return None
        return self.last_record[record.parent]

    @property
    def others(self) -> list[Record]:
        """All candidates that are not on the winner's lineage."""
        lineage = {record.candidate for record in self.lineage}
        return [record for name, record in self.last_record.items() if name not in lineage]

    @property
    def max_epochs(self) -> float:
        """The most epochs that any candidate's weights were trained."""
        return max(record.epochs_trained for record in self.last_record.values())

    def own_curve(self, record: Record, until: float = math.inf) -> np.ndarray:
        """Epochs and metric of a candidate (2, n); NaN where the metric was not finite."""
        points = [
            (entry["epoch"], math.nan if entry[self.metric] is None else entry[self.metric])
            for entry in record.history
            if (entry["epoch"] or 0) <= until
        ]
        return np.array(points, dtype=float).reshape(-1, 2).T

    def curve(self, record: Record) -> np.ndarray:
        """Epochs and metric of a candidate (2, n), from its parent's last value."""
        if (parent := self._parent(record)) is None:
            return self.own_curve(record)
        before = self.own_curve(parent, self.birth_epochs[record.candidate])
        return np.hstack([before[:, -1:], self.own_curve(record)])

    def lineage_curve(self) -> np.ndarray:
        """Epochs and metric along the winner's lineage (2, n)."""
        parts = [
            self.own_curve(parent, self.birth_epochs[child.candidate])
            for parent, child in pairwise(self.lineage)
        ]
        return np.hstack([*parts, self.own_curve(self.lineage[-1])])
