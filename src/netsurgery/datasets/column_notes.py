"""What a user should look at in the columns of a table: identifiers, dates, codes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from netsurgery.datasets import number_formats
from netsurgery.datasets.column_checks import listed
from netsurgery.datasets.columns import ColumnStatistics, drop_setting
from netsurgery.datasets.dates import ISO, likely_format
from netsurgery.datasets.integer_series import ENOUGH
from netsurgery.datasets.labels import same_but_for_case
from netsurgery.datasets.number_formats import MANY, MOSTLY
from netsurgery.datasets.source import Suggestion

MANY_LEVELS = 100  # of a category, to be worth a word
IDENTIFIER = re.compile(
    r"(?i:(.*[\W_])?(id|ids|uuid|guid|rowid)|(index|idx|row|no|nr)\.?)"
    r"|.*[a-z](Id|ID)|#|Unnamed: \d+"
)
MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2}([t ].*)?)?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d\d)( .*)?"
    r"|\d{1,2}:\d\d(:\d\d(\.\d*)?)?( ?[ap]m)?"
    rf"|(\d{{1,2}}[ -.]+)?{MONTH}[ -.]+(\d{{1,2}},? )?(\d{{4}}|\d\d)( .*)?"
    r"|\d+ days?( .*)?",
    re.IGNORECASE,
)


def suggestions(statistics: Sequence[ColumnStatistics]) -> Iterator[Suggestion]:
    """The settings that a table's columns call for."""
    for s in statistics:
        if _holds_dates(s):
            written = likely_format(s.levels)
            if written is None:
                yield Suggestion("drop", [s.name], "dates as text, in an uncertain format")
                continue
            yield Suggestion("dates", [s.name], "dates as text")
            if written != ISO:
                yield Suggestion("date_format", written, "the only one that reads them all")
        elif reason := _identifies(s):
            yield Suggestion("drop", [s.name], reason)
        elif s.is_constant:
            yield Suggestion("drop", [s.name], "has one value")
        elif s.is_number:
            for code in s.codes.likely:
                yield Suggestion("na_values", [code], f"seems to mean missing in {s.name!r}")


def notes(
    statistics: Sequence[ColumnStatistics], path: Path, *, typed: bool = False
) -> Iterator[str]:
    """What the user should look at in a table's columns, one line each.

    Args:
        statistics: of the columns.
        path: of the file.
        typed: whether the file says which columns are numbers.
    """
    dates = [s.name for s in statistics if _holds_dates(s)]
    identifying = {
        s.name: reason for s in statistics if s.name not in dates and (reason := _identifies(s))
    }
    if identifying:
        reasons = ", ".join(f"{name!r} {reason}" for name, reason in identifying.items())
        yield (
            f"{path}: {reasons}; networks learn such columns by heart: set "
            f"{drop_setting(identifying)} unless they say something about new samples"
        )
    if dates:
        yield (
            f"{path}: dates or times are taken as categories: {listed(map(repr, dates))}; list "
            f"them in `dates`, or set {drop_setting(dates)}"
        )
    constant = [s.name for s in statistics if s.is_constant]
    if constant:
        yield (
            f"{path}: {listed(map(repr, constant))} {'has' if len(constant) == 1 else 'have'} the "
            f"same value in all rows, which says nothing: set {drop_setting(constant)}"
        )
    texts = [s.name for s in statistics if typed and s.is_number and s.as_text]
    if texts:
        yield (
            f"{path}: numbers that the file holds as text are taken as numbers: "
            f"{listed(map(repr, texts))}; list those that are codes in `categorical`"
        )
    padded = {s.name: s.padded for s in statistics if s.padded and s.is_number}
    if padded:
        shown = listed(f"{name!r} ({value!r})" for name, value in padded.items())
        yield (
            f"{path}: numbers with leading zeros may be codes: {shown}; list those that are no "
            f"amounts in `categorical`"
        )
    codes = defaultdict(list)
    for s in statistics:
        for code in s.codes.likely if s.is_number else ():
            codes[code].append(f"{s.name!r} ({s.codes.counts[code]} rows)")
    for code, names in codes.items():
        yield (
            f"{path}: {code} may stand for a missing value in {listed(names)}; if so, set "
            f"`na_values: [{code}]`"
        )
    for s in statistics:
        if not (s.is_number or s.categorical or s.name in identifying or s.name in dates):
            yield from _category_notes(s, path)


def _category_notes(column: ColumnStatistics, path: Path) -> Iterator[str]:
    where, levels = f"{path}: column {column.name!r}", column.levels
    unit = number_formats.unit_of(levels)
    if unit:
        yield (
            f"{where} holds amounts with {unit!r}, taken as {len(levels)} categories; remove it "
            f"from the values to have numbers"
        )
    elif len(levels) > MANY_LEVELS:
        assert column.first_text is not None
        yield (
            f"{where} is text ({column.first_text[1]!r}) with {len(levels)} different values, "
            f"taken as levels of a category; set {drop_setting([column.name])} if that is not meant"
        )
    if same := same_but_for_case(levels):
        yield f"{where} has values that differ in capitals only: {listed(map(repr, same))}"


def _holds_dates(column: ColumnStatistics) -> bool:
    """Whether a column of text holds dates or times."""
    if column.is_number or column.categorical or len(column.levels) <= MANY:
        return False
    dates = sum(DATE.fullmatch(text) is not None for text in column.levels)
    return dates >= MOSTLY * len(column.levels)


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
    if not column.categorical and column.identifies_rows:
        return f"has {len(column.levels)} different texts in {present} rows"
    return None
