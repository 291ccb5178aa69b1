"""Columns of a table that give the target away, as copies or consequences of it do."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from netsurgery.datasets.columns import CATEGORY, drop_setting
from netsurgery.objectives.tasks import REGRESSION

FEW = 50  # rows of which chance explains all
LOOKED_AT = 10_000  # rows
LEFT = 0.02  # of the errors or the variance without the column: less is given away
EQUAL = 1e-6  # what an exact function of the target leaves, up to rounding
MAX_TARGETS = 20
ROWS_PER_LEVEL = 5  # a category of fewer rows each explains anything


def _errors_left(values: np.ndarray, y: np.ndarray) -> float:
    """The share of a majority's errors that a few thresholds of a column leave.

    Args:
        values: (n,) numbers, NaN where they are missing.
        y: (n,) class numbers.
    """
    from sklearn.tree import DecisionTreeClassifier

    counts = np.bincount(y)
    leaves = 2 * np.count_nonzero(counts)
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, min_samples_leaf=3, random_state=0)
    wrong = np.count_nonzero(tree.fit(values[:, None], y).predict(values[:, None]) != y)
    return float(wrong / max(1, len(y) - counts.max()))


def _errors_of_levels(codes: np.ndarray, y: np.ndarray) -> float:
    """The share of a majority's errors that are left where each level means its own majority."""
    counts = np.zeros((codes.max() + 1, y.max() + 1), np.int64)
    np.add.at(counts, (codes, y), 1)
    wrong = len(y) - counts.max(axis=1).sum()
    return float(wrong / max(1, len(y) - counts.sum(axis=0).max()))


def _ranks(values: np.ndarray) -> np.ndarray:
    """The rank of each value; equal values share the mean of theirs."""
    _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[index]


def _variance_left(values: np.ndarray, y: np.ndarray) -> float:
    """The share of the variance of the target's ranks that those of a column do not explain."""
    present = np.isfinite(values)
    if present.sum() < max(FEW, len(y) / 2) or not np.ptp(values[present]):
        return 1.0
    together = np.corrcoef(_ranks(values[present]), _ranks(y[present]))
    return float(1 - together[0, 1] ** 2)


def _variance_of_levels(codes: np.ndarray, y: np.ndarray) -> float:
    """The share of the target's variance within the levels of a category."""
    counts = np.bincount(codes)
    means = np.bincount(codes, weights=y) / np.maximum(1, counts)
    return float(np.var(y - means[codes]) / max(np.var(y), np.finfo(float).tiny))


def columns_that_tell(
    x: np.ndarray,
    y: np.ndarray,
    columns: Sequence[Mapping[str, Any]],
    features: Sequence[Mapping[str, Any]],
    task: str,
) -> dict[str, bool]:
    """The columns which alone give a target away, and whether they are that target again.

    They are if they rename it: categories, few numbers, or the same order. A threshold of a
    measured value may be what there is to learn.

    Args:
        x: (n, features) training samples.
        y: (n,) class numbers, (n, labels) of 0 and 1, or (n, targets).
        columns: of the table, see `netsurgery.datasets.columns`.
        features: of its rows, see `netsurgery.datasets.table_features`.
        task: of the dataset.
    """
    if len(y) < FEW:
        return {}
    rows = np.unique(np.linspace(0, len(y) - 1, min(len(y), LOOKED_AT)).astype(int))
    samples, targets = np.asarray(x[rows]), np.asarray(y[rows]).reshape(len(rows), -1)
    targets = targets.astype(np.float64 if task == REGRESSION else np.int64)
    found: dict[str, bool] = {}
    for target in targets.T[:MAX_TARGETS]:
        if len(np.unique(target)) > 1:
            telling = _that_tell(samples, target, columns, features, classes=task != REGRESSION)
            found |= {name: found.get(name, False) or again for name, again in telling.items()}
    return found


def _that_tell(
    samples: np.ndarray,
    target: np.ndarray,
    columns: Sequence[Mapping[str, Any]],
    features: Sequence[Mapping[str, Any]],
    *,
    classes: bool,
) -> dict[str, bool]:
    """The same for one target, (n,)."""
    found = {}
    for column in columns:
        of_column = [i for i, f in enumerate(features) if f["column"] == column["name"]]
        if not of_column:
            continue
        if column["kind"] == CATEGORY:
            if len(of_column) * ROWS_PER_LEVEL > len(samples):
                continue
            # a level that is left out, as in a row of zeros, counts as one more
            levels = samples[:, of_column]
            codes = np.where(levels.any(axis=1), levels.argmax(axis=1), len(of_column))
            left = (_errors_of_levels if classes else _variance_of_levels)(codes, target)
        else:
            left = (_errors_left if classes else _variance_left)(samples[:, of_column[0]], target)
        if left <= LEFT:
            few = len(np.unique(samples[:, of_column[0]])) <= 2 * len(np.unique(target))
            renamed = column["kind"] == CATEGORY or (few if classes else left <= EQUAL)
            found[column["name"]] = renamed
    return found


def warning(found: Collection[str], origin: str) -> str:
    """What to do about columns that give the target away."""
    each = "gives" if len(found) == 1 else "each give"
    return (
        f"{origin}: {', '.join(map(repr, found))} {each} the target away; if that is not known yet "
        f"when the model predicts, set {drop_setting(found)}"
    )
