"""The prepared form of a dataset: written once, memory-mapped by every training job.

A folder with `x.npy`, all samples as stored by their source: the training part first, then the
validation and test parts if the source provides them; `y.npy`, class numbers or targets; and
`data.json`, which describes them. Both arrays are in C order, whatever the layout of the source.
`split_by.npy`, if there are any, holds the groups or times that a split respects.
"""

from __future__ import annotations

import itertools
import math
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from netsurgery.datasets import joined_inputs, leaks, repeats, split_keys
from netsurgery.datasets.joined_inputs import JoinedUnitFitter
from netsurgery.datasets.prepared_labels import prepare_labels
from netsurgery.datasets.source import PARTS, TRAINING, DataError, Settings, Source, Suggestion
from netsurgery.datasets.units import UnitFitter, Units
from netsurgery.datasets.value_range import ValueRange
from netsurgery.networks.layers import input_parts
from netsurgery.storage.dependencies import NO_DEPENDENCIES, Dependencies
from netsurgery.storage.files import CHECKSUMS, atomic_path, checksums, read_json

FITTED = ("range", "standard")  # methods that fit the scaling to the training samples
ADDED: dict[str, Any] = {
    "settings": {},
    "units": None,
    "target_units": None,
    "file_columns": [],
    "targets": [],
    "table": [],
    "suggestions": [],
    "range": None,
    "target_range": None,
    "split_by": None,
    "labels": None,
    "label_counts": None,
    "target_ranges": None,
    "inputs": [],
}  # missing in data of 0.1
LISTED = 5  # columns in a warning


def _first_not_finite(x: np.ndarray, source: Source) -> tuple[int, ...] | None:
    """The index of the first value that is not a finite number; NaN may mark missing ones."""
    if x.dtype.kind != "f":
        return None
    invalid = np.isinf(x) if source.missing else ~np.isfinite(x)
    return tuple(np.argwhere(invalid)[0].tolist()) if invalid.any() else None


def _not_finite(value: Any, index: tuple[int, ...], source: Source, part: str) -> DataError:
    sample, *rest = index
    where = f"value {tuple(rest)}" if len(rest) > 1 else f"column {_column(rest[0], source)}"
    reason = "too large" if np.isfinite(value) else "not a finite number"
    return DataError(f"{source.origin}: {part} sample {sample}, {where} is {value}, {reason}")


def _column(index: int, source: Source) -> str:
    if source.inputs:
        return _value_of_input(index, source)
    return repr(source.features[index]["column"]) if source.features else str(index)


def _value_of_input(index: int, source: Source) -> str:
    shapes = {name: each.shape for name, each in source.inputs.items()}
    part = next(part for part in input_parts(shapes) if index < part.stop)
    own = source.inputs[part.name]
    if len(part.shape) == 1:
        return f"{_column(index - part.start, own)} of input {part.name}"
    place = np.unravel_index(index - part.start, part.shape)
    return f"{tuple(map(int, place))} of input {part.name}"


def _unit_fitter(source: Source, scaling: str | None) -> UnitFitter | JoinedUnitFitter | None:
    """What finds the units to store samples in; None if they are always stored as they are.

    Args:
        source: the opened dataset, or one of its inputs.
        scaling: the method that the settings name; None: that of the source.
    """
    if source.inputs:
        shapes = {name: each.shape for name, each in source.inputs.items()}
        parts = input_parts(shapes)
        found = {part: _unit_fitter(source.inputs[part.name], scaling) for part in parts}
        fitters = {part: each for part, each in found.items() if isinstance(each, UnitFitter)}
        return JoinedUnitFitter(fitters, parts[-1].stop) if fitters else None
    if source.dtype.kind != "f" or (scaling or source.scaling) not in FITTED:
        return None
    # each feature of a table has its own scale; images share one per channel
    return UnitFitter((0,) if source.features else tuple(range(len(source.shape))))


def _write_x(
    source: Source,
    parts: list[str],
    path: Path,
    seen: ValueRange,
    fitter: UnitFitter | JoinedUnitFitter | None = None,
    units: Units | None = None,
) -> tuple[dict[str, np.ndarray], bool]:
    """Write `x.npy`.

    Args:
        source: the opened dataset.
        parts: to write, in this order.
        path: of the file.
        seen: what all samples are shown to.
        fitter: to show the training samples to.
        units: to store samples in; None: as they are.

    Returns:
        The labels of each part, which are read with its samples; and whether all values could be
        stored. They always could without a fitter.

    Raises:
        DataError: a value is not finite or, without a fitter, too large.
    """
    labels_of, fits = {}, True
    shape = (sum(source.counts[part] for part in parts), *source.shape)
    needed = math.prod(shape) * source.dtype.itemsize
    folder = next(parent for parent in path.parents if parent.exists())
    if needed > shutil.disk_usage(folder).free:
        raise DataError(
            f"{source.origin}: needs {needed / 2**30:,.1f} GiB of free space in {folder}"
        )
    header = {"shape": shape, "fortran_order": False, "descr": npy.dtype_to_descr(source.dtype)}
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        npy.write_array_header_1_0(file, header)
        for part in parts:
            count, y = 0, []
            for samples, targets in source.chunks(part):
                with np.errstate(over="ignore"):
                    in_units = samples if units is None else units.store(samples)
                    x = in_units.astype(source.dtype, order="C", copy=False)
                if index := _first_not_finite(x, source):
                    value = samples[index]
                    if fitter is None or not np.isfinite(value):
                        raise _not_finite(value, (count + index[0], *index[1:]), source, part)
                    fits = False
                seen.update(samples)
                if fitter is not None and part == TRAINING:
                    fitter.update(samples)
                file.write(x.tobytes())
                count += len(x)
                y.append(targets)
            if count != source.counts[part]:
                raise DataError(
                    f"{source.origin}: read {count} {part} samples, expected {source.counts[part]}"
                )
            labels_of[part] = np.concatenate(y)
    return labels_of, fits


def _write_samples(
    source: Source, parts: list[str], scaling: str | None, path: Path, seen: ValueRange
) -> tuple[dict[str, np.ndarray], Units | None]:
    """Write `x.npy`, and return the labels of each part and the units of the samples.

    The units are known when all training samples have been read; if there are any, the samples are
    read and written again.
    """
    fitter = _unit_fitter(source, scaling)
    raw_labels, fits = _write_x(source, parts, path, seen, fitter)
    units = None if fitter is None else fitter.units()
    if units is not None or not fits:
        raw_labels, _ = _write_x(source, parts, path, seen, units=units)
    return raw_labels, units


def _precision_warnings(source: Source, units: Units | None) -> Iterator[str]:
    """A word about numbers that float32 does not hold, such as large integers."""
    if units is None or not units.double.any():
        return
    named = source.features or [
        feature for each in source.inputs.values() for feature in each.features
    ]
    features = zip(named, np.ravel(units.double), strict=False)
    names = [feature["column"] for feature, is_double in features if is_double]
    which = ", ".join(map(repr, names[:LISTED])) + ", ..." * (len(names) > LISTED)
    yield (
        f"{source.origin}: float32 would round numbers{' in ' * bool(names)}{which}, as it does "
        f"with integers above {2**24:,}; their differences are kept, and the final model computes "
        f"with float64"
    )


def write(
    source: Source,
    name: str,
    task: str,
    settings: Settings,
    folder: Path,
    dependencies: Dependencies = NO_DEPENDENCIES,
) -> list[str]:
    """Write the prepared form of a dataset into a folder; `data.json` comes last.

    Args:
        source: the opened dataset.
        name: of the dataset in the configuration.
        task: of the dataset.
        settings: of the dataset.
        folder: the dataset's own.
        dependencies: what the dataset depends on.

    Returns:
        Warnings for the user, which `data.json` holds as well.

    Raises:
        DataError: the data are invalid.
    """
    parts = [part for part in PARTS if part in source.counts]
    for part in parts:
        if not source.counts[part]:
            raise DataError(f"{source.origin}: the {part} part has no samples")
    method = settings.get("scaling") or source.scaling
    seen = ValueRange()
    raw_labels, units = _write_samples(
        source, parts, settings.get("scaling"), folder / "x.npy", seen
    )
    description: dict[str, Any] = {
        "name": name,
        "origin": source.origin,
        "version": source.version,
        "settings": dict(settings),
        "task": task,
        "samples": sum(source.counts.values()),
        "parts": {part: source.counts[part] for part in parts},
        "shape": list(source.shape),
        "type": str(source.dtype),
        "scaling": {"method": method, "largest": source.largest},
        "units": None if units is None else units.to_json(),
        "missing": source.missing,
        "resized": source.resized,
        "columns": list(source.columns),
        "features": list(source.features),
        "reading": dict(source.reading),
        "file_columns": list(source.file_columns),
        "targets": list(source.targets),
        "table": list(source.table),
        "range": seen.to_json(),
        "inputs": joined_inputs.describe(source, settings),
    }
    suggestions = list(source.suggestions)
    warnings = [*source.notes, *_precision_warnings(source, units)]
    found = prepare_labels(task, raw_labels, source, settings)
    description |= found.description
    warnings += found.warnings
    y, joined = found.y, np.concatenate([found.y[part] for part in parts])
    x = mapped(folder, "x")
    warnings += repeats.warnings(x, joined, source_parts(description), source.origin)
    if table := _table(source):
        width = len(table.features)  # they come first
        x = x[: source.counts[TRAINING]].reshape(source.counts[TRAINING], -1)[:, :width]
        telling = leaks.columns_that_tell(x, y[TRAINING], table.columns, table.features, task)
        if telling:
            warnings.append(leaks.warning(telling, source.origin))
            again = [name for name, renamed in telling.items() if renamed]
            suggestions.append(Suggestion("drop", again, "gives the target away"))
    description["suggestions"] = list(map(asdict, suggestions))
    keys = None if source.keys is None else {part: source.keys(part) for part in parts}
    description["split_by"] = split_keys.write(keys, source.origin, folder)
    warnings += split_keys.notes(keys)
    description["warnings"] = warnings
    with atomic_path(folder / "y.npy") as temporary, temporary.open("wb") as file:
        np.save(file, np.ascontiguousarray(joined), allow_pickle=False)
    path = folder / "data.json"
    written = [folder / "x.npy", folder / "y.npy"]
    written += [folder / split_keys.FILE] if keys else []
    description[CHECKSUMS] = checksums(path, *written)
    dependencies.write(path, description)
    return warnings


def _table(source: Source) -> Source | None:
    """The table that samples are rows of, or have as their first input; None without one."""
    first = next(iter(source.inputs.values()), source)
    return first if first.columns else None


def describe(folder: Path) -> dict[str, Any]:
    """The description of a prepared dataset, from its `data.json`."""
    return ADDED | read_json(folder / "data.json")


def source_parts(description: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Indices of the samples of each part that the source provides."""
    ends = [0, *itertools.accumulate(description["parts"].values())]
    return {
        part: np.arange(start, end)
        for part, start, end in zip(description["parts"], ends, ends[1:], strict=False)
    }


def mapped(folder: Path, stem: str) -> np.ndarray:
    """An array of a prepared dataset, memory-mapped: all jobs on a machine share it."""
    return np.load(folder / f"{stem}.npy", mmap_mode="r", allow_pickle=False)
