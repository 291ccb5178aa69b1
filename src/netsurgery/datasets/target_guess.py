"""Which column of a table is the one to predict, and whether it holds classes or numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from netsurgery.datasets import number_formats, table_reader
from netsurgery.datasets.columns import ColumnStatistics, read_statistics
from netsurgery.datasets.source import DataError, Suggestion
from netsurgery.objectives.tasks import CLASSIFICATION, REGRESSION

NAMED = re.compile(
    r"target|class(es)?|labels?|y|outcome|response|species|diagnosis|category|survived|klasse|ziel",
    re.IGNORECASE,
)
INTEGER = re.compile(r"[+-]?\d+(\.0*)?")
MAX_CLASSES = 20  # of integers
ROWS_PER_CLASS = 5
ROWS_PER_TEXT = 20  # where more than MAX_CLASSES texts are classes


def guess(
    path: Path, settings: Mapping[str, Any], target: str | int | None = None
) -> list[Suggestion]:
    """The target of a table, and its task.

    Args:
        path: of the file.
        settings: of the dataset, which read it; their target does not matter.
        target: the column, if the user names it.

    Raises:
        DataError: there is no such column, or none that could be predicted.
    """
    file = table_reader.open_file(path, settings)
    names = file.columns
    statistics = read_statistics(
        file.frames(table_reader.ROWS, names), names, set(names), file.numbers
    )
    if target is not None:
        known = target if not str(target).isdecimal() or str(target) in names else int(target)
        name, why = table_reader.find_column(known, names, path, "--target"), "as you say"
    else:
        name, why = _likely(statistics, path, header=settings.get("header", True))
    column = next(s for s in statistics if s.name == name)
    task, reason = _task(column, path)
    key = int(name) if not settings.get("header", True) and "columns" not in settings else name
    return [Suggestion("target", key, why), Suggestion("task", task, reason)]


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
