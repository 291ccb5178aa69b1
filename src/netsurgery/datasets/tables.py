"""Tables: numeric columns as they are, categories one-hot, optionally reshaped to images.

A numeric column is one feature. A category is one feature per level, named column-level, which is
1 where the value is that level. A column with missing values has one more, column-missing, which
is 1 where the value is missing or, in a category, unknown. A missing number is stored as NaN and
becomes 0 after scaling.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets import (
    column_checks,
    column_notes,
    new_tables,
    raw_tables,
    table_reader,
)
from netsurgery.datasets.columns import (
    CATEGORY,
    NUMBER,
    Column,
    ColumnStatistics,
    codes_of,
    read_statistics,
)
from netsurgery.datasets.number_formats import NumberFormat
from netsurgery.datasets.source import (
    TRAINING,
    Chunk,
    DataError,
    Settings,
    Source,
    SourceType,
    part_paths,
)
from netsurgery.datasets.table_values import check_numbers, targets
from netsurgery.networks.layers import Shape
from netsurgery.storage.random_streams import random_stream

if TYPE_CHECKING:
    import pandas as pd

LEVEL, MISSING = "level", "missing"  # kinds of features, in addition to NUMBER


@dataclass(frozen=True)
class Feature:
    """One input of a network."""

    column: str
    kind: str  # number, level or missing
    level: str | None = None

    def __str__(self) -> str:
        suffixes = {NUMBER: "", LEVEL: f"-{self.level}", MISSING: "-missing"}
        return self.column + suffixes[self.kind]

    def to_json(self) -> dict[str, Any]:
        """The feature as JSON values."""
        return asdict(self)


def features_of(columns: Sequence[Column], settings: Settings, path: Path) -> list[Feature]:
    """The features of a table's columns, in the order of the network's inputs.

    Raises:
        DataError: a feature to drop does not exist, or the number of features does not match the
            image shape to reshape them to.
    """
    features = []
    for column in columns:
        if column.kind == NUMBER:
            features.append(Feature(column.name, NUMBER))
        features += [Feature(column.name, LEVEL, level) for level in column.levels]
        if column.missing and settings["missing_indicator"]:
            features.append(Feature(column.name, MISSING))
    for name in settings["drop_features"]:
        if name not in map(str, features):
            raise DataError(f"{path}: has no feature {name!r} (see `drop_features`)")
    features = [feature for feature in features if str(feature) not in settings["drop_features"]]
    if "feature_order_seed" in settings:
        stream = random_stream(settings["feature_order_seed"], "scramble")
        features = [features[i] for i in stream.permutation(len(features))]
    if "reshape_to" in settings and len(features) != np.prod(settings["reshape_to"]):
        height, width = settings["reshape_to"]
        raise DataError(
            f"{path}: has {len(features)} features, but `reshape_to` needs {height} x {width} = "
            f"{height * width}"
        )
    return features


def encode(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    features: Sequence[Feature],
    numbers: NumberFormat,
) -> np.ndarray:
    """Encode some rows as features, float64 (rows, features)."""
    values = {
        column.name: codes_of(frame[column.name], column.levels)
        if column.kind == CATEGORY
        else numbers.numbers(frame[column.name])
        for column in columns
    }
    levels = {column.name: column.levels for column in columns}
    encoded = np.empty((len(frame), len(features)))
    for i, feature in enumerate(features):
        column = values[feature.column]
        if feature.kind == NUMBER:
            encoded[:, i] = column
        elif feature.kind == LEVEL:
            encoded[:, i] = column == levels[feature.column].index(str(feature.level))
        else:
            encoded[:, i] = column < 0 if levels[feature.column] else np.isnan(column)
    return encoded


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
    target = table_reader.find_column(settings["target"], names, path, "target")
    listed = {
        key: {table_reader.find_column(name, names, path, key) for name in settings[key]}
        for key in ("drop", "categorical")
    }
    used = [name for name in names if name != target and name not in listed["drop"]]
    if not used:
        raise DataError(f"{path}: has no column besides the target")
    counts = {}
    for part, other in files.items():
        if part != TRAINING:
            _check_has_columns(other, [target, *used], file)
            counts[part] = sum(len(frame) for frame in other.frames(table_reader.ROWS, [target]))
    categorical = listed["categorical"] | file.categories
    statistics = read_statistics(file.frames(table_reader.ROWS, used), used, categorical, numbers)
    counts[TRAINING] = statistics[0].rows
    if not counts[TRAINING]:
        raise DataError(f"{path}: has no rows, only a header")
    left_out = [s.name for s in statistics if s.is_empty and s.name in table_reader.unnamed(names)]
    statistics = [s for s in statistics if s.name not in left_out]
    try:
        column_checks.check_values(statistics, numbers, path)
    except DataError as error:  # how the file was read may be the reason
        for line in file.notes:
            error.add_note(line)
        raise
    columns = [column.to_column() for column in statistics]
    features = features_of(columns, settings, path)
    shape: Shape = (*settings["reshape_to"], 1) if "reshape_to" in settings else (len(features),)

    def chunks(part: str) -> Iterator[Chunk]:
        start, opened = 0, files[part]
        for frame in opened.frames(table_reader.ROWS, [target, *used]):
            y = targets(frame[target], settings, numbers, opened.path, start)
            check_numbers(frame, columns, numbers, opened.path, start)
            yield encode(frame, columns, features, numbers).reshape(-1, *shape), y
            start += len(frame)

    return Source(
        origin=str(path),
        version="",
        shape=shape,
        dtype=np.dtype(np.float32),
        counts=counts,
        chunks=chunks,
        scaling="standard",
        label_names={part: f"{file.path}: target {target!r}" for part, file in files.items()},
        missing=True,
        columns=tuple(column.to_json() for column in columns),
        features=tuple(feature.to_json() for feature in features),
        reading=file.pandas_options,
        file_columns=tuple(names),
        targets=(target,),
        notes=tuple(_notes(files, left_out, statistics)),
    )


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
    yield from column_notes.notes(statistics, files[TRAINING].path)


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
