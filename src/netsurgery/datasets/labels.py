"""Labels: classes as numbers 0, 1, ..., and the targets of a regression."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from netsurgery.datasets.source import TRAINING, DataError, Suggestion
from netsurgery.datasets.units import UnitFitter, Units

MAX_CLASSES = 10_000
MAX_UNIQUE = 10  # classes of one sample
REGRESSION = Suggestion("task", "regression", "the labels are numbers, most of them different")


def regression_targets(
    labels: Mapping[str, np.ndarray], label_names: Mapping[str, str]
) -> tuple[dict[str, np.ndarray], Units | None]:
    """Check and convert the targets of a regression.

    Args:
        labels: (n,) or (n, targets) of each part.
        label_names: of each part, for messages.

    Returns:
        float32 (n, targets) of each part, and the units that they are stored in.

    Raises:
        DataError: they are not finite numbers, or all the same.
    """
    targets = {}
    for part, values in labels.items():
        targets[part] = _table_of_targets(values, label_names[part])
    if not np.ptp(targets[TRAINING], axis=0).all():
        raise DataError(f"{label_names[TRAINING]}: all values of a target are the same")
    fitter = UnitFitter((0,))
    fitter.update(targets[TRAINING])
    units = fitter.units()
    return {
        part: _stored(table, units, label_names[part]) for part, table in targets.items()
    }, units


def _table_of_targets(values: np.ndarray, name: str) -> np.ndarray:
    """Targets as float64 (n, targets).

    Raises:
        DataError: they are not finite numbers.
    """
    if values.dtype.kind not in "iufb":
        raise DataError(f"{name}: {_first(values)!r} is not a number; regression needs numbers")
    if values.ndim not in (1, 2):
        raise DataError(f"{name} has shape {values.shape}; targets must be (samples, targets)")
    table = values.reshape(len(values), -1).astype(np.float64)
    invalid = np.flatnonzero(~np.isfinite(table).all(axis=1))
    if len(invalid):
        raise DataError(f"{name}: sample {invalid[0]} is {values[invalid[0]]}, not a finite number")
    return table


def _stored(targets: np.ndarray, units: Units | None, name: str) -> np.ndarray:
    """Targets as float32.

    Raises:
        DataError: one is too large.
    """
    with np.errstate(over="ignore"):
        stored = (targets if units is None else units.store(targets)).astype(np.float32)
    invalid = np.flatnonzero(~np.isfinite(stored).all(axis=1))
    if len(invalid):
        raise DataError(f"{name}: sample {invalid[0]} is {targets[invalid[0]]}, too large")
    return stored


def class_numbers(
    labels: Mapping[str, np.ndarray],
    label_names: Mapping[str, str],
    class_names: Sequence[str] | None = None,
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Convert labels to class numbers.

    Args:
        labels: (n,) of each part: class numbers or names. Names are sorted alphabetically, or
            numerically if all are integers.
        label_names: of each part, for messages.
        class_names: if the source knows them.

    Returns:
        int32 (n,) of each part, and the name of every class.

    Raises:
        DataError: labels are floats, negative, have gaps or only one class, or a part has a class
            that the training part lacks.
    """
    flat = {part: _flat(values, label_names[part]) for part, values in labels.items()}
    if flat[TRAINING].dtype.kind in "UO":
        known = np.unique(flat[TRAINING].astype(str)).tolist()
        if all(name.removeprefix("-").isdecimal() for name in known):
            known.sort(key=int)
        names, numbers = tuple(known), {}
        _check_repeated(flat[TRAINING], label_names[TRAINING])
        index = {name: i for i, name in enumerate(known)}
        for part, values in flat.items():
            indices = np.array([index.get(str(value), -1) for value in values])
            _check_known(values, indices >= 0, label_names[part], names)
            numbers[part] = indices
    else:
        counts = _class_counts(flat[TRAINING], label_names[TRAINING])
        names = tuple(class_names or map(str, range(len(counts))))
        for part, values in flat.items():
            _check_known(values, (values >= 0) & (values < len(names)), label_names[part], names)
        numbers = flat
    if len(names) < 2 or len(np.unique(numbers[TRAINING])) < 2:
        only = names[numbers[TRAINING][0]]
        raise DataError(
            f"{label_names[TRAINING]}: all samples are of one class ({only}); at least two classes "
            f"are needed"
        )
    return {part: values.astype(np.int32) for part, values in numbers.items()}, names


def _flat(given: np.ndarray, name: str) -> np.ndarray:
    """Labels (n,) as int64 or as names.

    Raises:
        DataError: they have another shape, or are neither integers nor text.
    """
    values = given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given
    if values.ndim != 1:
        raise _not_flat(values, name)
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "backslashreplace")
    if values.dtype.kind == "f":
        raise DataError(
            f"{name}: labels are floats ({_first(values)}, ...); classes must be integers from "
            f"0 (for a numeric target set `task: regression`)",
            Suggestion("task", "regression", "the target holds fractions"),
        )
    if values.dtype.kind not in "iubUO":
        raise DataError(
            f"{name}: labels have dtype {values.dtype}; classes must be integers or text"
        )
    return values.astype(np.int64) if values.dtype.kind in "iub" else values


def numbers_of_classes(given: np.ndarray, classes: Sequence[str], name: str) -> np.ndarray:
    """The class numbers of labels for a model that is trained, int32 (n,).

    Args:
        given: (n,) names or numbers of classes.
        classes: the names of the model's classes, in order.
        name: of the labels, for messages.

    Raises:
        DataError: a label is none of the classes.
    """
    values = _flat(given, name)
    numbers = values
    # names such as 1, 2, 3 are no class numbers
    if values.dtype.kind in "UO" or all(c.removeprefix("-").isdecimal() for c in classes):
        index = {each: i for i, each in enumerate(classes)}
        numbers = np.array([index.get(str(value), -1) for value in values], np.int64)
    _check_known(values, (numbers >= 0) & (numbers < len(classes)), name, classes)
    return numbers.astype(np.int32)


def checked_targets(given: np.ndarray, outputs: int, name: str) -> np.ndarray:
    """The targets of a regression for a model that is trained, float64 (n, outputs).

    Raises:
        DataError: they are not finite numbers, or not as many as the model predicts.
    """
    targets = _table_of_targets(given, name)
    if targets.shape[1] != outputs:
        raise DataError(f"{name} has {targets.shape[1]} targets, but the model predicts {outputs}")
    return targets


def _not_flat(values: np.ndarray, name: str) -> DataError:
    """The error for labels with several values per sample, which says what to do."""
    message = f"{name} has shape {values.shape}; class numbers must be (samples,)"
    if values.ndim != 2 or values.dtype.kind not in "iufb":
        return DataError(message)
    if np.isin(values, (0, 1)).all() and (values.sum(axis=1) != 1).any():
        return DataError(
            f"{message}; these are several labels per sample: set `task: multilabel`",
            Suggestion("task", "multilabel", f"samples have any of {values.shape[1]} labels"),
        )
    if values.min() >= 0 and np.allclose(values.sum(axis=1), 1):
        return DataError(f"{message}; take the argmax of one-hot labels")
    return DataError(
        f"{message}; use one column, or set `task: regression` if they are numeric targets",
        Suggestion("task", "regression", f"{values.shape[1]} numeric targets per sample"),
    )


def _first(values: np.ndarray) -> Any:
    return values.reshape(-1)[0].item() if values.size else "nothing"


def _class_counts(values: np.ndarray, name: str) -> np.ndarray:
    """The number of samples of each class; every class from 0 to the highest must have some."""
    low, high = int(values.min()), int(values.max())
    if low < 0:
        raise DataError(f"{name}: {low} is not a class; class numbers start at 0")
    if high >= MAX_CLASSES:
        raise DataError(f"{name}: {high} is not a class number below {MAX_CLASSES}")
    counts = np.bincount(values)
    if not counts.all():
        absent = int(np.flatnonzero(counts == 0)[0])
        raise DataError(
            f"{name}: labels range from {low} to {high}, but no sample is of class {absent}; "
            f"number the classes from 0 without gaps"
        )
    return counts


def same_but_for_case(texts: Iterable[str]) -> list[str]:
    """The texts that differ from others in capitals only, next to each other."""
    alike = defaultdict(list)
    for text in sorted(texts):
        alike[text.casefold()].append(text)
    return [text for same in alike.values() if len(same) > 1 for text in same]


def _check_repeated(values: np.ndarray, name: str) -> None:
    """Raise a `DataError` if most labels are unique: they are numbers, or name the samples."""
    labels, counts = np.unique(values.astype(str), return_counts=True)
    unique = int((counts == 1).sum())
    if unique > max(MAX_UNIQUE, len(values) / 2):
        raise DataError(
            f"{name} has {len(labels)} different values in {len(values)} samples, most of them "
            f"once ({str(labels[0])!r}, ...); they are not classes: predict another column, or a "
            f"number with `task: regression`",
            *([REGRESSION] if _are_numbers(labels) else []),
        )


def _are_numbers(labels: np.ndarray) -> bool:
    """Whether all labels, as text, are numbers."""
    try:
        return bool(np.isfinite(labels.astype(np.float64)).all())
    except ValueError:
        return False


def _check_known(values: np.ndarray, known: np.ndarray, name: str, names: Sequence[str]) -> None:
    """Raise a `DataError` at the first label that is not a class of the training part.

    Args:
        values: (n,) labels.
        known: (n,) whether each is a class of the training part.
        name: of the labels, for the message.
        names: of the classes.
    """
    if not known.all():
        sample = int(np.flatnonzero(~known)[0])
        listed = ", ".join(map(repr, names)) if len(names) <= 10 else f"0 to {len(names) - 1}"
        raise DataError(
            f"{name}: sample {sample} is {values[sample].item()!r}, which is not a class of the "
            f"training samples ({listed})"
        )
