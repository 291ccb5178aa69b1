"""What became of each column of a table's file, for `netsurgery check`, the report and the card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from netsurgery.datasets.columns import Column, ColumnStatistics
from netsurgery.datasets.table_features import Feature

TARGET, LEFT_OUT, DATE = "target", "left out", "date"
SHOWN = 3  # levels of a category
WIDTH = 60  # characters of their list


@dataclass(frozen=True)
class ColumnSummary:
    """What became of a column.

    Attributes:
        name: of the column.
        became: number, category, date, target or left out.
        values: what its values are, or why it is left out.
        missing: values of the training part.
        features: inputs of the network that it gives.
    """

    name: str
    became: str
    values: str
    missing: int = 0
    features: int = 0

    def to_json(self) -> dict[str, Any]:
        """The summary as JSON values."""
        return asdict(self)


def plain(number: float) -> str:
    """A number as people write it."""
    if float(number).is_integer() and abs(number) < 1e15:
        return str(int(number))
    return f"{number:.4g}"


def span(low: float, high: float) -> str:
    """The range of some numbers."""
    return plain(low) if low == high else f"{plain(low)} to {plain(high)}"


def shown_levels(levels: Sequence[str], count: int | None = None) -> str:
    """The number of levels, and the first of them."""
    count = len(levels) if count is None else count
    first = ", ".join(levels[:SHOWN]) + (", ..." if count > SHOWN else "")
    first = first if len(first) <= WIDTH else f"{first[: WIDTH - 3]}..."
    return f"{count} level{'s' * (count != 1)}: {first}"


def _values(found: ColumnStatistics, column: Column) -> str:
    if column.is_date:
        first, last = (_date(days) for days in (found.low, found.high))
        return f"{first} to {last}"
    if found.is_number:
        return span(found.low, found.high)
    return shown_levels(sorted(found.levels))


def _date(days: float) -> str:
    """Days since 1970 as a date."""
    return str(np.datetime64("1970-01-01") + np.timedelta64(int(days // 1), "D"))


def summaries(
    names: Sequence[str],
    targets: Sequence[str],
    statistics: Sequence[ColumnStatistics],
    columns: Sequence[Column],
    features: Sequence[Feature],
    left_out: Mapping[str, str],
) -> Iterator[ColumnSummary]:
    """What became of each column, in the order of the file.

    Args:
        names: of all columns.
        targets: names of the columns to predict.
        statistics: of the columns that are used.
        columns: what these become.
        features: of the rows.
        left_out: why the other columns are left out.
    """
    known = {s.name: (s, column) for s, column in zip(statistics, columns, strict=True)}
    for name in names:
        if name in targets:
            yield ColumnSummary(name, TARGET, "")
        elif name in known:
            found, column = known[name]
            kind = DATE if column.is_date else column.kind
            count = sum(feature.column == name for feature in features)
            yield ColumnSummary(name, kind, _values(found, column), found.missing, count)
        else:
            yield ColumnSummary(name, LEFT_OUT, left_out[name])
