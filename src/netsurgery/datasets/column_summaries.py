"""What became of each column of a table's file, for `netsurgery check`, the report and the card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from netsurgery.datasets.columns import ColumnStatistics
from netsurgery.datasets.table_features import Feature

TARGET, LEFT_OUT = "target", "left out"
SHOWN = 3  # levels of a category
WIDTH = 60  # characters of their list


@dataclass(frozen=True)
class ColumnSummary:
    """What became of a column.

    Attributes:
        name: of the column.
        became: number, category, target or left out.
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


def _values(column: ColumnStatistics) -> str:
    if column.is_number:
        return span(column.low, column.high)
    return shown_levels(sorted(column.levels))


def summaries(
    names: Sequence[str],
    target: str,
    statistics: Sequence[ColumnStatistics],
    features: Sequence[Feature],
    left_out: Mapping[str, str],
) -> Iterator[ColumnSummary]:
    """What became of each column, in the order of the file.

    Args:
        names: of all columns.
        target: name of the column to predict.
        statistics: of the columns that are used.
        features: of the rows.
        left_out: why the other columns are left out.
    """
    known = {column.name: column for column in statistics}
    for name in names:
        if name == target:
            yield ColumnSummary(name, TARGET, "")
        elif name in known:
            column = known[name]
            kind = column.to_column().kind
            count = sum(feature.column == name for feature in features)
            yield ColumnSummary(name, kind, _values(column), column.missing, count)
        else:
            yield ColumnSummary(name, LEFT_OUT, left_out[name])
