"""Whether a column of a table names images or series, one for each row, and where they are."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from pathlib import Path, PurePosixPath
from typing import Any

from netsurgery.datasets import image_labels, table_reader
from netsurgery.datasets.folders import is_system
from netsurgery.datasets.row_files import FileNames
from netsurgery.datasets.source import DataError, Suggestion
from netsurgery.datasets.table_files import KINDS
from netsurgery.datasets.table_images import IMAGES

LOOKED_AT = 50  # rows
LABELS = (".csv", ".tsv", ".txt", ".parquet")  # tables beside images


def guess(path: Path, settings: Mapping[str, Any]) -> list[Suggestion]:
    """The settings that read the files of the rows of a table; none if no column names any.

    Args:
        path: of the table.
        settings: of the dataset, which read it.

    Raises:
        DataError: the table cannot be read.
    """
    file = table_reader.open_file(path, settings)
    frame = next(file.frames(LOOKED_AT, file.columns), None)
    found: list[Suggestion] = []
    suffixes = [kind.suffixes() for kind in KINDS]
    below = _folders(path.parent)
    if settings.get("header", True) and any(
        PurePosixPath(name).suffix.lower() in of_kind
        and _place(PurePosixPath(name), path.parent, below) is not None
        for name in file.columns
        for of_kind in suffixes
    ):
        why = "the first row names a file, too"
        raise DataError(f"{path}: {why}", Suggestion("header", False, why))
    for name, column in () if frame is None else frame.items():
        values = list(dict.fromkeys(map(str, column.dropna())))
        for kind, of_kind in zip(KINDS, suffixes, strict=True):
            folder = _folder(values, of_kind, path.parent, below)
            if folder is not None and kind.key not in {each.key for each in found}:
                numbered = not settings.get("header", True) and "columns" not in settings
                found += [
                    Suggestion(kind.key, str(folder), f"column {name!r} names a file in each row"),
                    Suggestion(
                        kind.column_key, int(name) if numbered else name, f"names the {kind.key}"
                    ),
                ]
    return found


def _folders(beside: Path) -> list[Path]:
    """The folders beside a table."""
    return sorted(p for p in beside.iterdir() if p.is_dir() and not is_system(p.name))


def _folder(
    values: Sequence[str], suffixes: Set[str], beside: Path, below: Sequence[Path]
) -> Path | None:
    """Where the files are that most values name; None if there are none."""
    names = [PurePosixPath(value.replace("\\", "/")) for value in values]
    named = [name for name in names if name.suffix.lower() in suffixes]
    if not named or 2 * len(named) <= len(values):
        return None
    places = Counter(place for name in named if (place := _place(name, beside, below)) is not None)
    if 2 * places.total() <= len(values):
        return None
    return next(iter(places)) if len(places) == 1 else beside


def _place(name: PurePosixPath, beside: Path, below: Sequence[Path]) -> Path | None:
    """The folder beside a table in which a file is, or that of the table itself.

    Folders above it do not matter, as in paths of another computer.
    """
    parts = [part for part in name.parts if part != "/"]
    for first in range(len(parts)):
        if os.path.isfile(beside.joinpath(*parts[first:])):
            return beside / parts[first] if first < len(parts) - 1 else beside
    return next((place for place in below if os.path.isfile(place.joinpath(*parts))), None)


def labels_of(folder: Path) -> Path | None:
    """The table with the labels of the images in a folder; None if the folder has classes.

    It lies in the folder or, if that holds nothing but images, beside it.
    """
    images = IMAGES.files(folder)
    classes = {image.relative_to(folder).parts[0] for image in images if image.parent != folder}
    if len(classes) > 1:
        return None
    names = FileNames(folder, images)
    places = [folder] if classes else [folder, folder.resolve().parent]
    for place in places:
        for file in sorted(place.iterdir()):
            table = file.suffix.lower() in LABELS and not is_system(file.name)
            if table and _names_most(file, names):
                return file if place == folder else _beside(file, folder)
    return None


def _beside(file: Path, folder: Path) -> Path:
    """The path of a table as a user would write it who writes that of the folder so."""
    written = folder.parent / file.name
    return written if written.exists() and written.samefile(file) else file


def _names_most(table: Path, names: FileNames) -> bool:
    """Whether most rows of a table name an image."""
    try:
        _, share = image_labels.column_in(table, names)
    except (DataError, OSError):  # any file with such a name
        return False
    return share > 0.5
