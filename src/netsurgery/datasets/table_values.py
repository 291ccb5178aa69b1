"""The values of some rows of a table: targets, and numbers that have to be numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets import number_formats
from netsurgery.datasets.columns import NUMBER, Column, text_of
from netsurgery.datasets.number_formats import NumberFormat
from netsurgery.datasets.source import DataError

if TYPE_CHECKING:
    import pandas as pd


def targets(
    values: pd.Series, settings: Mapping[str, Any], numbers: NumberFormat, path: Path, start: int
) -> np.ndarray:
    """Labels of some rows: text for classes, float64 for regression.

    Args:
        values: the target column of these rows.
        settings: of the dataset.
        numbers: how the file writes numbers.
        path: of the file, for messages.
        start: number of rows before these, for messages.
    """
    where = f"{path}: target {values.name!r}"
    missing = np.flatnonzero(values.isna())
    if len(missing):
        raise DataError(
            f"{where} is missing in row {start + missing[0] + 1} (an empty cell, or a text such as "
            f"NA or None); fill it in or remove the row"
        )
    as_numbers = numbers.numbers(values)
    if settings["task"] == "regression":
        invalid = np.flatnonzero(~np.isfinite(as_numbers))
        if len(invalid):
            row = int(invalid[0])
            raise DataError(
                f"{where}, row {start + row + 1} is {values.iloc[row]!r}, not a finite number; "
                f"regression needs numbers{number_formats.hint(str(values.iloc[row]), numbers)}"
            )
        return as_numbers
    fractions = np.flatnonzero(np.isfinite(as_numbers) & (as_numbers % 1 != 0))
    if len(fractions):
        raise DataError(
            f"{where} holds floats ({as_numbers[fractions[0]]} in row {start + fractions[0] + 1}); "
            f"classes must be integers or text (for a numeric target set `task: regression`)"
        )
    labels = np.array(list(text_of(values)), dtype=str)
    return np.char.rstrip(labels, settings["strip_labels"]) if settings["strip_labels"] else labels


def check_numbers(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    numbers: NumberFormat,
    path: Path,
    start: int,
) -> None:
    """Raise a `DataError` at text in a column that is numeric in the training part."""
    for column in columns:
        if column.kind == NUMBER:
            values = numbers.numbers(frame[column.name])
            invalid = np.flatnonzero(
                (np.isnan(values) & frame[column.name].notna()) | np.isinf(values)
            )
            if len(invalid):
                raise DataError(
                    f"{path}: column {column.name!r}, row {start + invalid[0] + 1} is "
                    f"{frame[column.name].iloc[invalid[0]]!r}, not a finite number"
                )
