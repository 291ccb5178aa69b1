"""Who came from whom in a search, and what each candidate had learned by when.

`Family` joins the histories in the records to the curves that the pictures over epochs show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from netsurgery.search.outcome import last_records
from netsurgery.search.records import Record


class Family:
    """The records of a search by candidate, and where each came from."""

    def __init__(self, records: Sequence[Record], final: str, metric: str) -> None:
        self.metric = metric
        self.last = last_records(records)
        self.births: dict[str, float] = {}  # epochs that the weights had received at the surgery
        for record in records:
            birth = (record.batches_trained - record.batches_spent) / record.batches_per_epoch
            self.births[record.candidate] = min(birth, self.births.get(record.candidate, math.inf))
        self.chain = [self.last[final]]  # from the starting topology to the final candidate
        while (parent := self.chain[0].parent) is not None:
            self.chain.insert(0, self.last[parent])

    @property
    def others(self) -> list[Record]:
        """All candidates that are not on the winner's lineage."""
        chain = {record.candidate for record in self.chain}
        return [record for name, record in self.last.items() if name not in chain]

    @property
    def end(self) -> float:
        """The most epochs that any weights received."""
        return max(record.epochs_trained for record in self.last.values())

    def points(self, record: Record, until: float = math.inf) -> np.ndarray:
        """Epochs and metric of a candidate (2, n); NaN where the metric was not finite."""
        found = [
            (entry["epoch"], math.nan if entry[self.metric] is None else entry[self.metric])
            for entry in record.history
            if (entry["epoch"] or 0) <= until
        ]
        return np.array(found, dtype=float).reshape(-1, 2).T

    def curve(self, record: Record) -> np.ndarray:
        """Epochs and metric of a candidate, from its parent's last value on."""
        if record.parent is None:
            return self.points(record)
        before = self.points(self.last[record.parent], self.births[record.candidate])
        return np.hstack([before[:, -1:], self.points(record)])

    def winners_curve(self) -> np.ndarray:
        """Epochs and metric along the winner's lineage."""
        parts = [
            self.points(parent, self.births[child.candidate])
            for parent, child in pairwise(self.chain)
        ]
        return np.hstack([*parts, self.points(self.chain[-1])])
