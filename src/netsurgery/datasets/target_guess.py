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
from netsurgery.datasets.plain_tables import chosen_columns
from netsurgery.datasets.source import DataError, Suggestion
from netsurgery.datasets.target_columns import SEPARATOR, TRUTH
from netsurgery.objectives.tasks import CLASSIFICATION, MULTILABEL, REGRESSION

NAMED = re.compile(
    r"target|class(es)?|labels?|y|outcome|response|species|diagnosis|category|survived|klasse|ziel",
    re.IGNORECASE,
)
SEVERAL = re.compile(r"(target|label|y)[_ .-]?(\d+|(?<=[_ .-])\w+)", re.IGNORECASE)
# a prefix and a number, or a letter behind a sign
ALIKE = re.compile(r"(.*?\D)[_ .-]?(\d+|(?<=[_ .-])[a-z])", re.IGNORECASE)
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
    drop = chosen_columns(file, settings, "drop")
    left = [column for column in statistics if column.name not in drop]
    if targets:
        known = [t if not str(t).isdecimal() or str(t) in names else int(t) for t in targets]
        found = [table_reader.find_column(key, names, path, "--target") for key in known]
        why = "as you say"
    elif series := _numbered(left):
        found, why = series, "guessed by their names; change it if you predict another column"
    else:
        name, why = _likely(left, path, header=settings.get("header", True))
        found = [name]
        if alike := _alike(name, left):
            why = f"guessed: the last columns, with names like {name!r}; change it if one is enough"
            found = [s.name for s in left if s.name in {name, *alike}]
    columns = [next(s for s in statistics if s.name == name) for name in dict.fromkeys(found)]
    target = _target(columns, settings, why)
    others = [name for of in found for name in _alike(of, left) if name not in found]
    further = "looks like another target; remove it here if it is known before the target is"
    left_out = [Suggestion("drop", [*dict.fromkeys(others)], further)] if others else []
    return [target, *_tasks(columns, path), *left_out]


def labels(path: Path, settings: Mapping[str, Any]) -> list[Suggestion]:
    """The targets of a table that holds nothing but labels: one column, or some of yes and no.

    Args:
        path: of the file.
        settings: of the dataset, which read it; `drop` lists the columns that are no labels.

    Returns:
        The targets and their task; nothing if there are other columns, too.

    Raises:
        DataError: the table cannot be read.
    """
    file = table_reader.open_file(path, settings)
    drop = chosen_columns(file, settings, "drop")
    names = [name for name in file.columns if name not in drop]
    if not names:
        return []
    columns = read_statistics(
        file.frames(table_reader.ROWS, names), names, set(names), file.numbers
    )
    if len(columns) == 1:
        why = "the only column besides the names of the files"
    elif all(map(_says_yes_or_no, columns)):
        why = "all columns say yes or no"
    else:
        return []
    return [_target(columns, settings, why), *_tasks(columns, path)]


def _target(
    columns: Sequence[ColumnStatistics], settings: Mapping[str, Any], why: str
) -> Suggestion:
    """Columns as the targets, by their names or, without a header, by their numbers."""
    numbered = not settings.get("header", True) and "columns" not in settings
    keys = [int(column.name) if numbered else column.name for column in columns]
    return Suggestion("target", keys if len(keys) > 1 else keys[0], why)


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


def _alike(name: str, statistics: Sequence[ColumnStatistics]) -> list[str]:
    """Columns of numbers that look like further targets: Y2 beside Y1, dose_b beside dose_a.

    They are the last columns, fewer than the others, unless the name says that it is a target.
    """
    found = ALIKE.fullmatch(name.strip())
    if found is None:
        return []
    same = [
        replace(column, categorical=False)
        for column in statistics
        if (match := ALIKE.fullmatch(column.name.strip())) and match[1] == found[1]
    ]
    names = [column.name for column in same]
    last = 2 * len(same) < len(statistics) and [s.name for s in statistics[-len(same) :]] == names
    fits = last or SEVERAL.fullmatch(name.strip())
    if not fits or name not in names or not same[names.index(name)].is_number:
        return []
    return [column.name for column in same if column.name != name and column.is_number]


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
