"""Tables as files: text, Excel and parquet are read alike, in chunks of rows."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from netsurgery.datasets.csv_reader import CsvFile
from netsurgery.datasets.csv_structure import UNNAMED
from netsurgery.datasets.excel_reader import ExcelFile
from netsurgery.datasets.number_formats import NumberFormat
from netsurgery.datasets.parquet_reader import ParquetFile
from netsurgery.datasets.source import DataError

if TYPE_CHECKING:
    import pandas as pd

ROWS = 50_000  # of a chunk
SHOWN = 30  # names in a message


class TableFile(Protocol):
    """A file that is a table."""

    path: Path
    columns: list[str]  # their names
    row_names: tuple[str, ...]  # what `frames` gives besides them: names of the rows
    categories: frozenset[str]  # columns that the file says are categories
    numbers: NumberFormat

    @property
    def notes(self) -> list[str]:
        """What the user should know about how the file is read."""

    @property
    def pandas_options(self) -> dict[str, Any]:
        """How the user has to call pandas to find the columns by their names."""

    def frames(self, rows: int, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Read some columns in chunks of rows; NaN marks a missing value.

        The index counts the rows of the file from 0.
        """


FILES: dict[str, Callable[[Path, Mapping[str, Any]], TableFile]] = {
    "csv": CsvFile,
    "excel": ExcelFile,
    "parquet": ParquetFile,
}


def open_file(path: Path, settings: Mapping[str, Any]) -> TableFile:
    """Open the file of a table.

    Raises:
        DataError: it cannot be read, or two columns have the same name.
    """
    file = FILES[settings["source"]](path, settings)
    for name in file.columns:
        count = file.columns.count(name)
        if count > 1:
            raise DataError(f"{path}: {count} columns are named {name!r}; give each its own name")
    return file


def unnamed(names: Sequence[str]) -> list[str]:
    """The columns whose names the header leaves empty."""
    return [name for i, name in enumerate(names) if name == UNNAMED.format(i)]


def find_column(key: str | int, names: Sequence[str], path: Path, purpose: str) -> str:
    """The name of a column that the settings give by name or by number, counted from 0.

    Args:
        key: name or number of the column; an empty name is that of the only column without one.
        names: of all columns.
        path: of the file, for the message.
        purpose: the setting that names the column, for the message.

    Raises:
        DataError: there is no such column.
    """
    if str(key) in names:
        return str(key)
    if isinstance(key, int) and 0 <= key < len(names):
        return names[key]
    if key == "" and len(unnamed(names)) == 1:
        return unnamed(names)[0]
    close = difflib.get_close_matches(str(key), names, n=1)
    listed = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
    hint = f"did you mean {close[0]!r}?" if close else f"the columns are {listed}"
    raise DataError(f"{path}: has no column {key!r} (see `{purpose}`); {hint}")
