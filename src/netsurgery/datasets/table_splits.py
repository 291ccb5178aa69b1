"""The columns of a table by which it is split: a group such as a person, or a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from netsurgery.datasets import table_reader
from netsurgery.datasets.columns import text_of
from netsurgery.datasets.source import DataError, Settings, SplitKeys
from netsurgery.datasets.target_columns import target_columns
from netsurgery.datasets.times import times_of

if TYPE_CHECKING:
    import pandas as pd

GROUP, TIME = "group", "time"


def split_column(settings: Settings, names: Sequence[str], path: Path) -> tuple[str, str] | None:
    """The setting that names a column to split by, and the column; None for a random split.

    Args:
        settings: of the dataset.
        names: of all columns.
        path: of the file, for messages.

    Raises:
        DataError: there is no such column, or it is the target.
    """
    key = next((key for key in (GROUP, TIME) if key in settings), None)
    if key is None:
        return None
    column = table_reader.find_column(settings[key], names, path, key)
    if column in target_columns(settings, names, path):
        raise DataError(f"{path}: {column!r} is a target and `{key}`; a split needs another one")
    return key, column


def keys_of(
    by: tuple[str, str] | None,
    values_of: Callable[[str, str], pd.Series],
    paths: Mapping[str, Path],
) -> Callable[[str], SplitKeys] | None:
    """What the splits of a table respect, by part.

    Args:
        by: see `split_column`.
        values_of: gives the values of a part's column, in all rows that are used.
        paths: of the file of each part, for messages.
    """
    if by is None:
        return None
    key, column = by

    def keys(part: str) -> SplitKeys:
        """What is read from the file of a part.

        Raises:
            DataError: a value is missing, or no date or number.
        """
        values, where = values_of(part, column), f"{paths[part]}: column {column!r} (`{key}`)"
        if key == TIME:
            times = times_of(values, where)
            return SplitKeys(column, spans=np.stack([times, times], axis=1))
        absent = np.flatnonzero(values.isna())
        if len(absent):
            raise DataError(f"{where} has no value in row {absent[0] + 1}")
        return SplitKeys(column, groups=np.array(list(text_of(values)), dtype=str))

    return keys
