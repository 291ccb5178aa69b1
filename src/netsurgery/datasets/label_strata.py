"""Parts with the same share of every label, where samples have any number of labels.

Samples are ordered by their rarest label, and parts take every so many of them. So each label is
spread evenly whatever its number of samples; iterative stratification (K. Sechidis et al., *On the
stratification of multi-label data*, 2011) also starts from the rarest label.
"""

from __future__ import annotations

import numpy as np


def _ordered(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The places of samples (n, labels) by rarest label, in random order for each.

    Those that alone have a label are left out, for they cannot be learnt and tested.
    """
    counts = y.sum(axis=0, dtype=np.int64)
    alone: np.ndarray = np.any(y[:, counts == 1], axis=1)
    by_rarity = np.argsort(counts, kind="stable")
    sorted_y = y[:, by_rarity].astype(bool)
    rarest = np.where(sorted_y.any(axis=1), sorted_y.argmax(axis=1), y.shape[1])
    order = rng.permutation(len(y))
    order = order[np.argsort(rarest[order], kind="stable")]
    return order[np.logical_not(alone[order])]


def draw(
    rest: np.ndarray, y: np.ndarray, size: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a number of samples.

    Args:
        rest: indices of the samples to draw from.
        y: (n, labels), theirs.
        size: how many to draw.
        rng: draws them.

    Returns:
        The samples that remain, and those drawn.
    """
    order = _ordered(y, rng)
    size = min(size, len(order))
    places = ((np.arange(size) + rng.random()) * (len(order) / max(1, size))).astype(int)
    drawn = np.zeros(len(rest), bool)
    drawn[order[places]] = True
    return rest[~drawn], rest[drawn]


def fold(
    rest: np.ndarray, y: np.ndarray, index: int, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The samples that a fold trains on, and those that it tests on.

    Args:
        rest: indices of the samples to divide.
        y: (n, labels), theirs.
        index: of the fold.
        count: how many folds there are.
        rng: the same for all folds.
    """
    order = _ordered(y, rng)
    drawn = np.zeros(len(rest), bool)
    drawn[order[index::count]] = True
    return rest[~drawn], rest[drawn]
