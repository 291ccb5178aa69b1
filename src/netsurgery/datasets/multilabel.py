"""Labels of samples that have any number of them, as a matrix of 0 and 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from netsurgery.datasets.source import TRAINING, DataError

RARE = 10  # samples: scores of a label with fewer say little
LISTED = 5  # labels in a warning


def label_matrix(
    labels: Mapping[str, np.ndarray],
    label_names: Mapping[str, str],
    names: Sequence[str] | None = None,
    separator: str | None = None,
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Check and convert the labels of all parts.

    Args:
        labels: of each part: (n, labels) of 0 and 1, (n,) for a single label, or (n,) texts.
        label_names: of each part, for messages.
        names: of the labels, if the source knows them.
        separator: of the labels in a text.

    Returns:
        uint8 (n, labels) of each part, and the name of every label.

    Raises:
        DataError: a value is not 0 or 1, no label varies, or a part has a label that the training
            part lacks.
    """
    training = labels[TRAINING]
    if separator is not None and training.dtype.kind in "UO":
        found = {name for text in training for name in split_text(text, separator)}
        names = sorted(found, key=_order(found))
        if not names:
            raise DataError(f"{label_names[TRAINING]}: no sample has a label")
    width = 1 if training.ndim == 1 else training.shape[1]
    names = tuple(map(str, range(width)) if names is None else names)
    matrices = {
        part: matrix_of(values, names, label_names[part], separator)
        for part, values in labels.items()
    }
    if not np.ptp(matrices[TRAINING], axis=0).any():
        raise DataError(f"{label_names[TRAINING]}: every sample has the same labels")
    return matrices, names


def _order(names: set[str]) -> Any:
    """The key that sorts names: as numbers, if all are."""
    return int if all(name.removeprefix("-").isdecimal() for name in names) else str


def split_text(text: Any, separator: str) -> list[str]:
    """The labels in a text; none in an empty one."""
    parts = (part.strip() for part in str(text).split(separator))
    return [part for part in parts if part]


def matrix_of(
    given: np.ndarray, names: Sequence[str], where: str, separator: str | None = None
) -> np.ndarray:
    """The labels of some samples as uint8 (n, labels).

    Args:
        given: as for `label_matrix`.
        names: of the labels.
        where: they are from, for messages.
        separator: of the labels in a text.

    Raises:
        DataError: a value is not 0 or 1, or a label is unknown.
    """
    if separator is not None and given.dtype.kind in "UO":
        return _matrix_of_texts(given, names, where, separator)
    if given.dtype.kind not in "biuf" or given.ndim > 2:
        what = "text" if given.dtype.kind in "SUO" else f"shape {given.shape}"
        raise DataError(
            f"{where}: labels have {what}; several labels per sample must be (samples, labels) of "
            f"0 and 1"
        )
    table = given.reshape(len(given), -1)
    if table.shape[1] != len(names):
        raise DataError(f"{where} has {table.shape[1]} labels, but there are {len(names)}")
    wrong = np.argwhere(~np.isin(table, (0, 1)))
    if len(wrong):
        sample, label = wrong[0].tolist()
        raise DataError(
            f"{where}: sample {sample}, label {names[label]} is {table[sample, label].item()}; it "
            f"must be 0 or 1"
        )
    return table.astype(np.uint8)


def _matrix_of_texts(
    given: np.ndarray, names: Sequence[str], where: str, separator: str
) -> np.ndarray:
    index = {name: i for i, name in enumerate(names)}
    table = np.zeros((len(given), len(names)), np.uint8)
    for i, text in enumerate(given):
        for name in split_text(text, separator):
            if name not in index:
                raise DataError(
                    f"{where}: sample {i} has {name!r}, which is not a label of the training "
                    f"samples ({_listed(names)})"
                )
            table[i, index[name]] = 1
    return table


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:LISTED])) + (", ..." if len(names) > LISTED else "")


def warnings(y: np.ndarray, names: Sequence[str], where: str) -> Iterator[str]:
    """What to look at in the labels of the training samples.

    Args:
        y: (n, labels) of 0 and 1.
        names: of the labels.
        where: they are from.
    """
    counts = y.sum(axis=0, dtype=np.int64)
    rarer = np.minimum(counts, len(y) - counts)
    if same := [name for name, count in zip(names, rarer, strict=True) if not count]:
        yield (
            f"{where}: every sample or none has {_listed(same)}; there is nothing to learn of "
            f"{'it' if len(same) == 1 else 'them'}"
        )
    if rare := [name for name, count in zip(names, rarer, strict=True) if 0 < count < RARE]:
        yield (
            f"{where}: fewer than {RARE} training samples differ from all others in "
            f"{_listed(rare)}; scores of such a label say little"
        )
    if len(names) > 1 and (y.sum(axis=1) == 1).all():
        yield (
            f"{where}: every sample has exactly one label; if that is always so, they are classes "
            f"(`task: classification`)"
        )
