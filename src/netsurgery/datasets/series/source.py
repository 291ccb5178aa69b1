"""The source of series: from arrays, tables, UCR files and folders to samples of equal length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from netsurgery.datasets import arrays, hdf5_arrays, new_arrays
from netsurgery.datasets.series import folders, samples, tables, ts_files
from netsurgery.datasets.series.recordings import Recordings
from netsurgery.datasets.series.samples import SeriesSamples, Windows
from netsurgery.datasets.source import (
    TRAINING,
    Batch,
    Chunk,
    DataError,
    NewSamples,
    Settings,
    Source,
    SourceType,
    SplitKeys,
    part_paths,
    rows_per_chunk,
)
from netsurgery.datasets.target_columns import SEPARATOR
from netsurgery.networks.layers import Shape
from netsurgery.objectives.tasks import CLASSIFICATION, MULTILABEL, REGRESSION

TS, NPZ = ".ts", ".npz"


def task_of(settings: Settings) -> str:
    """The task: regression for forecasts, else classification, if none is set."""
    task: str = settings.get("task", REGRESSION if "horizon" in settings else CLASSIFICATION)
    return task


def _is_arrays(path: Path) -> bool:
    """Whether a path is that of arrays x_train, y_train and so on."""
    named = path.suffix.lower() == NPZ or any(path.glob("x_*train.npy"))
    return named or hdf5_arrays.is_hdf5(path)


def known_inputs(settings: Settings) -> Mapping[str, Shape]:
    """The inputs of arrays that have several."""
    return arrays.known_inputs(settings) if _is_arrays(Path(settings["path"])) else {}


def known_shape(settings: Settings) -> tuple[Shape | None, int | None]:
    """The shape of a sample and the number of outputs, as far as it is quickly known."""
    outputs = settings.get("horizon")
    if _is_arrays(Path(settings["path"])):
        return arrays.known_shape(settings)[0], outputs
    return None, outputs


def _is_flat(settings: Settings) -> bool:
    return False


def open_series(settings: Settings) -> Source:
    """Read series and make samples of them.

    Raises:
        DataError: they cannot be read.
    """
    if _is_arrays(Path(settings["path"])):
        return _open_arrays(settings)
    opened = {part: read(path, settings) for part, path in part_paths(settings).items()}
    training = opened[TRAINING]
    found: dict[str, SeriesSamples] = {}
    for part, path in part_paths(settings).items():
        recordings = opened[part]
        if len(recordings.channels) != len(training.channels):
            raise DataError(
                f"{path}: has {len(recordings.channels)} channels, but the training series have "
                f"{len(training.channels)}"
            )
        found[part] = samples_of(recordings, settings, path)
    steps = settings.get("length", max(map(len, found[TRAINING].x)))
    shape: Shape = (steps, len(training.channels))

    def chunks(part: str) -> Iterator[Chunk]:
        of_part = found[part]
        rows = rows_per_chunk(shape, np.dtype(np.float64))
        for start in range(0, len(of_part.x), rows):
            chosen = slice(start, start + rows)
            yield samples.stacked(of_part.x[chosen], steps), of_part.y[chosen]

    notes = [note for of_part in opened.values() for note in of_part.notes]
    notes += [note for of_part in found.values() for note in of_part.notes]
    lengths = [len(values) for of_part in found.values() for values in of_part.x]
    return Source(
        origin=settings["path"],
        version="",
        shape=shape,
        dtype=np.dtype(np.float32),
        counts={part: len(of_part.x) for part, of_part in found.items()},
        chunks=chunks,
        scaling="standard",
        label_names={part: f"{path}: labels" for part, path in part_paths(settings).items()},
        file_columns=training.channels,
        targets=_target_names(training, settings),
        labels=_label_names(training, settings),
        notes=(*notes, *samples.notes_on_length(lengths, steps, settings["path"], settings)),
        keys=_keys(found, settings),
    )


def _open_arrays(settings: Settings) -> Source:
    unused = [key for key in ("id", "window", "target") if key in settings]
    if unused:
        raise DataError(
            f"{settings['path']}: `{unused[0]}` is for tables and folders; arrays hold a label for "
            f"each series already"
        )
    return arrays.open_arrays(settings)


def _windows(settings: Settings) -> Windows | None:
    """How the settings cut recordings; None: they stay whole."""
    if "window" not in settings:
        return None
    steps, horizon = settings["window"], settings.get("horizon")
    stride = settings.get("stride", 1 if horizon else max(1, steps // 2))
    return Windows(steps, stride, horizon)


def read(
    path: Path, settings: Settings, channels: tuple[str, ...] = (), *, labelled: bool = True
) -> Recordings:
    """Read the recordings of a file or folder.

    Args:
        path: of the file or folder.
        settings: of the dataset.
        channels: their names in training, for a file without labels.
        labelled: whether to read labels; a file without them may lack their column.

    Raises:
        DataError: they cannot be read.
    """
    task = task_of(settings)
    if Path(settings["path"]).is_dir() and not labelled:
        return folders.read_files(path, settings, channels)
    if path.is_dir():
        if task != CLASSIFICATION:
            what = "numbers" if task == REGRESSION else "several labels"
            raise DataError(f"{path}: a folder has a subfolder per class; it gives no {what}")
        return folders.read_folder(path, settings)
    if path.suffix.lower() == ".tsf":
        raise DataError(
            f"{path}: .tsf files cannot be read; save the series as a table with a row per step"
        )
    if path.suffix.lower() == TS:
        return ts_files.read_ts(path, task, labelled=labelled)
    if "id" in settings or "window" in settings:
        return tables.read_long(path, settings, task, labelled=labelled)
    return tables.read_wide(path, settings, task, labelled=labelled)


def samples_of(recordings: Recordings, settings: Settings, path: Path) -> SeriesSamples:
    """The samples that settings make of recordings.

    Raises:
        DataError: they cannot be made.
    """
    windows = _windows(settings)
    if windows is None:
        return samples.whole(recordings.all, recordings.channels, str(path))
    return samples.windows(recordings.all, recordings.channels, str(path), windows)


def _target_names(training: Recordings, settings: Settings) -> tuple[str, ...]:
    """The names of several outputs: of columns, or of the steps after the window of a forecast."""
    if "horizon" not in settings:
        return training.targets if len(training.targets) > 1 else ()
    steps = range(1, settings["horizon"] + 1)
    return tuple(f"{settings['target']}+{step}" for step in steps)


def _label_names(training: Recordings, settings: Settings) -> tuple[str, ...] | None:
    """The names of the labels, if each has a column."""
    columns = task_of(settings) == MULTILABEL and SEPARATOR not in settings
    return training.targets if columns and training.targets else None


def _keys(found: Mapping[str, SeriesSamples], settings: Settings) -> Any:
    """What a split respects: a function of a part, or None for a random split.

    Overlapping windows must not be on both sides: several recordings stay whole, forecasts are
    tested on later times, as are the windows of a single recording.
    """
    if "group" in settings:
        return lambda part: SplitKeys(settings["group"], groups=found[part].groups)
    if "window" not in settings:
        wide = "time" in settings and "id" not in settings
        if not wide:
            return None
        return lambda part: SplitKeys(settings["time"], spans=found[part].spans)
    time = settings.get("time", "steps")
    if "horizon" in settings or found[TRAINING].groups is None:
        if any(of_part.spans is None for of_part in found.values()):
            raise DataError(
                f"{settings['path']}: several series are split by time; set `time`, the column of "
                f"the times"
            )
        return lambda part: SplitKeys(time, spans=found[part].spans)
    return lambda part: SplitKeys(settings.get("id", "recording"), groups=found[part].groups)


def read_new(data: Mapping[str, Any], path: Path, labelled: bool) -> NewSamples:
    """Open series for a trained model, read as those of training were.

    Without labels, a forecast is made for the end of each series too.

    Args:
        data: description of the prepared dataset.
        path: of the file or folder.
        labelled: whether to read labels.

    Raises:
        DataError: they cannot be read, or have other channels.
    """
    if _is_arrays(path):
        return new_arrays.read_new(data, path, labelled)
    settings, (steps, width) = data["settings"], data["shape"]
    channels = tuple(data["file_columns"])
    settings = {key: value for key, value in settings.items() if key != "group"}
    settings["length"] = steps
    if "id" in settings or "window" in settings:  # a row per step: further columns do not matter
        settings["channels"] = list(channels)
    recordings = read(path, settings, channels, labelled=labelled)
    if len(recordings.channels) != width:
        raise DataError(
            f"{path}: has {len(recordings.channels)} channels, but the model takes {width}"
        )
    found = samples_of(recordings, settings, path)
    rows = rows_per_chunk((steps, width), np.dtype(np.float64))

    def batches() -> Iterator[Batch]:
        for start in range(0, len(found.x), rows):
            chosen = slice(start, start + rows)
            names, firsts = zip(*found.places[chosen], strict=True)
            keys = {"series": names} | ({"first step": firsts} if "window" in settings else {})
            x = samples.stacked(found.x[chosen], steps)
            yield Batch(keys, x, found.y[chosen] if labelled else None)

    notes = [*recordings.notes, *found.notes]
    notes += samples.notes_on_length(list(map(len, found.x)), steps, str(path), settings)
    return NewSamples(batches(), f"{path}: labels", notes)


SERIES = SourceType(
    open_series,
    _is_flat,
    task=task_of,
    known_shape=known_shape,
    known_inputs=known_inputs,
    read_new=read_new,
)
