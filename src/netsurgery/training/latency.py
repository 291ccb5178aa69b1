"""How long a network takes to predict, measured on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

BUDGET = 0.002  # seconds for the repetitions of a measurement
FEWEST, MOST = 3, 30  # repetitions


def median_seconds(predict: Callable[[], object]) -> float:
    """The median time of repeated calls, to three digits.

    Args:
        predict: called once more before, because a first call creates the kernels for its batch.
    """
    predict()
    seconds: list[float] = []
    end = time.perf_counter() + BUDGET
    while len(seconds) < FEWEST or (len(seconds) < MOST and time.perf_counter() < end):
        start = time.perf_counter()
        predict()
        seconds.append(time.perf_counter() - start)
    return float(f"{median(seconds):.3g}")
