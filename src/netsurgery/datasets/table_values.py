"""The values of some rows of a table: targets, and numbers that have to be numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets import number_formats
from netsurgery.datasets.columns import NUMBER, Column, row_number, text_of
from netsurgery.datasets.number_formats import NumberFormat
from netsurgery.datasets.source import DataError, Suggestion

if TYPE_CHECKING:
    import pandas as pd


def with_target(
    frames: Iterable[pd.DataFrame], target: str, settings: Mapping[str, Any]
) -> Iterator[pd.DataFrame]:
    """The rows of a table, without those that have no target if the settings say so."""
    for frame in frames:
        yield frame[frame[target].notna()] if settings.get("drop_missing_target") else frame


def targets(
    values: pd.Series, settings: Mapping[str, Any], numbers: NumberFormat, path: Path
) -> np.ndarray:
    """Labels of some rows: text for classes, float64 for regression.

    Args:
        values: the target column of these rows.
        settings: of the dataset.
        numbers: how the file writes numbers.
        path: of the file, for messages.
    """
    where = f"{path}: target {values.name!r}"
    missing = np.flatnonzero(values.isna())
    if len(missing):
        raise DataError(
            f"{where} is missing in row {row_number(values, missing[0])} (an empty cell, or a text "
            f"such as NA or None); fill it in, or leave such rows out with "
            f"`drop_missing_target: true`",
            Suggestion("drop_missing_target", True, "some rows have none"),
        )
    as_numbers = numbers.numbers(values)
    if settings["task"] == "regression":
        invalid = np.flatnonzero(~np.isfinite(as_numbers))
        if len(invalid):
            row = int(invalid[0])
            text = str(values.iloc[row])
            raise DataError(
                f"{where}, row {row_number(values, row)} is {values.iloc[row]!r}, not a finite "
                f"number; regression needs numbers{number_formats.hint(text, numbers)}",
                *number_formats.suggestions([[text]], numbers),
            )
        return as_numbers
    fractions = np.flatnonzero(np.isfinite(as_numbers) & (as_numbers % 1 != 0))
    if len(fractions):
        raise DataError(
            f"{where} holds floats ({as_numbers[fractions[0]]} in row "
            f"{row_number(values, fractions[0])}); classes must be integers or text (for a numeric "
            f"target set `task: regression`)",
            Suggestion("task", "regression", "the target holds fractions"),
        )
    labels = np.array(list(text_of(values)), dtype=str)
    return np.char.rstrip(labels, settings["strip_labels"]) if settings["strip_labels"] else labels


def check_numbers(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    numbers: NumberFormat,
    path: Path,
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
                    f"{path}: column {column.name!r}, row "
                    f"{row_number(frame[column.name], invalid[0])} is "
                    f"{frame[column.name].iloc[invalid[0]]!r}, not a finite number"
                )
