"""Tables with files for each row, such as an image: samples of several inputs.

A setting names the folder of the files; a column of the table names the file of each row.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets import joined_inputs, new_tables, raw_tables, tables
from netsurgery.datasets.plain_tables import chosen_columns
from netsurgery.datasets.row_files import FileKind, FileNames, file_column, named_files
from netsurgery.datasets.source import (
    TRAINING,
    Batch,
    DataError,
    Inputs,
    NewSamples,
    Settings,
    Source,
    SourceType,
    part_paths,
    rows_per_chunk,
)
from netsurgery.datasets.table_features import CODE
from netsurgery.datasets.table_images import IMAGES
from netsurgery.datasets.table_reader import ROWS, TableFile, find_column, open_file
from netsurgery.datasets.table_series import SERIES
from netsurgery.datasets.table_values import with_target
from netsurgery.datasets.target_columns import target_columns
from netsurgery.networks.layers import Shape

if TYPE_CHECKING:
    import pandas as pd

KINDS = (IMAGES, SERIES)
FEATURES = "features"  # the input that the rows are
MOST_LEVELS = 1000  # of a category


def kinds_in(settings: Settings) -> list[FileKind]:
    """The kinds of files that rows have, in the order of their inputs."""
    return [kind for kind in KINDS if kind.key in settings]


def is_flat(settings: Settings) -> bool:
    """Whether samples are rows of features, without files."""
    return not kinds_in(settings) and tables.is_flat(settings)


def known_inputs(settings: Settings) -> Mapping[str, Shape]:
    """The inputs by name, with the smallest shapes that they may have; none without files."""
    kinds = kinds_in(settings)
    if not kinds:
        return {}
    return {FEATURES: (1,)} | {kind.name: kind.smallest(settings) for kind in kinds}


def open_rows(settings: Settings) -> Source:
    """Open a table, and the files of its rows if the settings name their folder.

    Raises:
        DataError: it cannot be read, or a row names no file.
    """
    kinds = kinds_in(settings)
    if not kinds:
        return tables.open_table(settings)
    what = " and ".join(kind.key for kind in kinds)
    if "reshape_to" in settings:
        raise DataError(f"{settings['path']}: remove `reshape_to`: rows have {what} already")
    columns = [_column(settings, kind) for kind in kinds]
    rows = tables.open_table(
        {**settings, "drop": [*settings["drop"], *columns], "max_one_hot_levels": MOST_LEVELS}
    )
    if coded := [each["column"] for each in rows.features if each["kind"] == CODE]:
        raise DataError(
            f"{rows.origin}: column {coded[0]!r} has more than {MOST_LEVELS:,} levels, which rows"
            f" with {what} cannot have; drop it"
        )
    inputs, notes, became = {FEATURES: rows}, list(rows.notes), dict[str, dict[str, Any]]()
    for kind, column in zip(kinds, columns, strict=True):
        opened, found = _opened(settings, kind, column, rows.origin)
        inputs[kind.name] = opened
        notes += found
        became[column] = {
            "became": kind.name,
            "values": f"files in {settings[kind.key]}",
            "features": math.prod(opened.shape),
        }
    return replace(
        joined_inputs.joined(inputs),
        notes=tuple(notes),
        resized=any(each.resized for each in inputs.values()),
        table=tuple({**each, **became.get(each["name"], {})} for each in rows.table),
    )


def _opened(
    settings: Settings, kind: FileKind, column: str, origin: str
) -> tuple[Source, list[str]]:
    """The files of all rows, and notes on them."""
    folder, files = Path(settings[kind.key]), _files(settings, kind)
    opened = kind.open(folder, files, settings)
    notes = [f"{origin}: the column {column!r} names the {kind.key} in {folder}"]
    used = {file for of_part in files.values() for file in of_part}
    if unused := len({*kind.files(folder)} - used - {*part_paths(settings).values()}):
        notes.append(f"{folder}: {unused} {kind.key} have no row in {origin}; left out")
    reading = {**opened.reading, "column": column}
    return replace(opened, reading=reading), [*notes, *opened.notes]


def _column(settings: Settings, kind: FileKind) -> str:
    """The column that names the files: the one of the settings, or with the most names."""
    path, folder = part_paths(settings)[TRAINING], Path(settings[kind.key])
    file = open_file(path, settings)
    if kind.column_key in settings:
        return find_column(settings[kind.column_key], file.columns, path, kind.column_key)
    frame = next(file.frames(ROWS, file.columns), None)
    if frame is None or frame.empty:
        raise DataError(f"{path}: has no rows")
    others = frame.drop(columns=chosen_columns(file, settings, "drop"))  # better none of these
    names = FileNames(folder, kind.files(folder))
    try:
        return file_column(others, names, kind.key, path)
    except DataError:
        return file_column(frame, names, kind.key, path)


def _files(settings: Settings, kind: FileKind) -> dict[str, list[Path]]:
    """The files of the rows of each part, in the order of the rows.

    Raises:
        DataError: a row names no file.
    """
    column, folder = _column(settings, kind), Path(settings[kind.key])
    names = FileNames(folder, kind.files(folder))
    found = {}
    for part, path in part_paths(settings).items():
        named = _named(open_file(path, settings), column, settings)
        found[part] = [*itertools.chain.from_iterable(named_files(named, names, kind, path))]
    return found


def _named(file: TableFile, column: str, settings: Settings) -> Iterator[pd.Series]:
    """What the rows with a target call their files."""
    targets = target_columns(settings, file.columns, file.path)
    for frame in with_target(file.frames(ROWS, [*targets, column]), targets, settings):
        yield frame[column]


# --- samples for the final model ------------------------------------------------------------------


def read_raw(data: Mapping[str, Any], part: str, positions: np.ndarray) -> list[Inputs]:
    """Some rows and files as the final model takes them (see `raw_tables`)."""
    if not data["inputs"]:
        return raw_tables.read_rows(data, part, positions)
    features, *described = joined_inputs.descriptions(data)
    (rows,) = raw_tables.read_rows(features, part, positions)
    batches = []
    for kind, own in zip(kinds_in(data["settings"]), described, strict=True):
        files = _files(data["settings"], kind)[part]
        batches.append(kind.raw([files[i] for i in positions], own))
    if any(len(of_kind) > 1 for of_kind in batches):  # of other sizes
        batches = [[x[i : i + 1] for x in of_kind for i in range(len(x))] for of_kind in batches]
    starts = np.cumsum([0, *(len(x) for x in batches[0])])
    return [
        _together(data, rows, slice(start, start + len(arrays[0])), arrays)
        for start, *arrays in zip(starts, *batches, strict=False)
    ]


def _together(
    data: Mapping[str, Any], rows: Inputs, part: slice, arrays: Sequence[np.ndarray]
) -> dict[str, np.ndarray]:
    """Some rows and their files, by the names of the final model's inputs."""
    if not isinstance(rows, dict):
        rows = {joined_inputs.input_name(data, FEATURES): rows}
    kinds = kinds_in(data["settings"])
    names = [joined_inputs.input_name(data, kind.name) for kind in kinds]
    of_rows = {name: values[part] for name, values in rows.items()}
    return of_rows | dict(zip(names, arrays, strict=True))


def read_new(data: Mapping[str, Any], path: Path, labelled: bool) -> NewSamples:
    """Open the rows of a table with their files, beside it or where those of training are.

    Raises:
        DataError: it cannot be read, lacks a column, or a row names no file.
    """
    if not data["inputs"]:
        return new_tables.read_new(data, path, labelled)
    features, *described = joined_inputs.descriptions(data)
    rows = new_tables.read_new(features, path, labelled)
    batches = _with_files(rows, data, described, path, labelled)
    return NewSamples(batches, rows.label_name, rows.notes)


def _with_files(
    rows: NewSamples,
    data: Mapping[str, Any],
    described: Sequence[Mapping[str, Any]],
    path: Path,
    labelled: bool,
) -> Iterator[Batch]:
    settings, kinds = data["settings"], kinds_in(data["settings"])
    file = new_tables.open_new(data, path, labelled)
    named = [
        _new_names(file, own["reading"]["column"], kind, settings, labelled)
        for kind, own in zip(kinds, described, strict=True)
    ]
    step = min(rows_per_chunk(tuple(own["shape"]), np.dtype(own["type"])) for own in described)
    for batch, *columns in zip(rows.batches, *named, strict=True):
        files = [
            _new_files(values, kind, path, settings)
            for kind, values in zip(kinds, columns, strict=True)
        ]
        for start in range(0, len(files[0]), step):
            part = slice(start, start + step)
            read = [
                kind.read(own_files[part], own, path)
                for kind, own_files, own in zip(kinds, files, described, strict=True)
            ]
            arrays = [array for array, _ in read]
            more = [note for _, notes in read for note in notes]
            rows.notes.extend(note for note in more if note not in rows.notes)
            keys = {name: list(values)[part] for name, values in batch.keys.items()}
            labels = None if batch.labels is None else batch.labels[part]
            yield Batch(keys, _together(data, batch.inputs, part, arrays), labels)


def _new_names(
    file: TableFile, column: str, kind: FileKind, settings: Settings, labelled: bool
) -> Iterator[pd.Series]:
    """What the rows of a new table call their files."""
    if column not in file.columns:
        raise DataError(f"{file.path}: has no column {column!r}, which names the {kind.key}")
    if labelled:
        return _named(file, column, settings)
    return (frame[column] for frame in file.frames(ROWS, [column]))


def _new_files(values: pd.Series, kind: FileKind, path: Path, settings: Settings) -> list[Path]:
    """The files of some rows of a new table."""
    trained = Path(settings[kind.key])
    folders = [path.parent / trained.name, trained, path.parent]
    found = [folder for folder in folders if folder.is_dir()]
    first = str(values.iloc[0]) if len(values) else ""
    for folder in found:
        names = FileNames(folder, _files_or_none(folder, kind))
        if names.find(first) is not None or folder == found[-1]:
            (files,) = named_files([values], names, kind, path)
            return files
    raise DataError(f"{path}: there is no folder {trained.name} with the {kind.key} of its rows")


def _files_or_none(folder: Path, kind: FileKind) -> Sequence[Path]:
    try:
        return kind.files(folder)
    except DataError:
        return ()


TABLE = SourceType(open_rows, is_flat, known_inputs=known_inputs, raw=read_raw, read_new=read_new)
