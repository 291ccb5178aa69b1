"""The prepared form of a dataset: written once, memory-mapped by every training job.

A folder with `x.npy`, all samples as stored by their source: the training part first, then the
validation and test parts if the source provides them; `y.npy`, class numbers or targets; and
`data.json`, which describes them. Both arrays are in C order, whatever the layout of the source.
"""

from __future__ import annotations

import itertools
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from netsurgery.datasets import labels
from netsurgery.datasets.source import PARTS, TRAINING, DataError, Source
from netsurgery.storage.files import CHECKSUMS, atomic_path, checksums, read_json, write_json

REGRESSION = "regression"
IMBALANCED = 3  # warn if the largest class has this many times the samples of the smallest


def _check_finite(x: np.ndarray, source: Source, part: str, start: int) -> None:
    """Raise a `DataError` at the first value that is not a finite number."""
    if x.dtype.kind != "f":
        return
    invalid = np.isinf(x) if source.missing else ~np.isfinite(x)
    if invalid.any():
        sample, *index = np.argwhere(invalid)[0].tolist()
        value = x[sample, *index]
        where = f"column {index[0]}" if len(index) == 1 else f"value {tuple(index)}"
        raise DataError(
            f"{source.origin}: {part} sample {start + sample}, {where} is {value}, not a finite "
            f"number"
        )


def _write_x(source: Source, parts: list[str], path: Path) -> dict[str, np.ndarray]:
    """Write `x.npy`, and return the labels of each part, which are read with it."""
    labels_of = {}
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
                x = samples.astype(source.dtype, order="C", copy=False)
                _check_finite(x, source, part, count)
                file.write(x.tobytes())
                count += len(x)
                y.append(targets)
            if count != source.counts[part]:
                raise DataError(
                    f"{source.origin}: read {count} {part} samples, expected {source.counts[part]}"
                )
            labels_of[part] = np.concatenate(y)
    return labels_of


def _imbalance_warnings(counts: dict[str, int]) -> Iterator[str]:
    """A warning if the classes are far from being equally frequent."""
    largest, smallest = max(counts, key=lambda c: counts[c]), min(counts, key=lambda c: counts[c])
    if counts[largest] >= IMBALANCED * counts[smallest]:
        share = counts[largest] / sum(counts.values())
        yield (
            f"imbalanced classes: {largest} has {counts[largest]} training samples ({share:.0%}), "
            f"{smallest} has {counts[smallest]}; always predicting {largest} is {share:.1%} "
            f"accurate (see class_weights)"
        )


def write(source: Source, name: str, task: str, scaling: str | None, folder: Path) -> list[str]:
    """Write the prepared form of a dataset into a folder; `data.json` comes last.

    Args:
        source: the opened dataset.
        name: of the dataset in the configuration.
        task: classification or regression.
        scaling: the method that the settings choose; None: the default of the source.
        folder: the dataset's own.

    Returns:
        Warnings for the user, which `data.json` holds as well.

    Raises:
        DataError: the data are invalid.
    """
    parts = [part for part in PARTS if part in source.counts]
    for part in parts:
        if not source.counts[part]:
            raise DataError(f"{source.origin}: the {part} part has no samples")
    raw_labels = _write_x(source, parts, folder / "x.npy")
    label_names = {part: source.label_name(part) for part in parts}
    description: dict[str, Any] = {
        "name": name,
        "origin": source.origin,
        "version": source.version,
        "task": task,
        "samples": sum(source.counts.values()),
        "parts": {part: source.counts[part] for part in parts},
        "shape": list(source.shape),
        "type": str(source.dtype),
        "scaling": {"method": scaling or source.scaling, "largest": source.largest},
        "missing": source.missing,
        "resized": source.resized,
        "columns": list(source.columns),
        "features": list(source.features),
    }
    warnings = list(source.notes)
    if task == REGRESSION:
        y, outputs = labels.regression_targets(raw_labels, label_names)
        description |= {"outputs": outputs, "classes": None, "class_counts": None}
    else:
        y, names = labels.class_numbers(raw_labels, label_names, source.classes)
        counts = {
            part: dict(zip(names, np.bincount(y[part], minlength=len(names)).tolist(), strict=True))
            for part in parts
        }
        description |= {"outputs": len(names), "classes": names, "class_counts": counts}
        warnings += _imbalance_warnings(counts[TRAINING])
    description["warnings"] = warnings
    with atomic_path(folder / "y.npy") as temporary, temporary.open("wb") as file:
        joined = np.concatenate([y[part] for part in parts])
        np.save(file, np.ascontiguousarray(joined), allow_pickle=False)
    path = folder / "data.json"
    description[CHECKSUMS] = checksums(path, folder / "x.npy", folder / "y.npy")
    write_json(path, description)
    return warnings


def describe(folder: Path) -> dict[str, Any]:
    """The description of a prepared dataset, from its `data.json`."""
    return read_json(folder / "data.json")


def source_parts(description: dict[str, Any]) -> dict[str, np.ndarray]:
    """Indices of the samples of each part that the source provides."""
    ends = [0, *itertools.accumulate(description["parts"].values())]
    return {
        part: np.arange(start, end)
        for part, start, end in zip(description["parts"], ends, ends[1:], strict=False)
    }


def mapped(folder: Path, stem: str) -> np.ndarray:
    """An array of a prepared dataset, memory-mapped: all jobs on a machine share it."""
    return np.load(folder / f"{stem}.npy", mmap_mode="r", allow_pickle=False)
