"""What a peer is given, the clock that ends it, and what it gives."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from benchmarks.peers.data_sets import DATA_SETS, DataSet

MAX_PARAMETERS = 50_000


class Clock:
    """Processor seconds of this process and its children, from now on.

    Args:
        allowed: that a peer may take.
    """

    def __init__(self, allowed: float) -> None:
        self.allowed = allowed
        self.restart()

    def restart(self) -> None:
        """Count from now on."""
        self._start = 0.0
        self._start = self.seconds

    @property
    def seconds(self) -> float:
        """Taken so far."""
        times = os.times()
        return times.user + times.system + times.children_user + times.children_system - self._start

    @property
    def share(self) -> float:
        """Part of what is allowed that was taken."""
        return self.seconds / self.allowed


@dataclass(frozen=True)
class Task:
    """A split data set.

    Attributes:
        name: of the data set.
        arrays: x_train, y_train, x_val, y_val, x_test and y_test.
        folder: with the files of `data_sets.make`.
        scratch: an empty folder.
        seed: of the run.
    """

    name: str
    arrays: dict[str, np.ndarray]
    folder: Path
    scratch: Path
    seed: int

    @property
    def data_set(self) -> DataSet:
        """Its description."""
        return DATA_SETS[self.name]

    @property
    def classes(self) -> int:
        """How many."""
        return int(self.arrays["y_train"].max()) + 1

    @cached_property
    def inputs(self) -> dict[str, np.ndarray]:
        """The samples of each part, scaled to mean 0 and deviation 1 per channel or column."""
        training = self.arrays["x_train"].astype(np.float32)
        axes = tuple(range(training.ndim - 1))
        mean, deviation = training.mean(axis=axes), training.std(axis=axes)
        return {
            part: (self.arrays[f"x_{part}"].astype(np.float32) - mean) / np.maximum(deviation, 1e-6)
            for part in ("train", "val", "test")
        }

    def labels(self, part: str) -> np.ndarray:
        """Class numbers of a part."""
        return self.arrays[f"y_{part}"]


@dataclass(frozen=True)
class Outcome:
    """The model of a peer.

    Attributes:
        predict: the class numbers of the test samples.
        parameters: of the network; None if it is none.
        note: what was chosen.
    """

    predict: Callable[[], np.ndarray]
    parameters: int | None
    note: str


Peer = Callable[[Task, Clock], Outcome]
