"""The nearest neighbour of a series by dynamic time warping.

H. Sakoe, S. Chiba, *Dynamic programming algorithm optimization for spoken word recognition*, 1978.
"""

from __future__ import annotations

import numpy as np

WINDOW = 0.1  # of the steps: how far a step may be moved


def window_of(steps: int) -> int:
    """How many steps a step may be moved."""
    return max(1, round(WINDOW * steps))


def warped_distances(query: np.ndarray, series: np.ndarray, window: int) -> np.ndarray:
    """The squared distance of a series to others, each warped within a window, (n,).

    Args:
        query: (steps, channels).
        series: (n, steps, channels).
        window: steps that a step may be moved by.
    """
    steps, count = len(query), len(series)
    # by diagonals, each of which depends on the two before; place 0 is outside
    before, last = (np.full((count, steps + 1), np.inf) for _ in range(2))
    before[:, 0] = 0.0
    for diagonal in range(2 * steps - 1):
        low = max(0, diagonal - steps + 1, -(-(diagonal - window) // 2))
        high = min(steps, diagonal + 1, (diagonal + window) // 2 + 1)
        others = series[:, diagonal - high + 1 : diagonal - low + 1][:, ::-1]
        cost = np.sum((others - query[low:high]) ** 2, axis=2)
        best = np.minimum(last[:, low:high], last[:, low + 1 : high + 1])
        here = np.full_like(last, np.inf)
        here[:, low + 1 : high + 1] = cost + np.minimum(best, before[:, low:high])
        before, last = last, here
    return last[:, steps]


def nearest_neighbours(queries: np.ndarray, series: np.ndarray) -> np.ndarray:
    """The index of the nearest of some series for each query, (queries,).

    Args:
        queries: (m, steps, channels).
        series: (n, steps, channels).
    """
    window = window_of(queries.shape[1])
    nearest = [int(warped_distances(query, series, window).argmin()) for query in queries]
    return np.array(nearest, int)
