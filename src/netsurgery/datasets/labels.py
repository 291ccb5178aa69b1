"""Labels: class numbers or names to class numbers 0, 1, ..., or the numbers of a regression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from netsurgery.datasets.source import TRAINING, DataError

MOST_CLASSES = 10_000


def numbers(
    labels: Mapping[str, np.ndarray], called: Mapping[str, str]
) -> tuple[dict[str, np.ndarray], int]:
    """The targets of a regression.

    Args:
        labels: (n,) or (n, targets) of each part.
        called: what each part's labels are called in messages.

    Returns:
        float32 (n, targets) of each part, and the number of targets.

    Raises:
        DataError: they are no finite numbers, or all the same.
    """
    found = {}
    for part, values in labels.items():
        name = called[part]
        if values.dtype.kind not in "iufb":
            raise DataError(f"{name}: {_first(values)!r} is no number; regression needs numbers")
        if values.ndim not in (1, 2):
            raise DataError(f"{name} has shape {values.shape}; targets are (samples, targets)")
        table = values.reshape(len(values), -1).astype(np.float32)
        wrong = np.flatnonzero(~np.isfinite(table).all(axis=1))
        if len(wrong):
            raise DataError(f"{name}: sample {wrong[0]} is {values[wrong[0]]}, not a finite number")
        found[part] = table
    if not np.ptp(found[TRAINING], axis=0).all():
        raise DataError(f"{called[TRAINING]}: all are the same; there is nothing to learn")
    return found, found[TRAINING].shape[1]


def classes(
    labels: Mapping[str, np.ndarray],
    called: Mapping[str, str],
    names: Sequence[str] | None = None,
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Class numbers of each part, and the names of the classes.

    Args:
        labels: (n,) of each part: class numbers, or names, whose order is then the alphabet's, or
            the numbers' if all are whole numbers.
        called: what each part's labels are called in messages.
        names: of the classes, where the source knows them.

    Returns:
        int32 (n,) of each part, and the name of every class.

    Raises:
        DataError: labels are floats, negative, have gaps, are of one class only, or a part has a
            class that the training part has not.
    """
    flat = {}
    for part, given in labels.items():
        name = called[part]
        values = given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given
        if values.ndim != 1:
            hint = "; take the argmax of one-hot labels" if values.ndim == 2 else ""
            raise DataError(f"{name} has shape {values.shape}; class numbers are (samples,){hint}")
        if values.dtype.kind == "f":
            raise DataError(
                f"{name}: are floats ({_first(values)}, ...); classes are whole numbers from 0 "
                f"(or set task: regression)"
            )
        if values.dtype.kind not in "iubUO":
            raise DataError(
                f"{name}: are of type {values.dtype}; classes are whole numbers or text"
            )
        flat[part] = values.astype(np.int64) if values.dtype.kind in "iub" else values
    if flat[TRAINING].dtype.kind in "UO":
        known = np.unique(flat[TRAINING].astype(str)).tolist()
        if all(name.removeprefix("-").isdecimal() for name in known):
            known.sort(key=int)
        names, found = tuple(known), {}
        index = {name: i for i, name in enumerate(known)}
        for part, values in flat.items():
            places = np.array([index.get(str(value), -1) for value in values])
            _refuse(values, places < 0, called[part], names)
            found[part] = places
    else:
        counts = _counts(flat[TRAINING], called[TRAINING])
        names = tuple(names or map(str, range(len(counts))))
        for part, values in flat.items():
            _refuse(values, (values < 0) | (values >= len(names)), called[part], names)
        found = flat
    if len(names) < 2 or len(np.unique(found[TRAINING])) < 2:
        only = names[found[TRAINING][0]]
        raise DataError(
            f"{called[TRAINING]}: all samples are of one class ({only}); two are needed"
        )
    return {part: values.astype(np.int32) for part, values in found.items()}, names


def _first(values: np.ndarray) -> Any:
    return values.reshape(-1)[0].item() if values.size else "nothing"


def _counts(values: np.ndarray, name: str) -> np.ndarray:
    """Samples of each class number from 0 on; none may be without."""
    low, high = int(values.min()), int(values.max())
    if low < 0:
        raise DataError(f"{name}: {low} is no class; class numbers begin at 0")
    if high >= MOST_CLASSES:
        raise DataError(f"{name}: {high} is no class number below {MOST_CLASSES}")
    counts = np.bincount(values)
    if not counts.all():
        absent = int(np.flatnonzero(counts == 0)[0])
        raise DataError(
            f"{name}: go from {low} to {high}, but no sample is of class {absent}; number the "
            f"classes from 0 without gaps"
        )
    return counts


def _refuse(values: np.ndarray, wrong: np.ndarray, name: str, names: Sequence[str]) -> None:
    """Stop at the first label that is none of the training part's classes."""
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        known = ", ".join(map(repr, names)) if len(names) <= 10 else f"0 to {len(names) - 1}"
        raise DataError(
            f"{name}: sample {place} is {values[place].item()!r}, none of the training samples' "
            f"classes ({known})"
        )
