"""Tables of numbers or labels: their delimiter and header are guessed where not set."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets import csv_structure, encodings, table_reader
from netsurgery.datasets.number_formats import NumberFormat
from netsurgery.datasets.source import DataError
from netsurgery.datasets.times import times_of

if TYPE_CHECKING:
    import pandas as pd

LOOKED_AT = 20  # rows
MISSING = {"", "nan", "na", "n/a", "null", "none", "?"}


def open_table(path: Path, settings: Mapping[str, Any]) -> table_reader.TableFile:
    """Open a text or parquet file that is a table of numbers.

    Raises:
        DataError: it cannot be read.
    """
    if path.suffix.lower() == ".parquet":
        needed = {"target": "", "categorical": [], "drop": []}
        return table_reader.open_file(path, {**needed, **settings, "source": "parquet"})
    lines = _first_lines(path, settings)
    given = settings.get("delimiter")
    delimiter = csv_structure.normal_delimiter(given) if given else _delimiter(lines)
    numbers = NumberFormat(settings["decimal"], settings["thousands"])
    rows = list(itertools.islice(csv_structure.split_rows(lines, delimiter), LOOKED_AT))
    header = settings.get("header", _has_header(rows, numbers))
    complete = {**settings, "source": "csv", "delimiter": delimiter, "header": header}
    return table_reader.open_file(path, complete)


def _first_lines(path: Path, settings: Mapping[str, Any]) -> list[str]:
    encoding = settings.get("encoding") or encodings.by_mark(path)
    encoding = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
    try:
        with csv_structure.open_text(path, encoding) as file:
            return list(itertools.islice(file, LOOKED_AT))
    except (OSError, EOFError, ValueError):  # reading the table says what is wrong
        return []


def _delimiter(lines: list[str]) -> str:
    """The delimiter that splits all lines into the same number of values, the most of them."""
    best, most = ",", 1
    for delimiter in csv_structure.DELIMITERS:
        widths = {len(row) for row in csv_structure.split_rows(lines, delimiter)}
        if len(widths) == 1 and (width := widths.pop()) > most:
            best, most = delimiter, width
    return best


def _has_header(rows: list[list[str]], numbers: NumberFormat) -> bool:
    """Whether the first row has a text where the second one has a number."""
    if len(rows) < 2:
        return False
    return any(
        not numbers.covers(first) and first.lower() not in MISSING and numbers.covers(second)
        for first, second in zip(*rows[:2], strict=False)
    )


def chosen_columns(
    file: table_reader.TableFile, settings: Mapping[str, Any], key: str
) -> list[str]:
    """The columns that a setting lists, by their names."""
    return [
        table_reader.find_column(name, file.columns, file.path, key)
        for name in settings.get(key, ())
    ]


def numbers_of(
    frame: pd.DataFrame,
    names: list[str],
    file: table_reader.TableFile,
    start: int,
    advice: str | None = None,
) -> np.ndarray:
    """Some columns of some rows as numbers, float64 (rows, columns); NaN where they are missing.

    Args:
        frame: the rows.
        names: of the columns.
        file: that they come from.
        start: number of rows before these, for the message.
        advice: what to do about a column of text, for the message; None: it depends on the text.

    Raises:
        DataError: a value is text, or infinite.
    """
    found = np.empty((len(frame), len(names)))
    for i, name in enumerate(names):
        found[:, i] = file.numbers.numbers(frame[name])
        wrong = np.flatnonzero(
            (np.isnan(found[:, i]) & frame[name].notna().to_numpy()) | np.isinf(found[:, i])
        )
        if len(wrong):
            raise DataError(
                f"{file.path}: column {name!r}, row {start + wrong[0] + 1} is "
                f"{frame[name].iloc[wrong[0]]!r}; the values of a series must be finite numbers "
                f"({advice or _advice(name, frame[name].iloc[wrong[0]])})"
            )
    return found


def _advice(name: str, value: str) -> str:
    """What to do about a column that is no channel."""
    import pandas as pd

    try:
        times_of(pd.Series([value]), name)
    except DataError:
        return "leave other columns out with `drop`"
    return f"if these are times, set `time: {name}`"
