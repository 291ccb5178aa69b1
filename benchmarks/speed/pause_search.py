"""A search that is held now and then, so that something else is measured on the same machine.

Holding stops all processes of the search. What its records say of times is moved as if it had not
been held.
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

HELD = "held.json"  # beside a search of the benchmark


@dataclass
class Held:
    """When a search was held: Unix times."""

    times: list[tuple[float, float]] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Held:
        """What `write` wrote."""
        return cls([(began, ended) for began, ended in read_json(path)["times"]])

    def write(self, path: Path) -> None:
        """Write it, for who looks at the search's records later."""
        write_json(path, {"times": self.times})

    @contextlib.contextmanager
    def hold(self, search: subprocess.Popen[bytes]) -> Iterator[None]:
        """Stop a search and all that it started, then have them go on."""
        began = time.time()
        first = psutil.Process(search.pid)
        first.suspend()  # before the others, for it would start more of them
        everyone = [first, *first.children(recursive=True)]
        for process in everyone[1:]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        try:
            yield
        finally:
            for process in reversed(everyone):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()
            self.times.append((began, time.time()))

    def before(self, moment: float) -> float:
        """For how many seconds a search was held before a moment."""
        return sum(max(0.0, min(end, moment) - began) for began, end in self.times)

    def moved(self, jobs: Iterable[StepTiming]) -> list[StepTiming]:
        """The jobs of a search as if it had not been held, which was between two of them."""
        return [
            replace(job, record=replace(job.record, began=job.began - self.before(job.began)))
            for job in jobs
        ]
