"""What a table's columns hold by the look of it: amounts as text, identifiers, dates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from netsurgery.datasets import number_formats
from netsurgery.datasets.columns import ColumnStatistics, drop_setting
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


def check_number_formats(
    statistics: Sequence[ColumnStatistics], numbers: NumberFormat, path: Path
) -> None:
    """Raise a `DataError` if columns of text hold amounts, which would become one feature each.

    A column that the settings list in `categorical` is a category whatever it looks like.

    Args:
        statistics: of the columns.
        numbers: how the settings say that the file writes numbers.
        path: of the file, for the message.
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
    for column in columns[:LISTED]:
        assert column.first_text is not None
        row, value = column.first_text
        shown.append(f"{column.name!r} ({value!r} in row {row})")
    more = [f"{len(columns) - LISTED} more"] if len(columns) > LISTED else []
    listed = ", ".join([*shown, *more])
    return f"column {listed} {one}" if len(columns) == 1 else f"columns {listed} {several}"


def _them(columns: Sequence[ColumnStatistics]) -> str:
    return "it" if len(columns) == 1 else "them"
