"""Which column of a table is the one to predict, and whether it holds classes or numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from netsurgery.datasets import multilabel, number_formats, table_reader
from netsurgery.datasets.columns import ColumnStatistics, read_statistics
from netsurgery.datasets.source import DataError, Suggestion
from netsurgery.datasets.target_columns import SEPARATOR, TRUTH
from netsurgery.objectives.tasks import CLASSIFICATION, MULTILABEL, REGRESSION

NAMED = re.compile(
    r"target|class(es)?|labels?|y|outcome|response|species|diagnosis|category|survived|klasse|ziel",
    re.IGNORECASE,
)
SEVERAL = re.compile(r"(target|label|y)[_ .-]?(\d+|(?<=[_ .-])\w+)", re.IGNORECASE)
INTEGER = re.compile(r"[+-]?\d+(\.0*)?")
MAX_CLASSES = 20  # of integers
ROWS_PER_CLASS = 5
# of labels in a text
SEPARATORS = ("|", ";", ",")
ROWS_PER_TEXT = 20  # where more than MAX_CLASSES texts are classes


def guess(
    path: Path, settings: Mapping[str, Any], targets: Sequence[str | int] = ()
) -> list[Suggestion]:
    """The target of a table, or several, and its task.

    Args:
        path: of the file.
        settings: of the dataset, which read it; their target does not matter.
        targets: the columns, if the user names any.

    Raises:
        DataError: there is no such column, or none that could be predicted.
    """
    file = table_reader.open_file(path, settings)
    names = file.columns
    statistics = read_statistics(
        file.frames(table_reader.ROWS, names), names, set(names), file.numbers
    )
    if targets:
        known = [t if not str(t).isdecimal() or str(t) in names else int(t) for t in targets]
        found = [table_reader.find_column(key, names, path, "--target") for key in known]
        why = "as you say"
    elif series := _numbered(statistics):
        found, why = series, "guessed by their names; change it if you predict another column"
    else:
        name, why = _likely(statistics, path, header=settings.get("header", True))
        found = [name]
    columns = [next(s for s in statistics if s.name == name) for name in dict.fromkeys(found)]
    numbered = not settings.get("header", True) and "columns" not in settings
    keys = [int(column.name) if numbered else column.name for column in columns]
    target = Suggestion("target", keys if len(keys) > 1 else keys[0], why)
    return [target, *_tasks(columns, path)]


def _tasks(columns: Sequence[ColumnStatistics], path: Path) -> list[Suggestion]:
    """What the targets are for, as settings.

    Raises:
        DataError: they do not go together.
    """
    if len(columns) == 1:
        if (separator := _separator(columns[0])) is not None:
            why = f"texts hold several labels, divided by {separator!r}"
            return [
                Suggestion("task", MULTILABEL, why),
                Suggestion(SEPARATOR, separator, "stands between labels"),
            ]
        return [Suggestion("task", *_task(columns[0], path))]
    if all(map(_says_yes_or_no, columns)):
        return [Suggestion("task", MULTILABEL, "each target says yes or no")]
    others = [c.name for c in columns if c.first_text is not None and not _number_formats(c)]
    if others:
        raise DataError(
            f"{path}: targets {', '.join(repr(c.name) for c in columns)} do not go together: "
            f"{others[0]!r} is text; several targets are all yes or no, or all numbers"
        )
    return [Suggestion("task", REGRESSION, "the targets hold numbers")]


def _says_yes_or_no(column: ColumnStatistics) -> bool:
    return all(level.strip().lower() in TRUTH for level in column.levels)


def _separator(column: ColumnStatistics) -> str | None:
    """What divides several labels in the texts of a column; None if each is one.

    Labels recur in other texts; the parts of names or sentences do not.
    """
    if column.first_text is None or _number_formats(column):
        return None
    for separator in SEPARATORS:
        parts = [multilabel.split_text(level, separator) for level in column.levels]
        counts = Counter(part for of_level in parts for part in set(of_level))
        if any(len(of_level) > 1 for of_level in parts) and min(counts.values()) > 1:
            return separator
    return None


def _numbered(statistics: Sequence[ColumnStatistics]) -> list[str]:
    """Several columns whose names say that they are targets, such as label_cat and label_dog."""
    named = [s.name for s in statistics if SEVERAL.fullmatch(s.name.strip()) and _is_suitable(s)]
    return named if len(named) > 1 else []


def _likely(statistics: Sequence[ColumnStatistics], path: Path, *, header: bool) -> tuple[str, str]:
    """The column that is most likely the target, and why."""
    suitable = [s for s in statistics if _is_suitable(s)]
    if not suitable:
        raise DataError(f"{path}: no column seems fit to be predicted; name one with --target")
    named = [s for s in suitable if NAMED.fullmatch(s.name.strip())]
    if named:
        return named[-1].name, "guessed by its name; change it if you predict another column"
    first, last = suitable[0], suitable[-1]
    if not header and _has_classes(first) and not _has_classes(last):
        return first.name, "guessed: the first column, which holds classes"
    return last.name, "guessed: the last column; change it if you predict another one"


def _is_suitable(column: ColumnStatistics) -> bool:
    """Whether there is something to predict: more than one value, and not one per row of text."""
    if column.is_empty or len(column.levels) < 2:
        return False
    number = replace(column, categorical=False)
    series = column.integers
    if number.is_number:
        return not (series.counts_rows or series.numbers_rows)
    few = len(column.levels) <= max(MAX_CLASSES, column.rows / ROWS_PER_TEXT)
    return few or bool(_number_formats(column))


def _number_formats(column: ColumnStatistics) -> list[number_formats.NumberFormat]:
    return number_formats.written_differently([column.levels], number_formats.PLAIN)


def _has_classes(column: ColumnStatistics) -> bool:
    """Whether the values are classes: texts, or few integers that repeat."""
    if column.first_text is not None:
        return not _number_formats(column)
    integers = all(map(INTEGER.fullmatch, column.levels))
    few = 2 <= len(column.levels) <= MAX_CLASSES
    return integers and few and len(column.levels) * ROWS_PER_CLASS <= column.rows


def _task(column: ColumnStatistics, path: Path) -> tuple[str, str]:
    count = len(column.levels)
    if _has_classes(column):
        kind = "texts" if column.first_text else "integers"
        return CLASSIFICATION, f"the target has {count} different {kind}"
    if column.first_text is not None and not _number_formats(column):
        raise DataError(f"{path}: target {column.name!r} holds neither numbers nor classes")
    return REGRESSION, "the target holds numbers"
