"""The columns of a table to predict, and the values in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets import number_formats, table_reader
from netsurgery.datasets.columns import row_number, text_of
from netsurgery.datasets.number_formats import NumberFormat
from netsurgery.datasets.source import DataError, Suggestion
from netsurgery.objectives.tasks import MULTILABEL, REGRESSION

if TYPE_CHECKING:
    import pandas as pd

# texts that say whether a sample has a label
TRUTH = {
    **dict.fromkeys(("1", "1.0", "true", "yes", "t", "y"), 1),
    **dict.fromkeys(("0", "0.0", "false", "no", "f", "n"), 0),
}
SEPARATOR = "label_separator"


def target_keys(settings: Mapping[str, Any]) -> list[str | int]:
    """What the settings name as targets: one column, or a list."""
    given = settings["target"]
    return list(given) if isinstance(given, list) else [given]


def target_columns(settings: Mapping[str, Any], names: Sequence[str], path: Path) -> list[str]:
    """The names of the columns to predict.

    Args:
        settings: of the dataset.
        names: of all columns.
        path: of the file, for messages.

    Raises:
        DataError: there is no such column, or it is named twice.
    """
    keys = target_keys(settings)
    found = [table_reader.find_column(key, names, path, "target") for key in keys]
    for name in found:
        if found.count(name) > 1:
            raise DataError(f"{path}: `target` names {name!r} twice")
    return found


def described(names: Sequence[str], path: Path) -> str:
    """How messages refer to the targets of a file."""
    listed = ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")
    return f"{path}: target{'s' * (len(names) > 1)} {listed}"


def targets(
    frame: pd.DataFrame,
    names: Sequence[str],
    settings: Mapping[str, Any],
    numbers: NumberFormat,
    path: Path,
) -> np.ndarray:
    """Labels of some rows: text for classes, float64 numbers, or uint8 labels of 0 and 1.

    Args:
        frame: these rows.
        names: of the columns to predict.
        settings: of the dataset.
        numbers: how the file writes numbers.
        path: of the file, for messages.

    Returns:
        (n,) for one column, (n, columns) for several. With a separator, the texts that hold labels.

    Raises:
        DataError: a value is missing, or does not fit the task.
    """
    task = settings["task"]
    if task == MULTILABEL and settings.get(SEPARATOR):
        texts = frame[names[0]].fillna("")
        return np.array(list(text_of(texts)), dtype=str)
    for name in names:
        _check_present(frame[name], path)
    if task == MULTILABEL:
        return np.stack([truth(frame[name], path) for name in names], axis=1).astype(np.uint8)
    if task == REGRESSION:
        columns = [_numbers(frame[name], numbers, path) for name in names]
        return columns[0] if len(names) == 1 else np.stack(columns, axis=1)
    return _classes(frame[names[0]], settings, numbers, path)


def _check_present(values: pd.Series, path: Path) -> None:
    missing = np.flatnonzero(values.isna())
    if len(missing):
        raise DataError(
            f"{path}: target {values.name!r} is missing in row {row_number(values, missing[0])} "
            f"(an empty cell, or a text such as NA or None); fill it in, or leave such rows out "
            f"with `drop_missing_target: true`",
            Suggestion("drop_missing_target", True, "some rows have none"),
        )


def truth_of(values: pd.Series) -> np.ndarray:
    """Whether each value says yes, float64 (n,); NaN where it says neither yes nor no."""
    texts = (text.strip().lower() for text in text_of(values))
    return np.array([TRUTH.get(text, np.nan) for text in texts], float)


def truth(values: pd.Series, path: Path) -> np.ndarray:
    """Whether each value of a column says yes, float64 (n,); NaN where it is missing.

    Raises:
        DataError: a value says neither yes nor no.
    """
    found = truth_of(values)
    wrong = np.flatnonzero(np.isnan(found) & values.notna().to_numpy())
    if len(wrong):
        row = int(wrong[0])
        raise DataError(
            f"{path}: target {values.name!r}, row {row_number(values, row)} is "
            f"{values.iloc[row]!r}; with `task: multilabel` each target is 0 or 1, yes or no, or "
            f"true or false; for a text of several labels set `label_separator`"
        )
    return found


def _numbers(values: pd.Series, numbers: NumberFormat, path: Path) -> np.ndarray:
    found = numbers.numbers(values)
    invalid = np.flatnonzero(~np.isfinite(found))
    if len(invalid):
        row = int(invalid[0])
        text = str(values.iloc[row])
        raise DataError(
            f"{path}: target {values.name!r}, row {row_number(values, row)} is "
            f"{values.iloc[row]!r}, not a finite number; regression needs numbers"
            f"{number_formats.hint(text, numbers)}",
            *number_formats.suggestions([[text]], numbers),
        )
    return found


def _classes(
    values: pd.Series, settings: Mapping[str, Any], numbers: NumberFormat, path: Path
) -> np.ndarray:
    found = numbers.numbers(values)
    fractions = np.flatnonzero(np.isfinite(found) & (found % 1 != 0))
    if len(fractions):
        raise DataError(
            f"{path}: target {values.name!r} holds floats ({found[fractions[0]]} in row "
            f"{row_number(values, fractions[0])}); classes must be integers or text (for a numeric "
            f"target set `task: regression`)",
            Suggestion("task", REGRESSION, "the target holds fractions"),
        )
    labels = np.array(list(text_of(values)), dtype=str)
    return np.char.rstrip(labels, settings["strip_labels"]) if settings["strip_labels"] else labels
