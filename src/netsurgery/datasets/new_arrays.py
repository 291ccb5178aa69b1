"""Samples of a file of arrays for a trained model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from netsurgery.datasets.array_files import SUFFIXES, AnyArray, array_names, open_array
from netsurgery.datasets.joined_inputs import description_of, parts_of
from netsurgery.datasets.source import (
    TEST,
    Batch,
    DataError,
    NewSamples,
    rows_per_chunk,
)
from netsurgery.networks.layers import Shape

KEY = "sample"  # counted from 0, as in numpy and in messages


def read_new(data: Mapping[str, Any], path: Path, labelled: bool) -> NewSamples:
    """Open the samples of an `.npz` or `.npy` file, or a folder of `.npy` files.

    The array is the only one of samples, x or x_test.

    Args:
        data: description of the prepared dataset.
        path: of the file or folder.
        labelled: whether to read the labels, y of the same suffix.

    Raises:
        DataError: there is no such array, or its samples are not like those of training.
    """
    if data["inputs"]:
        return _read_several(data, path, labelled)
    place, name = _samples_among(path)
    x = open_array(place, name)
    shape = _checked_shape(x, data)
    label_name = "y" + name.removeprefix("x")
    y = open_array(place, label_name) if labelled else None
    if y is not None and y.shape[:1] != x.shape[:1]:
        raise DataError(
            f"{x} has shape {x.shape}, but {y.name} {y.shape}; each sample needs one label"
        )
    return NewSamples(_batches(x, y, shape, data), str(y), list(_notes(x, path, data)))


def _read_several(data: Mapping[str, Any], path: Path, labelled: bool) -> NewSamples:
    """Open the samples of several inputs, such as x_image and x_row, or x_image_test and so on."""
    names, parts = array_names(path), parts_of(data)
    suffixes = ["", *(f"_{suffix}" for suffix in reversed(SUFFIXES.values()))]
    complete = [s for s in suffixes if all(f"x_{part.name}{s}" in names for part in parts)]
    if not complete:
        needed = ", ".join(f"x_{part.name}" for part in parts)
        found = ", ".join(sorted(names)) or "nothing"
        raise DataError(f"{path}: the model takes the arrays {needed}; found {found}")
    suffix, arrays = complete[0], dict[str, tuple[AnyArray, Mapping[str, Any]]]()
    for part in parts:
        x, own = open_array(path, f"x_{part.name}{suffix}"), description_of(data, part)
        _checked_shape(x, own)
        arrays[part.name] = x, own
    first, _ = arrays[parts[0].name]
    y = open_array(path, f"y{suffix}") if labelled else None
    for other in [*(x for x, _ in arrays.values()), *([] if y is None else [y])]:
        if other.shape[:1] != first.shape[:1]:
            raise DataError(
                f"{first} has shape {first.shape}, but {other.name} {other.shape}; each sample "
                f"needs one of each"
            )
    notes = [note for x, own in arrays.values() for note in _notes(x, path, own)]
    return NewSamples(_batches_of_several(arrays, y), str(y), notes if suffix else [])


def _batches_of_several(
    arrays: Mapping[str, tuple[AnyArray, Mapping[str, Any]]], y: AnyArray | None
) -> Iterator[Batch]:
    shape = (sum(math.prod(own["shape"]) for _, own in arrays.values()),)
    rows = rows_per_chunk(shape, np.dtype(np.float64))
    batches = [_batches(x, y, tuple(own["shape"]), own, rows=rows) for x, own in arrays.values()]
    for together in zip(*batches, strict=True):
        inputs = {name: batch.inputs for name, batch in zip(arrays, together, strict=True)}
        yield replace(together[0], inputs=inputs)


def _samples_among(path: Path) -> tuple[Path, str]:
    """The file or folder that holds the array of samples, and the array's name."""
    if path.suffix == ".npy" and path.is_file():
        return path.parent, path.stem
    names = array_names(path)
    x = sorted(name for name in names if name == "x" or name.startswith("x_"))
    for preferred in ("x", f"x_{SUFFIXES[TEST]}"):
        if preferred in x:
            return path, preferred
    if len(x) != 1:
        found = ", ".join(sorted(names)) or "nothing"
        raise DataError(
            f"{path}: has no array of samples to predict, named x or x_test (found {found}); save "
            f"it with numpy.savez(file, x=samples), with y=labels for `evaluate`"
        )
    return path, x[0]


def _checked_shape(x: AnyArray, data: Mapping[str, Any]) -> Shape:
    """The shape of a sample; an axis of one channel may be left out."""
    shape = tuple(data["shape"])
    short = shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape
    if x.dtype.kind not in "buif":
        raise DataError(f"{x}: has dtype {x.dtype}; samples must be integers or floats")
    if x.shape[1:] not in (shape, short):
        needed = ", ".join(map(str, ("samples", *shape)))
        raise DataError(f"{x} has shape {x.shape}; the model takes ({needed})")
    return shape


def _notes(x: AnyArray, path: Path, data: Mapping[str, Any]) -> Iterator[str]:
    """What the user should know of how the samples are read: one line each."""
    if x.path == path and x.name != "x":
        yield f"{x}: of the arrays, this one is read"
    if x.dtype.kind == "f" and np.dtype(data["type"]).kind in "iu":
        yield (
            f"{x} has dtype {x.dtype}, but the model was trained on {data['type']}; both must have "
            f"the same unit, such as pixels from 0 to 255"
        )


def _batches(
    x: AnyArray,
    y: AnyArray | None,
    shape: Shape,
    data: Mapping[str, Any],
    *,
    rows: int | None = None,
) -> Iterator[Batch]:
    rows = rows or rows_per_chunk(shape, x.dtype)
    labels = iter(()) if y is None else y.chunks(rows)
    start = 0
    for samples in x.chunks(rows):
        if samples.dtype.kind == "f" and not data["missing"]:
            invalid = np.argwhere(~np.isfinite(samples))
            if len(invalid):
                sample, *place = invalid[0].tolist()
                raise DataError(
                    f"{x}: sample {start + sample}, value {tuple(place)} is "
                    f"{samples[tuple(invalid[0])]}, not a finite number"
                )
        keys = {KEY: range(start, start + len(samples))}
        yield Batch(keys, samples.reshape(-1, *shape), next(labels, None))
        start += len(samples)
