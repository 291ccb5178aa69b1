"""The labels of a dataset in their prepared form, by its task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from netsurgery.datasets import labels, multilabel
from netsurgery.datasets.source import TRAINING, Settings, Source
from netsurgery.datasets.value_range import ValueRange
from netsurgery.objectives.tasks import CLASSIFICATION, MULTILABEL, REGRESSION

IMBALANCED = 3  # warn if the largest class has this many times the samples of the smallest
# what describes the labels of some task, and is None for the others
DESCRIBED = (
    *("classes", "class_counts", "labels", "label_counts"),
    *("target_units", "target_range", "target_ranges"),
)


@dataclass(frozen=True)
class PreparedLabels:
    """Labels as training jobs read them.

    Attributes:
        y: of each part: int32 (n,) classes, uint8 (n, labels), or float32 (n, targets).
        description: how many outputs predict them, and what they are.
        warnings: for the user.
    """

    y: Mapping[str, np.ndarray]
    description: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def prepare_labels(
    task: str, raw: Mapping[str, np.ndarray], source: Source, settings: Settings
) -> PreparedLabels:
    """Check and convert the labels of a dataset.

    Args:
        task: of the dataset.
        raw: labels of each part, as its source has them.
        source: the opened dataset.
        settings: of the dataset.

    Raises:
        DataError: they do not fit the task.
    """
    where = {part: source.label_name(part) for part in raw}
    found = BY_TASK[task](raw, where, source, settings)
    empty: dict[str, Any] = dict.fromkeys(DESCRIBED)
    return PreparedLabels(found.y, empty | found.description, found.warnings)


def _imbalance_warnings(counts: dict[str, int]) -> Iterator[str]:
    """A warning if the classes are far from being equally frequent."""
    largest, smallest = max(counts, key=lambda c: counts[c]), min(counts, key=lambda c: counts[c])
    if counts[largest] >= IMBALANCED * counts[smallest]:
        share = counts[largest] / sum(counts.values())
        yield (
            f"imbalanced classes: {largest} has {counts[largest]} training samples ({share:.0%}), "
            f"{smallest} has {counts[smallest]}; always predicting {largest} is {share:.1%} "
            f"accurate (see class_weights)"
        )


def _classes(
    raw: Mapping[str, np.ndarray], where: Mapping[str, str], source: Source, settings: Settings
) -> PreparedLabels:
    y, names = labels.class_numbers(raw, where, source.classes)
    counts = {
        part: dict(zip(names, np.bincount(of_part, minlength=len(names)).tolist(), strict=True))
        for part, of_part in y.items()
    }
    warnings = list(_imbalance_warnings(counts[TRAINING]))
    if same := labels.same_but_for_case(names):
        warnings.append(f"classes differ in capitals only: {', '.join(map(repr, same))}")
    described = {"outputs": len(names), "classes": names, "class_counts": counts}
    return PreparedLabels(y, described, warnings)


def _numbers(
    raw: Mapping[str, np.ndarray], where: Mapping[str, str], source: Source, settings: Settings
) -> PreparedLabels:
    y, units = labels.regression_targets(raw, where)
    seen = ValueRange()
    seen.update(raw[TRAINING])
    table = raw[TRAINING].reshape(len(raw[TRAINING]), -1)
    described = {
        "outputs": table.shape[1],
        "target_units": None if units is None else units.to_json(),
        "target_range": seen.to_json(),
        "target_ranges": np.stack([table.min(axis=0), table.max(axis=0)], axis=1).tolist(),
    }
    return PreparedLabels(y, described)


def _several(
    raw: Mapping[str, np.ndarray], where: Mapping[str, str], source: Source, settings: Settings
) -> PreparedLabels:
    separator = settings.get("label_separator")
    y, names = multilabel.label_matrix(raw, where, source.labels, separator)
    counts = {
        part: dict(zip(names, of_part.sum(axis=0, dtype=np.int64).tolist(), strict=True))
        for part, of_part in y.items()
    }
    described = {"outputs": len(names), "labels": names, "label_counts": counts}
    warnings = list(multilabel.warnings(y[TRAINING], names, where[TRAINING]))
    without = int((y[TRAINING].sum(axis=1) == 0).sum())
    if without and separator:
        warnings.append(f"{where[TRAINING]}: {without:,} training samples have no label")
    return PreparedLabels(y, described, warnings)


BY_TASK: Mapping[str, Callable[..., PreparedLabels]] = {
    CLASSIFICATION: _classes,
    REGRESSION: _numbers,
    MULTILABEL: _several,
}
