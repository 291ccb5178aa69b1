"""Arrays in an `.npz` file or a folder of `.npy` files: x_train, y_train and so on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from netsurgery.datasets import array_splits
from netsurgery.datasets.array_files import SUFFIXES, AnyArray, array_names, open_array
from netsurgery.datasets.joined_inputs import joined
from netsurgery.datasets.source import (
    TRAINING,
    Chunk,
    DataError,
    Settings,
    Source,
    SourceType,
    Suggestion,
    is_series,
    rows_per_chunk,
    stored_dtype,
)
from netsurgery.networks.layers import Shape

# (samples, a, b) are rather series than grey images if one side is so many times the other ...
SERIES_RATIO = 4
FEW_FEATURES = 16  # ... or twice the other, which is at most this
MANY_CHANNELS = 4
SERIES_AXES = 3  # samples, steps, channels


def input_names(path: Path) -> list[str]:
    """The names of the inputs where there are arrays such as x_image_train; none for x_train.

    Raises:
        DataError: the file is not an `.npz` file.
    """
    names, suffix = sorted(array_names(path)), f"_{SUFFIXES[TRAINING]}"
    if f"x{suffix}" in names:
        return []
    found = [name for name in names if name.startswith("x_") and name.endswith(suffix)]
    return [name.removeprefix("x_").removesuffix(suffix) for name in found]


def _find_parts(path: Path, stem: str = "x") -> dict[str, tuple[AnyArray, AnyArray]]:
    """The arrays of samples and labels of each part.

    Args:
        path: of the file or folder.
        stem: of the names of the samples, such as x_image for x_image_train.

    Raises:
        DataError: one of them is missing, or they have different numbers of samples.
    """
    available, parts = array_names(path), {}
    for part, suffix in SUFFIXES.items():
        pair = [f"{kind}_{suffix}" for kind in (stem, "y")]
        missing = [name for name in pair if name not in available]
        if missing == pair and part != TRAINING:
            continue
        if missing:
            found = ", ".join(sorted(available)) or "nothing"
            raise DataError(
                f"{path}: {missing[0]} is missing; found {found} (required: {stem}_train, y_train; "
                f"optional: {stem}_val, y_val, {stem}_test, y_test); name arrays as you save them, "
                f"such as numpy.savez(file, {stem}_train=x, y_train=y)"
            )
        x, y = (open_array(path, name) for name in pair)
        if x.shape[:1] != y.shape[:1]:
            raise DataError(
                f"{x} has shape {x.shape}, but {y.name} {y.shape}; each sample needs one label"
            )
        parts[part] = x, y
    return parts


def _sample_shape(x: AnyArray, *, series: bool = False) -> Shape:
    """The shape of a sample; an image or series of one channel without an axis of it gets one.

    Raises:
        DataError: samples are neither images nor rows of a table, or no series if they should be.
    """
    if series:
        return _series_shape(x)
    match x.shape:
        case (_, height, width) if height and width:
            return height, width, 1
        case (_, features) if features:
            return (features,)
        case (_, height, width, channels) if height and width and channels:
            if height <= MANY_CHANNELS and min(width, channels) > MANY_CHANNELS:
                raise DataError(f"{x} has shape {x.shape}; channels must be the last axis")
            return height, width, channels
        case _:
            raise DataError(
                f"{x} has shape {x.shape}; images must be (samples, height, width, channels) or "
                f"(samples, height, width), tables (samples, features)"
            )


def _series_shape(x: AnyArray) -> Shape:
    match x.shape:
        case (_, steps) if steps:
            return steps, 1
        case (_, steps, channels) if steps and channels:
            return steps, channels
        case _:
            raise DataError(
                f"{x} has shape {x.shape}; series must be (samples, steps, channels) or "
                f"(samples, steps)"
            )


def _looks_like_series(height: int, width: int) -> bool:
    """Whether samples of two axes are rather steps and features than pixels."""
    short, long = sorted((height, width))
    return long > SERIES_RATIO * short or (short <= FEW_FEATURES and long >= 2 * short)


def _notes(x: AnyArray, *, series: bool) -> Iterator[str]:
    """What samples were taken for where that is not certain.

    Raises:
        DataError: they may as well be series as images.
    """
    if series:
        if len(x.shape) == 3 and x.shape[1] < x.shape[2]:
            yield (
                f"{x} has shape {x.shape} and is taken for series of {x.shape[1]} steps with "
                f"{x.shape[2]} channels; if it is the other way round, save "
                f"{x.name}.transpose(0, 2, 1)"
            )
        return
    match x.shape:
        case (_, height, width):
            unlikely = _looks_like_series(height, width)
            pixels = x.dtype == np.bool_ or x.dtype == np.uint8
            if unlikely and not pixels:
                raise DataError(
                    f"{x} has shape {x.shape}: images, or series of steps and features? Add an "
                    f"axis of channels to images ({x.name}[..., None]), or set "
                    f"`source: series`",
                    Suggestion("source", "series", "samples are much longer than wide"),
                )
            if unlikely or not pixels:
                yield (
                    f"{x} has shape {x.shape} and is taken for grey images of {height} x {width} "
                    f"pixels; set `source: series` if they are series"
                )
        case (_, height, width, channels) if channels > MANY_CHANNELS:
            yield (
                f"{x} has shape {x.shape} and is taken for images of {height} x {width} pixels "
                f"with {channels} channels"
            )


def is_flat(settings: Settings) -> bool | None:
    """Whether samples are rows of features; None if the file cannot be read."""
    if is_series(settings):
        return False
    try:
        path = Path(settings["path"])
        names = input_names(path)
        stems = [f"x_{name}" for name in names] if len(names) > 1 else ["x"]
        return all(len(open_array(path, f"{stem}_train").shape) == 2 for stem in stems)
    except (DataError, KeyError):
        return None


def known_shape(settings: Settings) -> tuple[Shape | None, None]:
    """The shape of a sample; None if it cannot be read. The labels are not read."""
    if inputs := known_inputs(settings):
        return (sum(map(math.prod, inputs.values())),), None
    try:
        x = open_array(Path(settings["path"]), "x_train")
        return _sample_shape(x, series=is_series(settings)), None
    except (DataError, KeyError):
        return None, None


def _is_series(x: AnyArray, settings: Settings) -> bool:
    """Whether an array holds series; one of several inputs also may be rows or images."""
    alone = x.name == f"x_{SUFFIXES[TRAINING]}"
    return is_series(settings) and (alone or len(x.shape) == SERIES_AXES)


def known_inputs(settings: Settings) -> dict[str, Shape]:
    """The shape of each input where there are several; empty if they cannot be read."""
    try:
        path = Path(settings["path"])
        arrays = {name: open_array(path, f"x_{name}_train") for name in input_names(path)}
        shapes = {
            name: _sample_shape(x, series=_is_series(x, settings)) for name, x in arrays.items()
        }
    except (DataError, KeyError):
        return {}
    return shapes if len(shapes) > 1 else {}


def open_arrays(settings: Settings) -> Source:
    """Open the arrays of an `.npz` file or a folder.

    Raises:
        DataError: an array is missing, or has an unsupported shape or dtype.
    """
    path = Path(settings["path"])
    names = input_names(path)
    if len(names) < 2:
        return _open(path, settings, "x")
    return joined({name: _open(path, settings, f"x_{name}") for name in names})


def _open(path: Path, settings: Settings, stem: str) -> Source:
    """Open the arrays of one input."""
    parts = _find_parts(path, stem)
    first, labels = parts[TRAINING]
    for x, y in parts.values():
        if x.dtype.names:
            raise DataError(
                f"{x}: has named columns ({', '.join(x.dtype.names)}); save a plain array "
                f"(numpy.lib.recfunctions.structured_to_unstructured), or a csv file"
            )
        if x.dtype.kind not in "buif":
            raise DataError(f"{x}: has dtype {x.dtype}; samples must be integers or floats")
        if x.shape[1:] != first.shape[1:]:
            raise DataError(
                f"{x} has shape {x.shape}, but {first.name} {first.shape}; samples of all parts "
                f"must have the same shape"
            )
        if y.shape[1:] != labels.shape[1:]:
            raise DataError(
                f"{y} has shape {y.shape}, but {labels.name} {labels.shape}; labels of all parts "
                f"must have the same shape"
            )
    series = _is_series(first, settings)
    shape, notes = _sample_shape(first, series=series), [*_notes(first, series=series)]
    for x, _ in parts.values():
        if x.dtype.kind != first.dtype.kind:
            notes.append(
                f"{x} has dtype {x.dtype}, but {first.name} {first.dtype}; both must have the same "
                f"unit, such as pixels from 0 to 255"
            )
    dtype = stored_dtype(np.result_type(*(x.dtype for x, _ in parts.values())))

    def chunks(part: str) -> Iterator[Chunk]:
        x, y = parts[part]
        rows = rows_per_chunk(shape, x.dtype)
        for samples, targets in zip(x.chunks(rows), y.chunks(rows), strict=True):
            yield samples.reshape(-1, *shape), targets

    integers = dtype.kind in "iu"
    return Source(
        origin=str(path),
        version="",
        shape=shape,
        dtype=dtype,
        counts={part: x.shape[0] for part, (x, _) in parts.items()},
        chunks=chunks,
        scaling="unit" if integers and len(shape) == 3 else "standard",
        largest=float(np.iinfo(dtype).max) if integers else 1.0,
        label_names={part: str(y) for part, (_, y) in parts.items()},
        notes=tuple(notes),
        keys=array_splits.keys_of(
            path, settings, {part: x.shape[0] for part, (x, _) in parts.items()}
        ),
    )


NPZ = NPY = HDF5 = SourceType(
    open_arrays, is_flat, known_shape=known_shape, known_inputs=known_inputs
)
