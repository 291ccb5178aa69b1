"""What a table's columns hold by the look of it: amounts as text, identifiers, dates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from netsurgery.datasets import number_formats
from netsurgery.datasets.columns import MAX_LEVELS, ColumnStatistics, drop_setting
from netsurgery.datasets.integer_series import ENOUGH
from netsurgery.datasets.number_formats import MANY, MOSTLY, NumberFormat
from netsurgery.datasets.source import DataError, Settings

LISTED = 5  # columns in a message
IDENTIFIER = re.compile(
    r"(?i:(.*[\W_])?(id|ids|uuid|guid|rowid)|(index|idx|row|no|nr)\.?)"
    r"|.*[a-z](Id|ID)|#|Unnamed: \d+"
)
DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d\d)( .*)?"
    r"|\d{1,2}:\d\d(:\d\d(\.\d*)?)?( ?[AaPp][Mm])?"
)


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
            f"{drop_setting(s.name for s in empty)}"
        )
    for s in statistics:
        if s.is_number and s.infinite:
            row, value = s.infinite
            raise DataError(f"{path}: column {s.name!r}, row {row} is {value}, not a finite number")
    mixed = [s for s in statistics if s.numbers and s.first_text and not s.categorical]
    if mixed:
        raise DataError(_mixed(mixed, numbers, path))
    many = [s for s in statistics if not s.is_number and len(s.levels) > MAX_LEVELS]
    if many:
        has = "has" if len(many) == 1 else "have"
        raise DataError(
            f"{path}: {_columns(many)} {has} more than {MAX_LEVELS} distinct "
            f"values, too many for a category; remove {_them(many)} with "
            f"{drop_setting(s.name for s in many)}"
        )


def _mixed(mixed: Sequence[ColumnStatistics], numbers: NumberFormat, path: Path) -> str:
    """The message on columns of numbers and text."""
    shown = []
    for s in mixed:
        assert s.first_text is not None
        row, value = s.first_text
        others = sorted({repr(text) for text in s.texts(numbers)} - {repr(value)})
        more = f" and {_listed(others)}" if others else ""
        shown.append(
            f"{s.name!r} mixes {s.numbers} numbers with text ({value!r} in row {row}{more})"
        )
    header = all(
        s.first_text and s.first_text[0] == 1 and len(s.texts(numbers)) == 1 for s in mixed
    )
    advice = (
        "row 1 seems to be a header: set `header: true`, or remove it from the file"
        if header and (len(mixed) > 1 or mixed[0].numbers == mixed[0].rows - 1)
        else f"add {'the column' if len(mixed) == 1 else 'columns'} to `categorical` or the text "
        "to `na_values`"
    )
    return f"{path}: {_columns(mixed, shown)}; {advice}"


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
        raise DataError(
            f"{path}: {_named(found, 'holds', 'hold')} numbers with {kinds}; set {settings}, or "
            f"list {_them(found)} in `categorical` if they are codes"
        )
    amounts = [s for s in texts if len(s.levels) > MANY and number_formats.unit_of(s.levels)]
    if amounts:
        units = ", ".join(sorted({str(number_formats.unit_of(s.levels)) for s in amounts}))
        raise DataError(
            f"{path}: {_named(amounts, 'holds', 'hold')} amounts with {units!r}, which is text: "
            f"each value would become a feature; remove it from the values, leave "
            f"{_them(amounts)} out with {drop_setting(s.name for s in amounts)}, or list "
            f"{_them(amounts)} in `categorical`"
        )


def notes(statistics: Sequence[ColumnStatistics], settings: Settings, path: Path) -> Iterator[str]:
    """What the user should look at in a table's columns, one line each."""
    found = {s.name: reason for s in statistics if (reason := _identifies(s))}
    if found:
        reasons = ", ".join(f"{name!r} {reason}" for name, reason in found.items())
        yield (
            f"{path}: {reasons}; networks learn such columns by heart: set {drop_setting(found)} "
            f"unless they say something about new samples"
        )
    codes = {s.name: s.padded for s in statistics if s.padded and s.is_number}
    if codes:
        listed = ", ".join(f"{name!r} ({value!r})" for name, value in codes.items())
        yield (
            f"{path}: numbers with leading zeros may be codes: {listed}; list those that are no "
            f"amounts in `categorical`"
        )
    for s in statistics:
        if s.is_number or s.categorical or s.name in found:
            continue
        unit = number_formats.unit_of(s.levels)
        if unit:
            yield (
                f"{path}: column {s.name!r} holds amounts with {unit!r}, taken as "
                f"{len(s.levels)} categories; remove it from the values to have numbers"
            )
        dates = sum(DATE.fullmatch(text) is not None for text in s.levels)
        if len(s.levels) > MANY and dates >= MOSTLY * len(s.levels):
            yield (
                f"{path}: column {s.name!r} holds dates or times, taken as {len(s.levels)} "
                f"categories; write them as numbers, such as days since the first, or add "
                f"{drop_setting([s.name])}"
            )


def _identifies(column: ColumnStatistics) -> str | None:
    """Why a column seems to identify samples instead of describing them; None if it does not."""
    integers, present = column.integers, column.rows - column.missing
    if column.is_number:
        if integers.counts_rows or integers.numbers_rows:
            return "counts the rows"
        if integers.counts_groups:
            return "counts groups of rows"
        if (
            integers.only_integers
            and integers.steps >= ENOUGH
            and IDENTIFIER.fullmatch(column.name)
        ):
            return "is an identifier by its name"
        return None
    if present >= ENOUGH and len(column.levels) == present:
        return "has a different text in each row"
    if not column.categorical and len(column.levels) > max(MANY, present / 2):
        return f"has {len(column.levels)} different texts in {present} rows"
    return None


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
    listed = _listed(repr(s.name) for s in columns) if shown is None else _listed(shown)
    return f"column{'' if len(columns) == 1 else 's'} {listed}"


def _listed(shown: Iterable[str]) -> str:
    """Some columns or values, the first of them in full."""
    shown = list(shown)
    more = [f"{len(shown) - LISTED} more"] if len(shown) > LISTED else []
    return ", ".join([*shown[:LISTED], *more])


def _them(columns: Sequence[ColumnStatistics]) -> str:
    return "it" if len(columns) == 1 else "them"
