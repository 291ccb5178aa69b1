"""Read tables from Excel workbooks (xlsx)."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netsurgery.datasets import file_kinds
from netsurgery.datasets.csv_structure import UNNAMED
from netsurgery.datasets.number_formats import PLAIN
from netsurgery.datasets.source import DataError, Suggestion
from netsurgery.datasets.workbook import Cell, Workbook, WorkbookError, is_empty
from netsurgery.objectives.suggestions import suggest

if TYPE_CHECKING:
    import pandas as pd


def _is_present(value: Cell) -> bool:
    return value is not None and value != ""


class ExcelFile:
    """A sheet of a workbook that is a table. Its values are float64 or text.

    Args:
        path: of the file.
        settings: of the dataset.

    Raises:
        DataError: it cannot be read, or the first row is no header.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = path
        self.numbers = PLAIN
        self.categories: frozenset[str] = frozenset()
        self.row_names: tuple[str, ...] = ()
        self.missing = frozenset(map(str, settings["na_values"])) | {""}
        self.header: bool = settings["header"]
        self.skipped: int = settings["skip_rows"]
        if (kind := file_kinds.other_kind(path)) is None or "xlsx" not in kind[0]:
            found, advice = kind or ("text", "set `source: csv`")
            raise DataError(f"{path}: is no Excel workbook (xlsx), but {found}; {advice}")
        self.book = Workbook(path)
        try:
            self.sheet = self._choose(settings.get("sheet", 0))
            rows = [
                row for row in list(self.book.rows(self.sheet))[self.skipped :] if not is_empty(row)
            ]
        except WorkbookError as error:
            raise DataError(f"{path}: {error}") from None
        if len(rows) < 1 + self.header:
            raise DataError(f"{path}: sheet {self.sheet!r} is empty")
        self.columns = self._names(rows, settings)
        self.rows = rows[1:] if self.header else rows

    def _choose(self, key: str | int) -> str:
        """The name of the sheet that a setting gives by name or number."""
        sheets = list(self.book.sheets)
        if key in sheets:
            return str(key)
        if isinstance(key, int) and 0 <= key < len(sheets):
            return sheets[key]
        hint = suggest(key, sheets) if isinstance(key, str) else f"; it has {len(sheets)}"
        raise DataError(f"{self.path}: has no sheet {key!r} (see `sheet`){hint}")

    def _names(self, rows: Sequence[Sequence[Cell]], settings: Mapping[str, Any]) -> list[str]:
        """The names of the columns."""
        width = max(map(len, rows[1:] or rows))
        used = [i for i in range(width) if any(i < len(r) and _is_present(r[i]) for r in rows)]
        width = used[-1] + 1
        if given := settings.get("columns"):
            if len(given) != width:
                raise DataError(
                    f"{self.path}: has {width} columns, but `columns` lists {len(given)}"
                )
            return list(given)
        if not self.header:
            return [str(i) for i in range(width)]
        first = [*rows[0], *[None] * width][:width]
        self._check_header(rows, first)
        return [
            _as_text(value).strip() if _is_present(value) else UNNAMED.format(i)
            for i, value in enumerate(first)
        ]

    def _check_header(self, rows: Sequence[Sequence[Cell]], first: Sequence[Cell]) -> None:
        """Raise a `DataError` if the first row is a title, or holds values as the others do."""
        counts = [sum(map(_is_present, row)) for row in rows]
        usual = Counter(counts[1:]).most_common(1)[0][0]
        if counts[0] == 1 < usual:
            title = _as_text(next(filter(_is_present, first)))
            names = next(row for row, count in zip(rows, counts, strict=True) if count >= usual)
            above = self._rows_above(names)
            raise DataError(
                f"{self.path}: its first row, {title!r}, names no columns; "
                f"set `skip_rows: {above}`",
                Suggestion("skip_rows", above, "rows above the header"),
            )
        padded = ([*row, *[None] * len(first)][: len(first)] for row in rows)
        columns = zip(*padded, strict=True)
        numeric = [c[0] for c in columns if all(isinstance(value, float) for value in c)]
        years = sorted({year for year in numeric if isinstance(year, float) and year.is_integer()})
        if numeric and numeric != years:
            raise DataError(
                f"{self.path}: its first row holds values, not names of columns; set "
                f"`header: false`",
                Suggestion("header", False, "the first row holds values, not names"),
            )

    def _rows_above(self, row: Sequence[Cell]) -> int:
        """The number of rows of the sheet above one of them."""
        return next(i for i, other in enumerate(self.book.rows(self.sheet)) if other == row)

    @property
    def notes(self) -> list[str]:
        """What the user should know about how the file is read."""
        others = [name for name in self.book.sheets if name != self.sheet]
        if not others:
            return []
        listed = ", ".join(map(repr, others))
        return [f"{self.path}: sheet {self.sheet!r} is read; others are left out: {listed}"]

    @property
    def pandas_options(self) -> dict[str, Any]:
        """How `pandas.read_excel` has to be called to find the columns by their names."""
        options: dict[str, Any] = {}
        if self.sheet != next(iter(self.book.sheets)):
            options["sheet_name"] = self.sheet
        if self.skipped:
            options["skiprows"] = self.skipped
        if not self.header:
            options["header"] = None
        return options

    @cached_property
    def _values(self) -> dict[str, pd.Series]:
        """Each column as float64 or text, with missing values as the settings say."""
        import pandas as pd

        found = {}
        missing_numbers = {float(t) for t in self.missing if PLAIN.covers(t)}
        for i, name in enumerate(self.columns):
            cells = [row[i] if i < len(row) else None for row in self.rows]
            present = [cell for cell in cells if _is_present(cell)]
            if all(isinstance(cell, float) for cell in present):
                numbers = pd.Series([None if c == "" else c for c in cells], dtype="float64")
                found[name] = numbers.mask(numbers.isin(missing_numbers))
            else:
                texts = pd.Series([_as_text(cell) for cell in cells], dtype="str").str.strip()
                found[name] = texts.mask(texts.isin(self.missing))
        return found

    def frames(self, rows: int, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Read some columns in chunks of rows; NaN marks a missing value."""
        import pandas as pd

        for start in range(0, len(self.rows), rows):
            part = slice(start, start + rows)
            yield pd.DataFrame({name: self._values[name].iloc[part] for name in columns})


def _as_text(value: Cell) -> str:
    """A cell as text; integers without a decimal point, dates as ISO 8601 has them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    return value
