"""Numbers as pieces: some inputs each, with which a network can treat small and large ones apart.

The piecewise-linear encoding of Gorishniy et al., "On Embeddings for Numerical Features in Tabular
Deep Learning" (2022). Edges between the smallest and the largest number divide them into bins. Each
bin is an input: 0 for numbers below it, 1 for those above it, and in it a straight line from 0
to 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netsurgery.datasets.source import DataError

SCALED, PIECEWISE_LINEAR, AUTO = "scaled", "piecewise_linear", "auto"  # how numbers enter
MOST_BINS = 32  # of a number
PER_BIN, FEWEST_BINS = 100, 8  # samples for each bin of any number; bins of a number, by default
MOST_INPUTS = 1_000  # of all bins together, by default
SEEN = 100_000  # training samples that edges are found from


@dataclass(frozen=True)
class Pieces:
    """Which stored value each input is made of, and which inputs are bins.

    Attributes:
        columns: of the stored row, by input (inputs,).
        bins: whether an input is a bin, and stays between 0 and 1 (inputs,).
    """

    columns: np.ndarray
    bins: np.ndarray


def bins_for(how: str, numbers: np.ndarray, samples: int) -> int:
    """The most bins of each number; 0 if numbers stay one input each.

    Args:
        how: numbers enter the network, as the settings say.
        numbers: which values of a sample are numbers, of its shape.
        samples: for training.

    Raises:
        DataError: samples are no rows, but numbers are to have bins.
    """
    is_row = numbers.ndim == 1
    if how == PIECEWISE_LINEAR:
        if not is_row:
            raise DataError(
                f"samples have shape {numbers.shape}; `numbers: {PIECEWISE_LINEAR}` needs rows of"
                f" features"
            )
        return MOST_BINS
    bins = min(MOST_BINS, samples // (PER_BIN * max(1, int(numbers.sum()))))
    fits = is_row and bins >= FEWEST_BINS and bins * numbers.sum() <= MOST_INPUTS
    return bins if how == AUTO and fits else 0


def edges(values: np.ndarray, most: int) -> np.ndarray:
    """The edges of the bins of some numbers, ascending.

    They are quantiles, so that each bin has about as many numbers. A value that more numbers have
    than belong into a bin is an edge, and the others are divided among the other bins.

    Args:
        values: of the training samples, float32; NaN where they are missing.
        most: bins.

    Returns:
        float32, as many as there are bins and one more; fewer than two if all values are the same.
    """
    present, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    if len(present) <= most + 1:
        return _apart(present)
    heavy = counts * most > counts.sum()
    rest = np.repeat(present[~heavy], counts[~heavy])
    found = np.quantile(rest, np.linspace(0, 1, most + 1 - int(heavy.sum())))
    return _apart(np.concatenate([found, present[heavy]]))


def _apart(found: np.ndarray) -> np.ndarray:
    """The edges in order, as float32, without those whose distance to the last one is nothing."""
    ordered = np.unique(found.astype(np.float32))
    kept = np.diff(ordered, prepend=-np.inf) > np.finfo(np.float32).tiny
    return ordered[kept]


def fit(
    x: np.ndarray, shift: np.ndarray, scale: np.ndarray, numbers: np.ndarray, most: int
) -> tuple[np.ndarray, np.ndarray, Pieces]:
    """Divide the numbers of rows into bins.

    Args:
        x: training samples as stored, or enough of them, (n, columns).
        shift: of each value (columns,), or of all ().
        scale: of each value, or of all, for those that stay one input.
        numbers: whether a value is a number that may have bins (columns,).
        most: bins of a number.

    Returns:
        Shift and scale of each input, float32 (inputs,), and the pieces.
    """
    shift, scale = (np.broadcast_to(values, numbers.shape) for values in (shift, scale))
    columns, shifts, scales, bins = [], [], [], []
    for j in range(len(numbers)):
        ends = edges(x[:, j].astype(np.float32), most) if numbers[j] else np.empty(0)
        divided = len(ends) > 1
        shifts.append(ends[:-1] if divided else shift[[j]])
        scales.append(1 / np.diff(ends) if divided else scale[[j]])
        columns += [j] * len(shifts[-1])
        bins += [divided] * len(shifts[-1])
    starts, slopes = (np.concatenate(each).astype(np.float32) for each in (shifts, scales))
    return starts, slopes, Pieces(np.array(columns, np.int32), np.array(bins))
