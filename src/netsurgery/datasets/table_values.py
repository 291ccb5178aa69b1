"""The rows of a table that are used, and numbers that have to be numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets.columns import NUMBER, Column, row_number
from netsurgery.datasets.number_formats import NumberFormat
from netsurgery.datasets.source import DataError

if TYPE_CHECKING:
    import pandas as pd


def with_target(
    frames: Iterable[pd.DataFrame], targets: Sequence[str], settings: Mapping[str, Any]
) -> Iterator[pd.DataFrame]:
    """The rows of a table, without those that lack a target if the settings say so."""
    for frame in frames:
        whole = frame[list(targets)].notna().all(axis=1)
        yield frame[whole] if settings.get("drop_missing_target") else frame


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
