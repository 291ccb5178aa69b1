"""Series in tables: a row per series (wide), or a row per step (long)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets import table_reader, target_columns
from netsurgery.datasets.columns import text_of
from netsurgery.datasets.integer_series import IntegerSeries
from netsurgery.datasets.plain_tables import chosen_columns, numbers_of, open_table
from netsurgery.datasets.series.recordings import Recording, Recordings, class_name
from netsurgery.datasets.source import DataError
from netsurgery.datasets.target_columns import SEPARATOR
from netsurgery.datasets.times import times_of
from netsurgery.objectives.tasks import CLASSIFICATION, MULTILABEL, REGRESSION

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class _Columns:
    """The values of a table's columns, from all its rows.

    Attributes:
        names: of the columns that are numbers of the series.
        numbers: float64 (rows, names).
        others: the columns that say what the rows are, by setting.
        targets: the columns to predict.
    """

    file: table_reader.TableFile
    names: list[str]
    numbers: np.ndarray
    others: dict[str, pd.Series] = field(default_factory=dict)
    targets: list[pd.Series] = field(default_factory=list)

    def where(self, key: str) -> str:
        """The file and the column of a setting, for messages."""
        return f"{self.file.path}: column {self.others[key].name!r} (`{key}`)"


def _read(
    path: Path, settings: Mapping[str, Any], keys: Sequence[str], *, labelled: bool
) -> _Columns:
    """Read a table.

    Args:
        path: of the file.
        settings: of the dataset.
        keys: settings that name a column, if they are set.
        labelled: whether to read the target; if not, the file may lack it.

    Raises:
        DataError: it cannot be read, or lacks a column.
    """
    import pandas as pd

    file = open_table(path, settings)
    targets = []
    if labelled and "target" in settings:
        targets = target_columns.target_columns(settings, file.columns, path)
    # forecasts see the past of what they predict
    hidden = set() if "horizon" in settings else {*targets, *_targets_in(file, settings)}
    keys = keys if labelled else [key for key in keys if key != "group"]
    named = {
        key: table_reader.find_column(settings[key], file.columns, path, key)
        for key in keys
        if key in settings
    }
    used = chosen_columns(file, settings, "channels")
    if not used:
        drop = chosen_columns(file, settings, "drop")
        used = [name for name in file.columns if name not in {*drop, *hidden, *named.values()}]
    if not used:
        raise DataError(f"{path}: has no column with the values of a series")
    read, start = [], 0
    kept = list(dict.fromkeys([*named.values(), *targets]))
    others: list[pd.DataFrame] = []
    for frame in file.frames(table_reader.ROWS, list(dict.fromkeys([*used, *kept]))):
        read.append(numbers_of(frame, used, file, start))
        others.append(frame[kept])
        start += len(frame)
    if not start:
        raise DataError(f"{path}: has no rows")
    joined = pd.concat(others, ignore_index=True)
    by_key = {key: joined[name] for key, name in named.items()}
    return _Columns(file, used, np.concatenate(read), by_key, [joined[name] for name in targets])


def _targets_in(file: table_reader.TableFile, settings: Mapping[str, Any]) -> Iterator[str]:
    """The columns to predict that the file has."""
    for key in target_columns.target_keys(settings) if "target" in settings else ():
        with suppress(DataError):
            yield table_reader.find_column(key, file.columns, file.path, "target")


def labels_of(columns: _Columns, settings: Mapping[str, Any], task: str) -> np.ndarray | None:
    """The labels of all rows, (rows,) or, of several columns, (rows, columns); None without any.

    Text of classes, None where missing; float64 targets of a regression, and labels of 0 and 1, NaN
    where missing. Text that holds several labels is empty where there are none.

    Raises:
        DataError: a target is not a number, a class has a fraction, or a label is not yes or no.
    """
    if not columns.targets:
        return None
    if task == MULTILABEL and settings.get(SEPARATOR):
        return np.array(list(text_of(columns.targets[0].fillna(""))), dtype=object)
    if task == CLASSIFICATION:
        return _classes(columns.targets[0], columns)
    convert = _numbers if task == REGRESSION else _truth
    found = [convert(values, columns) for values in columns.targets]
    return np.stack(found, axis=1) if len(found) > 1 else found[0]


def _where(values: pd.Series, columns: _Columns) -> str:
    return f"{columns.file.path}: column {values.name!r} (`target`)"


def _truth(values: pd.Series, columns: _Columns) -> np.ndarray:
    return target_columns.truth(values, columns.file.path)


def _numbers(values: pd.Series, columns: _Columns) -> np.ndarray:
    numbers = columns.file.numbers.numbers(values)
    wrong = np.flatnonzero(np.isnan(numbers) & values.notna().to_numpy())
    if len(wrong):
        raise DataError(
            f"{_where(values, columns)}, row {wrong[0] + 1} is {values.iloc[wrong[0]]!r}; "
            f"regression needs numbers"
        )
    return numbers


def _classes(values: pd.Series, columns: _Columns) -> np.ndarray:
    numbers = columns.file.numbers.numbers(values)
    fractions = np.flatnonzero(np.isfinite(numbers) & (numbers % 1 != 0))
    if len(fractions):
        raise DataError(
            f"{_where(values, columns)} holds floats ({numbers[fractions[0]]} in row "
            f"{fractions[0] + 1}); for a numeric target set `task: regression`"
        )
    return np.array(
        [
            None if missing else class_name(text)
            for text, missing in zip(text_of(values), values.isna(), strict=True)
        ],
        dtype=object,
    )


def read_wide(
    path: Path, settings: Mapping[str, Any], task: str, *, labelled: bool = True
) -> Recordings:
    """Read a table with a row per series; its columns are the steps of one channel.

    Without names of columns, the first one is the label, as in the files of the UCR archive. Values
    that are missing at the end of a row mean that the series is shorter.

    Args:
        path: of the file.
        settings: of the dataset; without labels, `length` tells whether the first column is one.
        task: of the dataset.
        labelled: whether to read labels.

    Raises:
        DataError: it cannot be read.
    """
    notes = []
    file = open_table(path, settings)
    if "target" not in settings and (labelled or len(file.columns) == settings["length"] + 1):
        if file.columns != [str(i) for i in range(len(file.columns))]:
            shown = ", ".join(file.columns[:5]) + (", ..." if len(file.columns) > 5 else "")
            raise DataError(
                f"{path}: which column is the label of a series? Set `target` (columns: {shown}), "
                f"and `id` if each row is one step of a series"
            )
        settings = {**settings, "target": 0}
        notes.append(f"{path}: has no names of columns; the first column is taken for the label")
    columns = _read(path, settings, ("group", "time"), labelled=labelled)
    labels = labels_of(columns, settings, task)
    groups = columns.others.get("group")
    times = columns.others.get("time")
    moments = None if times is None else times_of(times, columns.where("time"))
    found = []
    for row, values in enumerate(columns.numbers):
        present = np.flatnonzero(~np.isnan(values))
        if not len(present):
            raise DataError(f"{path}: row {row + 1} has no values")
        steps = present[-1] + 1
        found.append(
            Recording(
                name=f"row {row + 1}",
                values=values[:steps, None],
                labels=None if labels is None else np.repeat(labels[row : row + 1], steps, axis=0),
                times=None if moments is None else np.repeat(moments[row : row + 1], steps),
                group=None if groups is None else _text(groups, row),
            )
        )
    return Recordings(found, ("value",), tuple(notes), targets=_names(columns))


def read_long(
    path: Path, settings: Mapping[str, Any], task: str, *, labelled: bool = True
) -> Recordings:
    """Read a table with a row per step; `id` tells series apart, `time` orders their steps.

    Raises:
        DataError: it cannot be read, or a series has two values at the same time.
    """
    columns = _read(path, settings, ("id", "time", "group"), labelled=labelled)
    if labelled and not columns.targets:
        shown = ", ".join(columns.file.columns[:8])
        raise DataError(f"{path}: what is to be predicted? Set `target` (columns: {shown})")
    labels = labels_of(columns, settings, task)
    ids, groups = columns.others.get("id"), columns.others.get("group")
    rows = len(columns.numbers)
    if ids is None:
        names, codes = [str(path)], np.zeros(rows, int)
    else:
        import pandas as pd

        if ids.isna().any():
            row = int(np.flatnonzero(ids.isna())[0])
            raise DataError(f"{columns.where('id')} has no value in row {row + 1}")
        texts = np.array(list(text_of(ids)), dtype=object)
        codes, unique = pd.factorize(texts)
        names = [str(name) for name in unique]
    times = columns.others.get("time")
    moments = None if times is None else times_of(times, columns.where("time"))
    order = np.lexsort((np.arange(rows) if moments is None else moments, codes))
    bounds = np.flatnonzero(np.diff(codes[order], prepend=-1, append=len(names)))
    found = []
    for name, first, last in zip(names, bounds[:-1], bounds[1:], strict=True):
        chosen = order[first:last]
        if moments is not None and len(twice := np.flatnonzero(np.diff(moments[chosen]) == 0)):
            assert times is not None
            series = f"series {name!r} has" if ids is not None else "it has"
            raise DataError(
                f"{columns.where('time')}: {series} several rows at "
                f"{times.iloc[chosen[twice[0]]]!r}"
                + ("; set `id` if these are several series" if ids is None else "")
            )
        found.append(
            Recording(
                name=name,
                values=columns.numbers[chosen],
                labels=None if labels is None else labels[chosen],
                times=None if moments is None else moments[chosen],
                group=_constant_group(groups, chosen, name, columns),
            )
        )
    notes = tuple(_notes(columns, found))
    return Recordings(found, tuple(columns.names), notes, targets=_names(columns))


def _names(columns: _Columns) -> tuple[str, ...]:
    """The names of the columns to predict."""
    return tuple(str(values.name) for values in columns.targets)


def _text(values: pd.Series, row: int) -> str:
    return "" if values.isna().iloc[row] else str(values.iloc[row])


def _constant_group(
    groups: pd.Series | None, rows: np.ndarray, name: str, columns: _Columns
) -> str | None:
    """The group of a series, which all its steps have.

    Raises:
        DataError: its steps are of several groups.
    """
    if groups is None:
        return None
    found = groups.iloc[rows].astype(str).unique()
    if len(found) > 1:
        raise DataError(f"{columns.where('group')}: series {name!r} is of {len(found)} groups")
    return str(found[0])


def _notes(columns: _Columns, found: Sequence[Recording]) -> list[str]:
    """What the user should know of a table with a row per step."""
    path, notes = columns.file.path, []
    for i, name in enumerate(columns.names):
        counter = IntegerSeries()
        counter.update(columns.numbers[:, i])
        if counter.counts_rows:
            notes.append(f"{path}: column {name!r} counts the rows; leave it out with `drop`")
    steps = [np.diff(each.times) for each in found if each.times is not None and len(each) > 2]
    if steps:
        every = np.concatenate(steps)
        usual = np.median(every)
        if longer := int((every > 1.5 * usual).sum()):
            notes.append(
                f"{path}: {longer} of {len(every)} steps are longer than the usual one; a network "
                f"sees the order of the steps, not how long they are"
            )
    return notes
