"""Rows of any table for a trained model, read as those of training were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netsurgery.datasets import table_reader
from netsurgery.datasets.columns import CATEGORY, NUMBER, Column, text_of
from netsurgery.datasets.dates import with_days
from netsurgery.datasets.source import Batch, DataError, NewSamples
from netsurgery.datasets.table_inputs import date_columns, model_inputs
from netsurgery.datasets.table_reader import TableFile
from netsurgery.datasets.table_values import check_numbers, with_target
from netsurgery.datasets.target_columns import described, targets

if TYPE_CHECKING:
    import pandas as pd

KEY = "row"  # counted from 1, as in messages
LISTED = 3  # levels in a note


def read_new(data: Mapping[str, Any], path: Path, labelled: bool) -> NewSamples:
    """Open the rows of a table; columns are found by name, and the target may be missing.

    A level that training did not have counts as unknown, which a note says.

    Args:
        data: description of the prepared dataset.
        path: of the file.
        labelled: whether to read the target.

    Raises:
        DataError: it cannot be read, or lacks a column.
    """
    file = open_new(data, path, labelled)
    needed = [column["name"] for column in data["columns"]]
    wanted = [*needed, *(data["targets"] if labelled else ())]
    if absent := [name for name in wanted if name not in file.columns]:
        others = [name for name in file.columns if name not in wanted + data["targets"]]
        instead = f", but has {', '.join(map(repr, others))}" if others else ""
        raise DataError(f"{path}: has no column {', '.join(map(repr, absent))}{instead}")
    notes = list(file.notes)
    batches = _batches(file, data, labelled, notes)
    return NewSamples(batches, described(data["targets"], path), notes)


def open_new(data: Mapping[str, Any], path: Path, labelled: bool) -> TableFile:
    """Open a file; where columns go by their order, the target may be missing in it."""
    settings = data["settings"]
    if settings["source"] == "parquet" or (settings["header"] and "columns" not in settings):
        return table_reader.open_file(path, settings)
    plain = {key: value for key, value in settings.items() if key != "columns"}
    width = len(table_reader.open_file(path, plain).columns)
    names, without = data["file_columns"], []
    if not labelled and width == len(names) - len(data["targets"]):
        without = data["targets"]
    elif width != len(names):
        raise DataError(f"{path}: has {width} columns, but the training file has {len(names)}")
    return table_reader.open_file(
        path, plain | {"columns": [name for name in names if name not in without]}
    )


def _batches(
    file: TableFile, data: Mapping[str, Any], labelled: bool, notes: list[str]
) -> Iterator[Batch]:
    columns = [
        Column(c["name"], c["kind"], tuple(c["levels"]), c["missing"]) for c in data["columns"]
    ]
    wanted = list(data["targets"]) if labelled else []
    used = {column.name for column in columns} | set(data["targets"])
    unused = [*file.row_names, *(name for name in file.columns if name not in used)]
    read = [*unused, *(column.name for column in columns), *wanted]
    unknown: dict[str, Counter[str]] = {}
    keys: list[str] | None = None
    frames = with_days(
        file.frames(table_reader.ROWS, read), date_columns(data), data["settings"], file.path
    )
    for frame in with_target(frames, wanted, data["settings"]):
        check_numbers(frame, columns, file.numbers, file.path)
        keys = [name for name in unused if _is_key(frame[name])] if keys is None else keys
        for column in columns:
            if column.kind == CATEGORY:
                unknown.setdefault(column.name, Counter()).update(_unknown(frame, column))
        y = None
        if wanted:
            y = targets(frame, wanted, data["settings"], file.numbers, file.path)
        rows = (frame.index + 1).tolist()
        named = {name: frame[name].fillna("").to_numpy(object) for name in keys}
        inputs = model_inputs(_as_pandas_reads(frame, columns, file), data)
        yield Batch({KEY: rows} | named, inputs, y)
    notes += [
        f"{file.path}: column {name!r} has {counts.total()} values that training did not have"
        f" ({_examples(counts)}); they count as unknown"
        for name, counts in unknown.items()
        if counts
    ]


def _is_key(values: pd.Series) -> bool:
    """Whether values tell rows apart: each has one of its own."""
    return bool(values.notna().all() and values.is_unique)


def _unknown(frame: pd.DataFrame, column: Column) -> Counter[str]:
    counts = frame[column.name].dropna().value_counts()
    texts = zip(text_of(counts.index.to_series()), counts.tolist(), strict=True)
    return Counter({text: count for text, count in texts if text not in column.levels})


def _examples(counts: Mapping[str, int]) -> str:
    return ", ".join(map(repr, list(counts)[:LISTED])) + (", ..." if len(counts) > LISTED else "")


def _as_pandas_reads(
    frame: pd.DataFrame, columns: Sequence[Column], file: TableFile
) -> pd.DataFrame:
    """The same rows with numbers as numbers, whatever the format of the file's."""
    numbers = {
        column.name: file.numbers.numbers(frame[column.name])
        for column in columns
        if column.kind == NUMBER
    }
    return frame.assign(**numbers)
