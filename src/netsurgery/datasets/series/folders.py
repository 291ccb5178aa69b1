"""Series in a folder with a subfolder per class, and a file per recording."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netsurgery.datasets import path_groups, table_reader
from netsurgery.datasets.folders import is_system, walk
from netsurgery.datasets.image_layout import parts_among
from netsurgery.datasets.plain_tables import chosen_columns, numbers_of, open_table
from netsurgery.datasets.series.recordings import Recording, Recordings
from netsurgery.datasets.source import DataError

SUFFIXES = {".csv", ".tsv", ".txt", ".dat", ".npy", ".parquet"}
SHOWN = 3  # problems in a message
COMPRESSED = {".gz", ".bz2", ".xz"}
DROP, CHOSEN = "drop", "series_channels"  # settings that choose columns
ADVICE = {
    DROP: "leave other columns out with `{}`",
    CHOSEN: "list the columns of numbers in `{}`",
}


def read_folder(path: Path, settings: Mapping[str, Any]) -> Recordings:
    """Read the recordings of every class; the columns of a file are channels, its rows steps.

    Raises:
        DataError: there are no classes, or a file cannot be read.
    """
    if not path.is_dir():
        raise DataError(f"{path}: is not a folder; expected a folder with a subfolder per class")
    classes = sorted(p for p in path.iterdir() if p.is_dir() and not is_system(p.name))
    if not classes:
        raise DataError(f"{path}: has no subfolders; expected one with recordings per class")
    if parts := parts_among(folder.name for folder in classes):
        raise DataError(
            f"{path}: its subfolders {', '.join(parts.values())} are parts of a dataset, not "
            f"classes; set `path`, `validation_path` and `test_path` to them"
        )
    skipped: list[Path] = []
    of_classes: dict[Path, list[Path]] = {}
    for folder in classes:
        of_classes[folder] = recordings_in(folder, skipped)
        if not of_classes[folder]:
            raise DataError(f"{folder}: contains no recordings ({', '.join(sorted(SUFFIXES))})")
    channels, read = read_alike([*itertools.chain(*of_classes.values())], settings, path)
    found = []
    for folder, files in of_classes.items():
        for file in files:
            group = path_groups.group_of(file, folder, settings.get("group"))
            label = np.full(len(read[file]), folder.name, dtype=object)
            found.append(Recording(str(file.relative_to(path)), read[file], label, group=group))
    notes = [
        f"{path}: {len(found)} recordings of {len(classes)} classes; the {_columns(len(channels))} "
        f"of each file are taken for channels, its rows for steps"
    ]
    if skipped:
        notes.append(
            f"{path}: skipped {len(skipped)} other files, such as {skipped[0].relative_to(path)}"
        )
    return Recordings(found, channels, tuple(notes), tuple(folder.name for folder in classes))


def read_alike(
    files: Sequence[Path], settings: Mapping[str, Any], path: Path, key: str = DROP
) -> tuple[tuple[str, ...], dict[Path, np.ndarray]]:
    """The names of the channels of some files, which all have, and the values of each.

    Args:
        files: at least one.
        settings: of the dataset.
        path: of their folder, for messages.
        key: see `read_file`.

    Returns:
        The names, and for each file (steps, channels).

    Raises:
        DataError: files cannot be read, or have other channels than the first one.
    """
    found: dict[Path, np.ndarray] = {}
    channels: tuple[str, ...] = ()
    problems: list[str] = []
    for file in dict.fromkeys(files):
        try:
            names, values = read_file(file, settings, key)
            if not found:
                channels = names
            _check_alike(file, names, next(iter(found), file), channels)
        except DataError as error:
            problems.append(str(error))
        else:
            found[file] = values
    if problems:
        listed = "; ".join(problems[:SHOWN])
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        of = f"{path}: {len(problems)} recordings cannot be used: " if len(problems) > 1 else ""
        raise DataError(f"{of}{listed}{more}")
    return channels, found


def _check_alike(
    file: Path, names: tuple[str, ...], first: Path, channels: tuple[str, ...]
) -> None:
    """Raise a `DataError` if a file has other channels than the first one."""
    if len(names) != len(channels):
        raise DataError(
            f"{file}: has {_columns(len(names))}, but {first} has {len(channels)}; each column is "
            f"a channel"
        )
    if names != channels:
        raise DataError(f"{file}: its columns {_listed(names)} are not those of {first}")


def read_files(path: Path, settings: Mapping[str, Any], channels: tuple[str, ...]) -> Recordings:
    """Read recordings without labels: a file, or all in a folder and those below.

    Args:
        path: of the file or folder.
        settings: of the dataset.
        channels: their names in training.

    Raises:
        DataError: there are none, or they have other channels.
    """
    skipped: list[Path] = []
    files = recordings_in(path, skipped) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path}: contains no recordings ({', '.join(sorted(SUFFIXES))})")
    found = []
    for file in files:
        names, values = read_file(file, settings)
        if len(names) != len(channels):
            raise DataError(
                f"{file}: has {_columns(len(names))}, but the model takes {len(channels)}"
            )
        name = str(file.relative_to(path)) if path.is_dir() else file.name
        found.append(Recording(name, values, None))
    return Recordings(found, channels)


def recordings_in(folder: Path, skipped: list[Path]) -> list[Path]:
    """The recordings in the folder of a class, and in those below; others are added to a list."""
    found: list[Path] = []
    for place, names in walk(folder):
        for file in (place / name for name in names):
            suffixes = [s.lower() for s in file.suffixes if s.lower() not in COMPRESSED]
            usable = not is_system(file.name) and suffixes[-1:] and suffixes[-1] in SUFFIXES
            (found if usable else skipped).append(file)
    return sorted(found)


def read_file(
    file: Path, settings: Mapping[str, Any], key: str = DROP
) -> tuple[tuple[str, ...], np.ndarray]:
    """The names of the channels in a file, and its values, (steps, channels).

    Args:
        file: a table, or an array.
        settings: of the dataset: `channels` and `drop` choose columns.
        key: the setting that chooses columns, for messages.

    Raises:
        DataError: it cannot be read.
    """
    if file.suffix.lower() == ".npy":
        return _read_npy(file, settings, key)
    table = open_table(file, settings)
    names = _channels(table.columns, settings, file, key)
    if not names:
        drop = chosen_columns(table, settings, "drop")
        names = [name for name in table.columns if name not in drop]
    parts, start = [], 0
    for frame in table.frames(table_reader.ROWS, names):
        parts.append(numbers_of(frame, names, table, start, ADVICE[key].format(key)))
        start += len(frame)
    if not start:
        raise DataError(f"{file}: has no rows")
    return tuple(names), np.concatenate(parts)


def _channels(names: Sequence[str], settings: Mapping[str, Any], file: Path, key: str) -> list[str]:
    """The columns of a file that are channels; none if the settings choose none."""
    purpose = "channels" if key == DROP else key
    chosen = settings.get("channels", ())
    return [table_reader.find_column(name, names, file, purpose) for name in chosen]


def _read_npy(
    file: Path, settings: Mapping[str, Any], key: str
) -> tuple[tuple[str, ...], np.ndarray]:
    try:
        values = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{file}: is not a readable array ({error})") from None
    if values.dtype.kind not in "buif" or values.ndim not in (1, 2) or not values.size:
        raise DataError(
            f"{file}: has shape {values.shape} and dtype {values.dtype}; a recording is numbers, "
            f"(steps, channels) or (steps,)"
        )
    values = values.reshape(len(values), -1).astype(np.float64)
    if np.isinf(values).any():
        raise DataError(f"{file}: has an infinite value")
    names = tuple(f"channel {i}" for i in range(values.shape[1]))
    chosen = _channels(names, settings, file, key) or list(names)
    return tuple(chosen), values[:, [names.index(name) for name in chosen]]


def _columns(count: int) -> str:
    return f"{count} column{'' if count == 1 else 's'}"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
