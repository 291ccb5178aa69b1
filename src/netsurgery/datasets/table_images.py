"""Tables with an image for each row: samples of two inputs.

`images` of the settings is their folder; a column of the table names the file of each row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets import (
    images,
    joined_inputs,
    new_images,
    new_tables,
    raw_tables,
    tables,
)
from netsurgery.datasets.image_folders import ImageFolder, printable
from netsurgery.datasets.image_labels import FileNames, file_column, images_in
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
from netsurgery.datasets.table_reader import ROWS, TableFile, find_column, open_file
from netsurgery.datasets.table_values import with_target
from netsurgery.datasets.target_columns import target_columns
from netsurgery.networks.layers import Shape

if TYPE_CHECKING:
    import pandas as pd

FEATURES, IMAGE = "features", "image"  # the inputs
COLUMN = "image_column"  # the setting
SHOWN = 3  # names in a message
MOST_LEVELS = 1000  # of a category


def is_flat(settings: Settings) -> bool:
    """Whether samples are rows of features, without images."""
    return "images" not in settings and tables.is_flat(settings)


def known_inputs(settings: Settings) -> Mapping[str, Shape]:
    """The inputs by name, with the smallest shapes that they may have; none without images."""
    if "images" not in settings:
        return {}
    image, _ = images.known_shape(settings)
    return {FEATURES: (1,), IMAGE: image or (1, 1, 1)}


def open_rows(settings: Settings) -> Source:
    """Open a table, and the images of its rows if the settings name their folder.

    Raises:
        DataError: it cannot be read, or a row names no image.
    """
    if "images" not in settings:
        return tables.open_table(settings)
    if "reshape_to" in settings:
        raise DataError(f"{settings['path']}: remove `reshape_to`: each row has an image already")
    column = _column(settings)
    rows = tables.open_table(
        {**settings, "drop": [*settings["drop"], column], "max_one_hot_levels": MOST_LEVELS}
    )
    if coded := [each["column"] for each in rows.features if each["kind"] == CODE]:
        raise DataError(
            f"{rows.origin}: column {coded[0]!r} has more than {MOST_LEVELS:,} levels, which rows"
            f" with images cannot have; drop it"
        )
    path = Path(settings["images"])
    of_part = {
        part: ImageFolder(path, {"": files}, [], [], []) for part, files in _files(settings).items()
    }
    of_rows = replace(images.opened(of_part, settings), reading={"column": column})
    unused = len(_images(path)) - len({file for each in of_part.values() for file in each.files})
    notes = [f"{rows.origin}: the column {column!r} names the images in {path}"]
    if unused:
        notes.append(f"{path}: {unused} images have no row in {rows.origin}; left out")
    inputs = {FEATURES: rows, IMAGE: of_rows}
    became = {"became": IMAGE, "values": f"files in {path}", "features": math.prod(of_rows.shape)}
    whole = joined_inputs.joined(inputs)
    return replace(
        whole,
        notes=(*rows.notes, *notes, *of_rows.notes),
        resized=of_rows.resized,
        table=tuple({**each, **(became if each["name"] == column else {})} for each in rows.table),
    )


def _column(settings: Settings) -> str:
    """The column that names the images: the one of the settings, or with the most names."""
    path, folder = part_paths(settings)[TRAINING], Path(settings["images"])
    file = open_file(path, settings)
    if COLUMN in settings:
        return find_column(settings[COLUMN], file.columns, path, COLUMN)
    frame = next(file.frames(ROWS, file.columns), None)
    if frame is None or frame.empty:
        raise DataError(f"{path}: has no rows")
    return file_column(frame, FileNames(folder, _images(folder)), folder, path)


def _images(folder: Path) -> list[Path]:
    found, _, _ = images_in(folder)
    return found


def _files(settings: Settings) -> dict[str, list[Path]]:
    """The images of the rows of each part, in the order of the rows.

    Raises:
        DataError: a row names no image.
    """
    column, folder = _column(settings), Path(settings["images"])
    names = FileNames(folder, _images(folder))
    return {
        part: _found(_named(open_file(path, settings), column, settings), names, folder, path)
        for part, path in part_paths(settings).items()
    }


def _named(file: TableFile, column: str, settings: Settings) -> Iterator[pd.Series]:
    """What the rows with a target call their images."""
    targets = target_columns(settings, file.columns, file.path)
    for frame in with_target(file.frames(ROWS, [*targets, column]), targets, settings):
        yield frame[column]


def _found(named: Iterator[pd.Series], names: FileNames, folder: Path, path: Path) -> list[Path]:
    """The images of these names.

    Raises:
        DataError: there are none of some names; the message lists the first ones.
    """
    found: list[Path] = []
    lost: list[str] = []
    for values in named:
        for row, name in zip(values.index, values.fillna("").astype(str), strict=True):
            image = names.find(name)
            if image is None:
                lost.append(f"{printable(name)!r} in row {row + 1}")
            else:
                found.append(image)
    if lost:
        raise DataError(
            f"{path}: {len(lost)} of {len(lost) + len(found)} rows name no image in {folder}, such"
            f" as {', '.join(lost[:SHOWN])}; add the images, or remove the rows"
        )
    return found


# --- samples for the final model ------------------------------------------------------------------


def read_raw(data: Mapping[str, Any], part: str, positions: np.ndarray) -> list[Inputs]:
    """Some rows and images as the final model takes them (see `raw_tables`, `images`)."""
    if not data["inputs"]:
        return raw_tables.read_rows(data, part, positions)
    features, image = joined_inputs.descriptions(data)
    (rows,) = raw_tables.read_rows(features, part, positions)
    files = _files(data["settings"])[part]
    batches = images.raw_images([files[i] for i in positions], image)
    starts = np.cumsum([0, *map(len, batches)])
    return [
        _together(data, rows, slice(start, start + len(batch)), batch)
        for start, batch in zip(starts, batches, strict=False)
    ]


def _together(
    data: Mapping[str, Any], rows: Inputs, part: slice, pixels: np.ndarray
) -> dict[str, np.ndarray]:
    """Some rows and their images, by the names of the final model's inputs."""
    features, image = (joined_inputs.input_name(data, name) for name in (FEATURES, IMAGE))
    of_rows = rows if isinstance(rows, dict) else {features: rows}
    return {**{name: values[part] for name, values in of_rows.items()}, image: pixels}


def read_new(data: Mapping[str, Any], path: Path, labelled: bool) -> NewSamples:
    """Open the rows of a table with their images, beside it or where those of training are.

    Raises:
        DataError: it cannot be read, lacks a column, or a row names no image.
    """
    if not data["inputs"]:
        return new_tables.read_new(data, path, labelled)
    features, image = joined_inputs.descriptions(data)
    rows = new_tables.read_new(features, path, labelled)
    return NewSamples(_with_images(rows, data, image, path, labelled), rows.label_name, rows.notes)


def _with_images(
    rows: NewSamples,
    data: Mapping[str, Any],
    image: Mapping[str, Any],
    path: Path,
    labelled: bool,
) -> Iterator[Batch]:
    settings = data["settings"]
    column = image["reading"]["column"]
    file = new_tables.open_new(data, path, labelled)
    if column not in file.columns:
        raise DataError(f"{path}: has no column {column!r}, which names the image of each row")
    if labelled:
        named = _named(file, column, settings)
    else:
        named = (frame[column] for frame in file.frames(ROWS, [column]))
    for batch, values in zip(rows.batches, named, strict=True):
        files = _new_files(values, path, settings)
        step = rows_per_chunk(tuple(image["shape"]), np.dtype(image["type"]))
        for start in range(0, len(files), step):
            part = slice(start, start + step)
            inputs = _together(data, batch.inputs, part, new_images.read(files[part], image, path))
            keys = {name: list(named)[part] for name, named in batch.keys.items()}
            yield Batch(keys, inputs, None if batch.labels is None else batch.labels[part])


def _new_files(values: pd.Series, path: Path, settings: Settings) -> list[Path]:
    """The images of some rows of a new table."""
    trained = Path(settings["images"])
    folders = [path.parent / trained.name, trained, path.parent]
    found = [folder for folder in folders if folder.is_dir()]
    first = str(values.iloc[0]) if len(values) else ""
    for folder in found:
        names = FileNames(folder, _images_or_none(folder))
        if names.find(first) is not None or folder == found[-1]:
            return _found(iter([values]), names, folder, path)
    raise DataError(f"{path}: there is no folder {trained.name} with the images of its rows")


def _images_or_none(folder: Path) -> Sequence[Path]:
    try:
        return _images(folder)
    except DataError:
        return ()


TABLE = SourceType(open_rows, is_flat, known_inputs=known_inputs, raw=read_raw, read_new=read_new)
