"""Labels of images in a table beside their folder: a row per image, with the name of its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets import image_folders, table_reader, target_columns
from netsurgery.datasets.columns import text_of
from netsurgery.datasets.folders import is_system, walk
from netsurgery.datasets.image_folders import ImageFolder
from netsurgery.datasets.number_formats import PLAIN
from netsurgery.datasets.plain_tables import chosen_columns, open_table
from netsurgery.datasets.row_files import FileNames, file_column
from netsurgery.datasets.source import DataError
from netsurgery.datasets.target_columns import SEPARATOR
from netsurgery.objectives.tasks import CLASSIFICATION, MULTILABEL

if TYPE_CHECKING:
    import pandas as pd

READING: dict[str, Any] = {"decimal": ".", "thousands": "", "na_values": ["?"], "drop": []}
SHOWN = 3
LOOKED_AT = 50  # rows, whether they name images


@dataclass(frozen=True)
class LabelTable:
    """Images with the labels of a table.

    Attributes:
        folder: the images by class; all under one name for other tasks.
        targets: numbers (n, targets), labels (n, labels) of 0 and 1 or texts (n,) that hold labels,
            in the order of `folder.files`; None: labels are classes.
        groups: of the images in that order; None: no column is named.
        names: of the columns with the targets.
        notes: lines for the user.
    """

    folder: ImageFolder
    targets: np.ndarray | None
    groups: np.ndarray | None
    names: tuple[str, ...]
    notes: tuple[str, ...]


def read(settings: Mapping[str, Any]) -> LabelTable:
    """Read the labels of the images in a folder.

    Raises:
        DataError: the table names no images, or a label is missing or no number.
    """
    path, labels = Path(settings["path"]), Path(settings["labels"])
    images, others, system = images_in(path)
    names = FileNames(path, images)
    file, frame = _table(labels, settings, names)
    column = file_column(frame, names, "images", labels)
    targets = _target_columns(settings, frame, file, column)
    rows, notes = _matched(frame[column], names, path, labels, len(images))
    frame = frame.iloc[[row for row, _ in rows]].reset_index(drop=True)
    files = [image for _, image in rows]
    groups = _groups(frame, settings, file)
    task = settings.get("task", CLASSIFICATION)
    if task != CLASSIFICATION:
        if not settings.get(SEPARATOR):
            _check_present(frame[targets].isna().any(axis=1).to_numpy(), files, targets, labels)
        found = target_columns.targets(frame, targets, {"task": task, **settings}, PLAIN, labels)
        order = np.argsort([str(image) for image in files])
        by_class = {"": [files[i] for i in order]}
        values: np.ndarray | None = found[order]
    else:
        _check_present(frame[targets[0]].isna().to_numpy(), files, targets, labels)
        classes = list(text_of(frame[targets[0]]))
        whole = all(name.removeprefix("-").isdecimal() for name in classes)
        listed = sorted(set(classes), key=int if whole else str)
        by_class = {
            name: sorted(image for image, of in zip(files, classes, strict=True) if of == name)
            for name in listed
        }
        values = None
    folder = ImageFolder(path, by_class, [], others, system)
    position = {image: i for i, image in enumerate(files)}
    ordered = None if groups is None else groups[[position[image] for image in folder.files]]
    return LabelTable(folder, values, ordered, tuple(targets), tuple(notes))


def images_in(path: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """The images of a folder at any depth, its other files, and those of operating systems.

    Raises:
        DataError: there are no images, or no folder.
    """
    if not path.is_dir():
        raise DataError(f"{path}: is no folder")
    suffixes = image_folders.image_suffixes()
    images, others, system = list[Path](), list[Path](), list[Path]()
    for place, names in walk(path):
        for file in (place / name for name in names):
            if is_system(file.name):
                system.append(file)
            else:
                (images if file.suffix.lower() in suffixes else others).append(file)
    if not images:
        raise DataError(f"{path}: has no images")
    return sorted(images), others, system


def _table(
    labels: Path, settings: Mapping[str, Any], names: FileNames
) -> tuple[table_reader.TableFile, pd.DataFrame]:
    """The table of labels."""
    import pandas as pd

    file = _opened(labels, settings, names)
    frames = list(file.frames(table_reader.ROWS, file.columns))
    if not frames or not sum(map(len, frames)):
        raise DataError(f"{labels}: has no rows")
    return file, pd.concat(frames, ignore_index=True)


def _opened(labels: Path, settings: Mapping[str, Any], names: FileNames) -> table_reader.TableFile:
    """The file of labels; its first row names columns, unless it names an image."""
    reading = READING | {key: settings[key] for key in ("delimiter", "encoding") if key in settings}
    file = open_table(labels, {**reading, "header": True})
    if any(names.find(name) for name in file.columns):
        file = open_table(labels, {**reading, "header": False})
    return file


def column_in(labels: Path, names: FileNames) -> tuple[str, float]:
    """The column of a table that names images, and the share of its first rows that do.

    Raises:
        DataError: it cannot be read, or names no image.
    """
    file = _opened(labels, {}, names)
    frame = next(file.frames(LOOKED_AT, file.columns), None)
    if frame is None:
        raise DataError(f"{labels}: has no rows")
    column = file_column(frame, names, "images", labels)
    return column, float(np.mean([names.find(str(value)) is not None for value in frame[column]]))


def _target_columns(
    settings: Mapping[str, Any],
    frame: pd.DataFrame,
    file: table_reader.TableFile,
    column: str,
) -> list[str]:
    if "target" in settings:
        return target_columns.target_columns(settings, file.columns, file.path)
    others = [name for name in file.columns if name != column]
    if len(others) == 1:
        return others
    labels = [
        name for name in others if not np.isnan(target_columns.truth_of(frame[name].dropna())).any()
    ]
    if settings.get("task") == MULTILABEL and labels and not settings.get(SEPARATOR):
        return labels
    several = f"; for several labels, {', '.join(labels)}, set `task: {MULTILABEL}`"
    raise DataError(
        f"{file.path}: which column is the label of an image? Set `target` (columns: "
        f"{', '.join(others) or 'none besides the files'}){several * (len(labels) > 1)}"
    )


def _matched(
    values: pd.Series, names: FileNames, path: Path, labels: Path, images: int
) -> tuple[list[tuple[int, Path]], list[str]]:
    """The rows with an image, and notes on rows without one and images without a row."""
    found: dict[Path, int] = {}
    lost = []
    for row, name in enumerate(values.fillna("").astype(str)):
        image = names.find(name)
        if image is None:
            lost.append(name)
        elif image in found:
            raise DataError(
                f"{labels}: rows {found[image] + 1} and {row + 1} are both for "
                f"{image.relative_to(path)}; keep one row for each image"
            )
        else:
            found[image] = row
    notes = [f"{labels}: the column {values.name!r} names the images in {path}"]
    if lost:
        notes.append(
            f"{labels}: {len(lost)} of {len(values)} rows name no image in {path}, such as "
            f"{', '.join(map(repr, lost[:SHOWN]))}; left out"
        )
    if without := images - len(found):
        notes.append(f"{path}: {without} of {images} images have no row in {labels}; left out")
    return [(row, image) for image, row in found.items()], notes


def _check_present(
    missing: np.ndarray, files: Sequence[Path], targets: Sequence[str], labels: Path
) -> None:
    if missing.any():
        where = files[int(np.flatnonzero(missing)[0])]
        raise DataError(
            f"{labels}: {', '.join(targets)} is missing for {int(missing.sum())} images, such as "
            f"{where.name}; fill it in or remove the rows"
        )


def _groups(
    frame: pd.DataFrame, settings: Mapping[str, Any], file: table_reader.TableFile
) -> np.ndarray | None:
    """The values of the column that `group` names."""
    if "group" not in settings:
        return None
    (name,) = chosen_columns(file, {"group": [settings["group"]]}, "group")
    if frame[name].isna().any():
        row = int(np.flatnonzero(frame[name].isna())[0])
        raise DataError(f"{file.path}: column {name!r} (`group`) has no value in row {row + 1}")
    return np.array(list(text_of(frame[name])))
