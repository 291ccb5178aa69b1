"""Tables: numeric columns as they are, categories one-hot, optionally reshaped to images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from netsurgery.datasets import (
    column_checks,
    column_notes,
    new_tables,
    raw_tables,
    table_reader,
    table_splits,
    target_columns,
)
from netsurgery.datasets.column_summaries import summaries
from netsurgery.datasets.columns import Column, ColumnStatistics, read_statistics
from netsurgery.datasets.csv_reader import CsvFile
from netsurgery.datasets.dates import periods, with_days
from netsurgery.datasets.source import (
    TRAINING,
    Chunk,
    DataError,
    Settings,
    Source,
    SourceType,
    part_paths,
)
from netsurgery.datasets.table_features import encode, features_of
from netsurgery.datasets.table_values import check_numbers, with_target
from netsurgery.networks.layers import Shape
from netsurgery.objectives.tasks import MULTILABEL

if TYPE_CHECKING:
    import pandas as pd


def is_flat(settings: Settings) -> bool:
    """Whether samples are rows of features, not reshaped to images."""
    return "reshape_to" not in settings


def open_table(settings: Settings) -> Source:
    """Open a table and infer the types of its columns.

    Raises:
        DataError: it cannot be read, or its columns are invalid.
    """
    files = {
        part: table_reader.open_file(path, settings) for part, path in part_paths(settings).items()
    }
    file = files[TRAINING]
    path, names, numbers = file.path, file.columns, file.numbers
    target = target_columns.target_columns(settings, names, path)
    listed = {
        key: {table_reader.find_column(name, names, path, key) for name in settings[key]}
        for key in ("drop", "categorical", "dates")
    }
    by = table_splits.split_column(settings, names, path)
    apart = {*target, *listed["drop"], *([by[1]] if by else ())}
    used = [name for name in names if name not in apart]
    if not used:
        raise DataError(f"{path}: has no column besides the target{'s' * (len(target) > 1)}")

    def rows_of(file: table_reader.TableFile, names: Sequence[str]) -> Iterator[pd.DataFrame]:
        frames = with_target(file.frames(table_reader.ROWS, [*target, *names]), target, settings)
        return with_days(frames, listed["dates"] & {*used}, settings, file.path)

    def values_of(part: str, column: str) -> pd.Series:
        import pandas as pd

        frames = [frame[column] for frame in rows_of(files[part], [column])]
        return pd.concat(frames, ignore_index=True)

    counts = {}
    for part, other in files.items():
        if part != TRAINING:
            _check_has_columns(other, [*target, *used, *([by[1]] if by else ())], file)
            counts[part] = sum(map(len, rows_of(other, [])))
    categorical = listed["categorical"] | file.categories
    statistics = read_statistics(rows_of(file, used), used, categorical, numbers)
    counts[TRAINING] = statistics[0].rows
    if not counts[TRAINING]:
        without = " with a target" if settings["drop_missing_target"] else ", only a header"
        raise DataError(f"{path}: has no rows{without}")
    unnamed = table_reader.unnamed(names)
    left_out = [s.name for s in statistics if s.is_empty and s.name in unnamed]
    statistics = [s for s in statistics if s.name not in left_out]
    try:
        column_checks.check_values(statistics, numbers, path)
    except DataError as error:  # how the file was read may be the reason
        for line in file.notes:
            error.add_note(line)
        raise
    columns = [_column(s, is_date=s.name in listed["dates"]) for s in statistics]
    features = features_of(columns, settings, path)
    shape: Shape = (*settings["reshape_to"], 1) if "reshape_to" in settings else (len(features),)

    def chunks(part: str) -> Iterator[Chunk]:
        opened = files[part]
        for frame in rows_of(opened, used):
            y = target_columns.targets(frame, target, settings, numbers, opened.path)
            check_numbers(frame, columns, numbers, opened.path)
            yield encode(frame, columns, features, numbers).reshape(-1, *shape), y

    return Source(
        origin=str(path),
        version="",
        shape=shape,
        dtype=np.dtype(np.float32),
        counts=counts,
        chunks=chunks,
        scaling="standard",
        label_names={
            part: target_columns.described(target, file.path) for part, file in files.items()
        },
        labels=tuple(target) if settings["task"] == MULTILABEL else None,
        missing=True,
        columns=tuple(column.to_json() for column in columns),
        features=tuple(feature.to_json() for feature in features),
        reading=file.pandas_options,
        file_columns=tuple(names),
        targets=tuple(target),
        table=tuple(
            summary.to_json()
            for summary in summaries(
                names,
                target,
                statistics,
                columns,
                features,
                dict.fromkeys(listed["drop"], "`drop`")
                | dict.fromkeys(left_out, "empty")
                | ({by[1]: f"`{by[0]}`"} if by else {}),
            )
        ),
        suggestions=tuple(column_notes.suggestions(statistics)),
        notes=tuple(_notes(files, left_out, statistics)),
        keys=table_splits.keys_of(by, values_of, part_paths(settings)),
    )


def _column(statistics: ColumnStatistics, *, is_date: bool) -> Column:
    """The column that some values make; those of dates recur."""
    column = statistics.to_column()
    if not is_date:
        return column
    whole = statistics.integers.only_integers
    recurring = periods(statistics.low, statistics.high, whole_days=whole)
    return replace(column, is_date=True, periods=recurring)


def _notes(
    files: Mapping[str, table_reader.TableFile],
    left_out: Sequence[str],
    statistics: Sequence[ColumnStatistics],
) -> Iterator[str]:
    """What the user should know about how a table is read, one line each."""
    for file in files.values():
        yield from file.notes
    if left_out:
        yield (
            f"{files[TRAINING].path}: {len(left_out)} column{'s' * (len(left_out) > 1)} without a "
            f"name and without values, such as a separator at the end of each line makes, left out"
        )
    typed = not isinstance(files[TRAINING], CsvFile)
    yield from column_notes.notes(statistics, files[TRAINING].path, typed=typed)


def _check_has_columns(
    file: table_reader.TableFile, needed: Sequence[str], training: table_reader.TableFile
) -> None:
    """Raise a `DataError` if a file lacks a column of the training file; their order is free."""
    absent = [name for name in needed if name not in file.columns]
    if absent:
        others = [name for name in file.columns if name not in training.columns]
        instead = f", but has {', '.join(map(repr, others))}" if others else ""
        raise DataError(
            f"{file.path}: its columns differ from those of {training.path}: it has no "
            f"{', '.join(map(repr, absent))}{instead}"
        )


TABLE = SourceType(open_table, is_flat, raw=raw_tables.read_rows, read_new=new_tables.read_new)
