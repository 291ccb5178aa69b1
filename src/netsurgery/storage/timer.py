"""Wall time of a training step, by phase."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator


class Timer:
    """Sums wall time by phase."""

    def __init__(self) -> None:
        self.began = time.time()  # Unix time
        self._start = time.perf_counter()
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Add the time of a block to a phase."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    @property
    def elapsed(self) -> float:
        """Seconds since this timer was created."""
        return time.perf_counter() - self._start
