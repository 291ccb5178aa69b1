"""Pause a running search, so that something else can be measured on the same machine.

A pause stops all processes of the search. Pauses are subtracted from the times in its records.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from netsurgery.analysis.timelines import StepTiming
from netsurgery.storage.files import read_json, write_json

PAUSES = "pauses.json"  # in the results folder of a search


@dataclass
class Pauses:
    """The start and end of each pause of a search, as Unix times."""

    times: list[tuple[float, float]] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Pauses:
        """Read the pauses that `write` wrote."""
        return cls([(began, ended) for began, ended in read_json(path)["times"]])

    def write(self, path: Path) -> None:
        """Write the pauses to a file."""
        write_json(path, {"times": self.times})

    @contextlib.contextmanager
    def pause(self, search: subprocess.Popen[bytes]) -> Iterator[None]:
        """Stop a search and all its child processes, and resume them afterwards."""
        began = time.time()
        first = psutil.Process(search.pid)
        first.suspend()  # before the others, because it would start more of them
        processes = [first, *first.children(recursive=True)]
        for process in processes[1:]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        try:
            yield
        finally:
            for process in reversed(processes):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()
            self.times.append((began, time.time()))

    def seconds_before(self, moment: float) -> float:
        """The total seconds of pauses before a moment."""
        return sum(max(0.0, min(end, moment) - began) for began, end in self.times)

    def without_pauses(self, timings: Iterable[StepTiming]) -> list[StepTiming]:
        """The timings of a search without its pauses, which lie between two training steps."""
        return [
            replace(t, record=replace(t.record, began=t.began - self.seconds_before(t.began)))
            for t in timings
        ]
