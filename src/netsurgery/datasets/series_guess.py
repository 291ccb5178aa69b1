"""Whether a table holds series: a row per step of several series, or the steps as columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets import table_reader, target_guess
from netsurgery.datasets.source import DataError, Suggestion
from netsurgery.datasets.times import times_of

if TYPE_CHECKING:
    import pandas as pd

# settings that tables and series share
KEYS = {
    *("source", "path", "validation_path", "test_path", "target", "task", "drop", "na_values"),
    "label_separator",
    *("header", "delimiter", "decimal", "thousands", "encoding"),
}
MIN_SERIES, MIN_STEPS = 8, 16
MIN_COLUMNS = 32  # whose names are numbers, such as wavelengths
MAX_ROWS = 200_000  # that are looked at
MAX_CLASSES, PER_CLASS = 20, 4  # fewest series of a class
GROUP = re.compile(r"subject|patient|person|participant|user|machine|plot", re.IGNORECASE)


def guess(path: Path, settings: Mapping[str, Any], targets: Sequence[str] = ()) -> list[Suggestion]:
    """The settings that read a table as series; none if it does not clearly hold some.

    Args:
        path: of the file.
        settings: of the dataset, which read it as a table.
        targets: the columns to predict, if the user names any; several only of a row per series.

    Raises:
        DataError: the table cannot be read.
    """
    file = table_reader.open_file(path, settings)
    if not settings.get("header", True):
        return []
    steps = _numbered(file.columns)
    if steps:
        return _wide(path, settings, file.columns, steps, targets)
    if len(targets) > 1:
        return []
    import pandas as pd

    frames, rows = [], 0
    for frame in file.frames(table_reader.ROWS, file.columns):
        frames.append(frame)
        if (rows := rows + len(frame)) >= MAX_ROWS:
            break
    if rows < MIN_SERIES * MIN_STEPS:
        return []
    table = pd.concat(frames, ignore_index=True)
    numbers = {name: file.numbers.numbers(table[name]) for name in file.columns}
    return _long(table, numbers, targets[0] if targets else None)


def _numbered(names: Sequence[str]) -> list[str]:
    """The columns whose names are the places of steps: evenly rising numbers, not a count."""
    found = [name for name in names if re.fullmatch(r"\d+(\.\d+)?", name)]
    if len(found) < MIN_COLUMNS:
        return []
    places = np.array(found, float)
    steps = np.diff(places)
    even = steps.min() > 0 and steps.max() < 1.5 * steps.min()
    return found if even and places[0] > 1 else []


def _wide(
    path: Path,
    settings: Mapping[str, Any],
    columns: Sequence[str],
    steps: Sequence[str],
    targets: Sequence[str],
) -> list[Suggestion]:
    others = [name for name in columns if name not in steps]
    if not others:
        return []
    if len(others) == 1:
        targets = targets or others
    without = settings if targets else {**settings, "drop": [*settings["drop"], *steps]}
    try:
        chosen, *task = target_guess.guess(path, without, targets)
    except DataError as error:
        if error.suggestions:
            raise
        return []  # they are no targets
    found = chosen.value if isinstance(chosen.value, list) else [chosen.value]
    if not {*found} <= {*others}:
        return []
    why = f"the names of {len(steps)} columns are rising numbers, {steps[0]} to {steps[-1]}"
    drop = [name for name in others if name not in found]
    task = [each for each in task if each.key != "drop"]
    return [
        Suggestion("source", "series", f"a row per series: {why}"),
        chosen,
        *task,
        *([Suggestion("drop", drop, "no step of the series")] if drop else []),
    ]


@dataclass(frozen=True)
class _Blocks:
    """Rows one below the other with the same value in a column.

    Attributes:
        first: whether each row is the first of a block (rows,).
    """

    first: np.ndarray

    def is_constant(self, values: pd.Series) -> bool:
        """Whether a column has one value in each block."""
        same = values.eq(values.shift()) | (values.isna() & values.shift().isna())
        return bool((same | self.first).all())

    def rises(self, values: pd.Series) -> bool:
        """Whether a column of times or numbers rises from row to row of each block."""
        try:
            times = times_of(values, "")
        except DataError:
            return False
        return bool(((np.diff(times, prepend=times[:1]) > 0) | self.first).all())


def _long(
    table: pd.DataFrame, numbers: Mapping[str, np.ndarray], target: str | None
) -> list[Suggestion]:
    """The settings of a table with a row per step."""
    found = {name: _blocks(table[name]) for name in table}
    ids = {name: blocks for name, blocks in found.items() if blocks is not None}
    for name in sorted(ids, key=lambda name: -int(ids[name].first.sum())):
        blocks = ids[name]
        others = [other for other in table if other != name]
        rising = [other for other in others if blocks.rises(table[other])]
        times = [other for other in rising if not _counts_rows(numbers[other])] or rising
        constant = [other for other in others if blocks.is_constant(table[other])]
        chosen = _target(table[blocks.first], numbers, blocks, constant, target)
        if times and chosen is not None:
            return _settings(table, numbers, (name, times[0]), chosen, constant)
    return []


def _blocks(values: pd.Series) -> _Blocks | None:
    """The blocks of a column that may tell series apart; None if it does not."""
    first = values.ne(values.shift()).to_numpy()
    count = int(first.sum())
    if values.isna().any() or count < MIN_SERIES or len(values) < MIN_STEPS * count:
        return None
    return _Blocks(first) if values.nunique() == count else None


def _counts_rows(values: np.ndarray) -> bool:
    return bool((np.diff(values) == 1).all())


def _target(
    firsts: pd.DataFrame,
    numbers: Mapping[str, np.ndarray],
    blocks: _Blocks,
    constant: Sequence[str],
    target: str | None,
) -> tuple[Suggestion, Suggestion] | None:
    """The target and the task; None if no column is the same in all steps of each series."""
    suitable = {}
    for name in constant:
        kinds, text = firsts[name].nunique(), np.isnan(numbers[name]).any()
        few = 2 <= kinds <= MAX_CLASSES and kinds * PER_CLASS <= len(firsts)
        if few and not firsts[name].isna().any():
            suitable[name] = "classification", f"the target has {kinds} different values"
        elif not text and kinds > 2:
            suitable[name] = "regression", "the target holds numbers"
    if target is not None:
        suitable = {name: suitable[name] for name in [target] if name in suitable}
    if not suitable:
        return None
    named = [name for name in suitable if target_guess.NAMED.fullmatch(name.strip())]
    name = (named or [*suitable])[-1]
    why = "as you say" if target is not None else "guessed: the same in all steps of a series"
    task, reason = suitable[name]
    return Suggestion("target", name, why), Suggestion("task", task, reason)


def _settings(
    table: pd.DataFrame,
    numbers: Mapping[str, np.ndarray],
    roles: tuple[str, str],
    chosen: tuple[Suggestion, Suggestion],
    constant: Sequence[str],
) -> list[Suggestion]:
    name, time = roles
    series = table[name].nunique()
    taken = [name, time, chosen[0].value]
    groups = [each for each in constant if GROUP.search(each) and each not in taken]
    taken += groups[:1]
    texts = [
        each
        for each in table
        if each not in taken and (np.isnan(numbers[each]) & table[each].notna()).any()
    ]
    counters = [each for each in table if each not in taken and _counts_rows(numbers[each])]
    why = f"{len(table):,} rows are the steps of {series} series"
    return [
        Suggestion("source", "series", f"a row per step: {why}"),
        Suggestion("id", name, "tells the series apart"),
        Suggestion("time", time, "rises in each series"),
        *chosen,
        *(
            [Suggestion("group", groups[0], "its series are on one side of a split")]
            if groups
            else []
        ),
        *([Suggestion("drop", texts, "is text")] if texts else []),
        *([Suggestion("drop", counters, "counts the rows")] if counters else []),
    ]
