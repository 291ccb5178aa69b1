"""Columns of a table that are neither numbers nor categories, or only seem to be categories."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from netsurgery.datasets import number_formats
from netsurgery.datasets.columns import MAX_LEVELS, ColumnStatistics, drop_setting
from netsurgery.datasets.number_formats import MANY, NumberFormat
from netsurgery.datasets.source import DataError, Suggestion

LISTED = 5  # columns in a message
FEW = 3  # texts among numbers, which may mean missing values
MANY_LEVELS, ROWS_PER_LEVEL = 1000, 5  # more levels need so many rows each to be learnt


def check_values(statistics: Sequence[ColumnStatistics], numbers: NumberFormat, path: Path) -> None:
    """Raise a `DataError` if columns are neither numbers nor categories; it names all of them.

    Args:
        statistics: of the columns.
        numbers: how the settings say that the file writes numbers.
        path: of the file, for the message.
    """
    _check_number_formats(statistics, numbers, path)
    empty = [s for s in statistics if s.is_empty]
    if empty:
        has, them = ("has", "it") if len(empty) == 1 else ("have", "them")
        raise DataError(
            f"{path}: {_columns(empty)} {has} no values; remove {them} with "
            f"{drop_setting(s.name for s in empty)}",
            *_left_out(empty, "no values"),
        )
    for s in statistics:
        if s.is_number and s.infinite:
            row, value = s.infinite
            raise DataError(f"{path}: column {s.name!r}, row {row} is {value}, not a finite number")
    mixed = [s for s in statistics if s.numbers and s.first_text and not s.categorical]
    if mixed:
        raise _mixed(mixed, numbers, path)
    many = [s for s in statistics if not s.is_number and _has_too_many_levels(s)]
    if many:
        has = "has" if len(many) == 1 else "have"
        raise DataError(
            f"{path}: {_columns(many)} {has} more than {MANY_LEVELS} distinct "
            f"values, too many for a category with fewer than {ROWS_PER_LEVEL} rows each; remove "
            f"{_them(many)} with {drop_setting(s.name for s in many)}",
            *_left_out(many, f"more than {MANY_LEVELS} texts"),
        )


def _has_too_many_levels(column: ColumnStatistics) -> bool:
    count, present = len(column.levels), column.rows - column.missing
    few_rows = count > MANY_LEVELS and count * ROWS_PER_LEVEL > present
    return few_rows or count > MAX_LEVELS


def _left_out(columns: Iterable[ColumnStatistics], why: str) -> list[Suggestion]:
    return [Suggestion("drop", [column.name], why) for column in columns]


def _mixed(mixed: Sequence[ColumnStatistics], numbers: NumberFormat, path: Path) -> DataError:
    """The error for columns of numbers and text."""
    shown = []
    for s in mixed:
        assert s.first_text is not None
        row, value = s.first_text
        others = sorted({repr(text) for text in s.texts(numbers)} - {repr(value)})
        more = f" and {listed(others)}" if others else ""
        shown.append(
            f"{s.name!r} mixes {s.numbers} numbers with text ({value!r} in row {row}{more})"
        )
    header = all(
        s.first_text and s.first_text[0] == 1 and len(s.texts(numbers)) == 1 for s in mixed
    )
    advice = f"add {'the column' if len(mixed) == 1 else 'columns'} to `categorical` or the text "
    advice += "to `na_values`"
    suggestions = list(itertools.chain.from_iterable(_for_mixed(s, numbers) for s in mixed))
    if all(len(s.texts(numbers)) > MANY for s in mixed):
        advice = "if such texts say nothing about new samples, set "
        advice += drop_setting(s.name for s in mixed)
        suggestions = _left_out(mixed, "numbers among many texts")
    if header and (len(mixed) > 1 or mixed[0].numbers == mixed[0].rows - 1):
        advice = "row 1 seems to be a header: set `header: true`, or remove it from the file"
        suggestions = [Suggestion("header", True, "row 1 names the columns")]
    return DataError(f"{path}: {_columns(mixed, shown)}; {advice}", *suggestions)


def _for_mixed(column: ColumnStatistics, numbers: NumberFormat) -> Iterator[Suggestion]:
    """How to read a column of numbers and some texts: those mean missing values, or are codes."""
    texts = sorted(column.texts(numbers))
    if len(texts) <= FEW and column.numbers > column.rows / 2:
        yield Suggestion("na_values", texts, f"among the numbers of {column.name!r}")
    else:
        yield Suggestion("categorical", [column.name], f"{column.name!r} has numbers and texts")


def _check_number_formats(
    statistics: Sequence[ColumnStatistics], numbers: NumberFormat, path: Path
) -> None:
    """Raise a `DataError` if columns of text hold amounts, which would become one feature each.

    A column that the settings list in `categorical` is a category whatever it looks like.
    """
    texts = [s for s in statistics if s.levels and s.first_text and not s.categorical]
    found = [s for s in texts if number_formats.written_differently([s.levels], numbers)]
    if found:
        formats = number_formats.written_differently([s.levels for s in found], numbers)
        if not formats:  # not all columns are written alike: one after the other
            found = found[:1]
            formats = number_formats.written_differently([found[0].levels], numbers)
        kinds = " or ".join(one.description for one in formats)
        settings = " or ".join(one.settings for one in formats)
        others = [
            (s.name, s.fraction)
            for s in statistics
            if s.is_number and s.fraction and not any(f.covers(s.fraction[1]) for f in formats)
        ]
        if others:
            name, (row, value) = others[0]
            few = [s.name for s in found]
            advice = ""
            if len(found) > len(others):
                few, advice = [name for name, _ in others], f"set {settings} and "
            raise DataError(
                f"{path}: {_named(found, 'holds', 'hold')} numbers with {kinds}, but {name!r} "
                f"({value!r} in row {row}) is written with {numbers.description}; write all alike, "
                f"or {advice}list {listed(map(repr, few))} in `drop` or `categorical`",
                Suggestion("drop", few, "numbers in another format than the others'"),
            )
        raise DataError(
            f"{path}: {_named(found, 'holds', 'hold')} numbers with {kinds}; set {settings}, or "
            f"list {_them(found)} in `categorical` if they are codes",
            *number_formats.suggestions([s.levels for s in found], numbers),
        )
    amounts = [
        s for s in texts if (len(s.levels) > MANY or s.numbers) and number_formats.unit_of(s.levels)
    ]
    if amounts:
        units = ", ".join(sorted({str(number_formats.unit_of(s.levels)) for s in amounts}))
        raise DataError(
            f"{path}: {_named(amounts, 'holds', 'hold')} amounts with {units!r}, which is text: "
            f"each value would become a feature; remove it from the values, leave "
            f"{_them(amounts)} out with {drop_setting(s.name for s in amounts)}, or list "
            f"{_them(amounts)} in `categorical`",
            *_left_out(amounts, f"amounts with {units!r}: remove that from the values to use them"),
        )


def _named(columns: Sequence[ColumnStatistics], one: str, several: str) -> str:
    """Some columns with the first value of text, followed by a verb."""
    shown = []
    for column in columns:
        assert column.first_text is not None
        row, value = column.first_text
        shown.append(f"{column.name!r} ({value!r} in row {row})")
    return f"{_columns(columns, shown)} {one if len(columns) == 1 else several}"


def _columns(columns: Sequence[ColumnStatistics], shown: Iterable[str] | None = None) -> str:
    """Some columns by name, or as they are shown."""
    all_of_them = listed(repr(s.name) for s in columns) if shown is None else listed(shown)
    return f"column{'' if len(columns) == 1 else 's'} {all_of_them}"


def listed(shown: Iterable[str]) -> str:
    """Some columns or values, the first of them in full."""
    shown = list(shown)
    more = [f"{len(shown) - LISTED} more"] if len(shown) > LISTED else []
    return ", ".join([*shown[:LISTED], *more])


def _them(columns: Sequence[ColumnStatistics]) -> str:
    return "it" if len(columns) == 1 else "them"
