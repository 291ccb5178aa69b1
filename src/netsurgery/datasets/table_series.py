"""Series of the rows of a table, a file each: its columns are channels, its rows are steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netsurgery.datasets.row_files import Description, FileKind
from netsurgery.datasets.series import folders, samples
from netsurgery.datasets.series.recordings import Recording
from netsurgery.datasets.series.samples import SeriesSamples
from netsurgery.datasets.source import (
    TRAINING,
    Chunk,
    DataError,
    Settings,
    Source,
    rows_per_chunk,
)
from netsurgery.networks.layers import Shape

# how the files are read if the settings of the table do not say how it writes numbers
READING: dict[str, Any] = {"decimal": ".", "thousands": "", "na_values": ["?"], "drop": []}
OF_TABLE = ("decimal", "thousands", "na_values", "encoding")


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DataError(f"{folder}: is no folder")
    found = folders.recordings_in(folder, [])
    if not found:
        listed = ", ".join(sorted(folders.SUFFIXES))
        raise DataError(f"{folder}: contains no series ({listed})")
    return found


def _smallest(settings: Settings) -> Shape:
    return settings.get("length", 1), len(settings.get(folders.CHOSEN, [0]))


def _read(
    files: Sequence[Path], settings: Settings, path: Path, channels: Sequence[str | int] = ()
) -> tuple[tuple[str, ...], SeriesSamples]:
    """The names of the channels of some files, and a sample of each.

    Args:
        files: that rows name; several may name the same.
        settings: of the dataset.
        path: of their folder or of the table, for messages.
        channels: the columns that are channels; none: all of each file.

    Raises:
        DataError: files cannot be read, or have other channels.
    """
    reading = READING | {key: settings[key] for key in OF_TABLE if key in settings}
    if channels:
        reading["channels"] = list(channels)
    names, values = folders.read_alike(files, reading, path, folders.CHOSEN)
    recordings = [Recording(file.name, values[file], None) for file in files]
    return names, samples.whole(recordings, names, str(path))


def _open(folder: Path, files: Mapping[str, list[Path]], settings: Settings) -> Source:
    """Open series; they get the length of the longest of training, or that of the settings."""
    names, training = _read(files[TRAINING], settings, folder, settings.get(folders.CHOSEN, ()))
    found = {
        part: training if part == TRAINING else _read(own, settings, folder, names)[1]
        for part, own in files.items()
    }
    steps = settings.get("length", max(map(len, training.x)))
    shape = (steps, len(names))

    def chunks(part: str) -> Iterator[Chunk]:
        x, rows = found[part].x, rows_per_chunk(shape, np.dtype(np.float64))
        for start in range(0, len(x), rows):
            chosen = samples.stacked(x[start : start + rows], steps)
            yield chosen, np.zeros(len(chosen))

    lengths = [len(values) for of_part in found.values() for values in of_part.x]
    notes = [note for of_part in found.values() for note in of_part.notes]
    return Source(
        origin=str(folder),
        version="",
        shape=shape,
        dtype=np.dtype(np.float32),
        counts={part: len(own) for part, own in files.items()},
        chunks=chunks,
        scaling="standard",
        notes=(*notes, *samples.notes_on_length(lengths, steps, str(folder), settings)),
        reading={"channels": list(names)},
    )


def _read_new(files: Sequence[Path], data: Description, path: Path) -> tuple[np.ndarray, list[str]]:
    """Series of the length of training, (n, steps, channels), and notes on them."""
    settings, steps = data["settings"], data["shape"][0]
    _, found = _read(files, settings, path, data["reading"]["channels"])
    lengths = [*map(len, found.x)]
    notes = [*found.notes, *samples.notes_on_length(lengths, steps, str(path), settings)]
    return samples.stacked(found.x, steps), notes


def _raw(files: Sequence[Path], data: Description) -> list[np.ndarray]:
    series, _ = _read_new(files, data, Path(data["settings"]["series"]))
    return [series]


def _suffixes() -> set[str]:
    return folders.SUFFIXES


SERIES = FileKind(
    "series",
    "series",
    "series_column",
    suffixes=_suffixes,
    files=_files,
    smallest=_smallest,
    open=_open,
    raw=_raw,
    read=_read_new,
)
