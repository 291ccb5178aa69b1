"""The columns of a table: numeric or categorical, inferred from all their values."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets.integer_series import IntegerSeries
from netsurgery.datasets.missing_codes import MissingCodes
from netsurgery.datasets.number_formats import NumberFormat

if TYPE_CHECKING:
    import pandas as pd

NUMBER, CATEGORY = "number", "category"
MAX_LEVELS = 100_000


@dataclass(frozen=True)
class Column:
    """A column that is an input of the network."""

    name: str
    kind: str  # number or category
    levels: tuple[str, ...] = ()  # of a category, in alphabetical order
    missing: bool = False  # whether the training part has missing values
    is_date: bool = False  # whether its numbers are days, of a column of dates
    periods: tuple[float, ...] = ()  # of days, that recur in dates

    def to_json(self) -> dict[str, Any]:
        """The column as JSON values."""
        return asdict(self) | {"levels": list(self.levels), "periods": list(self.periods)}


def row_number(values: pd.Series, position: int) -> int:
    """The number of a row in its file, from 1, for messages; the index counts from 0."""
    return int(values.index[position]) + 1


@dataclass
class ColumnStatistics:
    """What the rows read so far say about a column."""

    name: str
    categorical: bool  # a category even if its values look like numbers
    rows: int = 0
    missing: int = 0
    numbers: int = 0
    first_text: tuple[int, str] | None = None  # row, value
    infinite: tuple[int, str] | None = None
    padded: str | None = None  # the first integer with leading zeros
    fraction: tuple[int, str] | None = None  # the first number with a decimal sign
    as_text: bool = False  # whether numbers came as text
    low: float = np.inf  # of the finite numbers
    high: float = -np.inf
    levels: set[str] = field(default_factory=set)
    integers: IntegerSeries = field(default_factory=IntegerSeries)
    codes: MissingCodes = field(default_factory=MissingCodes)

    def update(self, values: pd.Series, numbers: NumberFormat) -> None:
        """Take some more values into account."""
        present = values.notna().to_numpy()
        as_numbers = numbers.numbers(values)
        numeric = present & ~np.isnan(as_numbers)
        for mask, name in (
            (present & ~numeric, "first_text"),
            (numeric & np.isinf(as_numbers), "infinite"),
        ):
            if getattr(self, name) is None and mask.any():
                row = int(np.flatnonzero(mask)[0])
                setattr(self, name, (row_number(values, row), str(values.iloc[row])))
        finite = as_numbers[np.isfinite(as_numbers)]
        if len(finite):
            self.low = min(self.low, float(finite.min()))
            self.high = max(self.high, float(finite.max()))
        if values.dtype.kind not in "fiub" and numeric.any():
            self.as_text = True
            self._look_at_texts(values[numeric])
        self.rows += len(values)
        self.missing += int((~present).sum())
        self.numbers += int(numeric.sum())
        self.integers.update(as_numbers)
        self.codes.update(as_numbers)
        if len(self.levels) <= MAX_LEVELS and (self.categorical or self.first_text):
            self.levels.update(text_of(values[present]))

    def _look_at_texts(self, values: pd.Series) -> None:
        """Look at how numbers are written."""
        if self.padded is None:
            padded = values.str.fullmatch(r"0\d+").to_numpy(dtype=bool)
            self.padded = str(values[padded].iloc[0]) if padded.any() else None
        if self.fraction is None:
            found = values.str.contains(r"[.,]", regex=True).to_numpy(dtype=bool)
            if found.any():
                row = int(np.flatnonzero(found)[0])
                self.fraction = (row_number(values, row), str(values.iloc[row]))

    @property
    def is_empty(self) -> bool:
        """Whether all values are missing."""
        return self.missing == self.rows

    @property
    def is_number(self) -> bool:
        """Whether the column holds numbers alone, and is not said to be a category."""
        return not self.categorical and self.first_text is None

    @property
    def is_constant(self) -> bool:
        """Whether all rows have the same value, and none lacks it."""
        alike = self.low == self.high if self.is_number else len(self.levels) == 1
        return alike and not self.missing and self.rows > 1

    @property
    def identifies_rows(self) -> bool:
        """Whether almost every row has a text of its own."""
        return len(self.levels) > max(20, (self.rows - self.missing) / 2)

    def texts(self, numbers: NumberFormat) -> list[str]:
        """The different values that are no numbers."""
        return [text for text in self.levels if not numbers.covers(text)]

    def to_column(self) -> Column:
        """The column that these values make."""
        kind, levels = (NUMBER, ()) if self.is_number else (CATEGORY, tuple(sorted(self.levels)))
        return Column(self.name, kind, levels, self.missing > 0)


def drop_setting(names: Iterable[str]) -> str:
    """The setting that leaves columns out, as YAML."""
    plain = re.compile(r"[^\W\d][\w ./-]*")
    listed = (
        name
        if plain.fullmatch(name) and not name.endswith(" ")
        else json.dumps(name, ensure_ascii=False)
        for name in names
    )
    return f"`drop: [{', '.join(listed)}]`"


def text_of(values: pd.Series) -> Iterable[str]:
    """Values as text; integers without a decimal point, as in a csv file."""
    if values.dtype.kind == "f":
        return (str(int(v)) if float(v).is_integer() else str(v) for v in values)
    return (str(v) for v in values)


def codes_of(values: pd.Series, levels: tuple[str, ...]) -> np.ndarray:
    """The index of each value's level; -1 for a missing or unknown value."""
    index = {level: i for i, level in enumerate(levels)}
    codes = np.full(len(values), -1)
    present = values.notna().to_numpy()
    codes[present] = [index.get(text, -1) for text in text_of(values[present])]
    return codes


def read_statistics(
    frames: Iterable[pd.DataFrame],
    names: Sequence[str],
    categorical: Collection[str],
    numbers: NumberFormat,
) -> list[ColumnStatistics]:
    """Read all rows of a table for what they say about its columns.

    Args:
        frames: the table, in chunks of rows.
        names: of the columns to use.
        categorical: names of columns that are categories even if they look like numbers.
        numbers: how the file writes numbers.
    """
    statistics = [ColumnStatistics(name, name in categorical) for name in names]
    for frame in frames:
        for column in statistics:
            column.update(frame[column.name], numbers)
    return statistics
