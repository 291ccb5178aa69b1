"""The prepared form of a dataset: written once, mapped into memory by every training job.

A folder with `x.npy`, all samples as their source stores them, first the training part, then those
validation and test samples that the source tells apart; `y.npy`, class numbers or targets; and
`data.json`, which says what they are.
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
from netsurgery.storage.files import FILES, atomic_path, checksums, read_json, write_json

REGRESSION = "regression"
IMBALANCED = 3  # times as many samples in the largest class as in the smallest is worth a word


def _check(x: np.ndarray, source: Source, part: str, start: int) -> None:
    """Stop at the first value that is no finite number."""
    if x.dtype.kind != "f":
        return
    wrong = np.isinf(x) if source.missing else ~np.isfinite(x)
    if wrong.any():
        sample, *place = np.argwhere(wrong)[0].tolist()
        value = x[sample, *place]
        where = f"column {place[0]}" if len(place) == 1 else f"value {tuple(place)}"
        raise DataError(
            f"{source.origin}: {part} sample {start + sample}, {where} is {value}, not a finite "
            f"number"
        )


def _write_x(source: Source, parts: list[str], path: Path) -> dict[str, np.ndarray]:
    """Write `x.npy`, and give the labels of each part that were read along with it."""
    found = {}
    shape = (sum(source.counts[part] for part in parts), *source.shape)
    needed = math.prod(shape) * source.dtype.itemsize
    folder = next(parent for parent in path.parents if parent.exists())
    if needed > shutil.disk_usage(folder).free:
        raise DataError(
            f"{source.origin}: needs {needed / 2**30:,.1f} GiB at {folder}, which has less"
        )
    header = {"shape": shape, "fortran_order": False, "descr": npy.dtype_to_descr(source.dtype)}
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        npy.write_array_header_1_0(file, header)
        for part in parts:
            count, seen = 0, []
            for some, their in source.pieces(part):
                piece = some.astype(source.dtype, order="C", copy=False)
                _check(piece, source, part, count)
                file.write(piece.tobytes())
                count += len(piece)
                seen.append(their)
            if count != source.counts[part]:
                raise DataError(
                    f"{source.origin}: {count} {part} samples instead of {source.counts[part]}"
                )
            found[part] = np.concatenate(seen)
    return found


def _largest_share(counts: dict[str, int]) -> Iterator[str]:
    """A word on classes that are far from being equally frequent."""
    often, seldom = max(counts, key=lambda c: counts[c]), min(counts, key=lambda c: counts[c])
    if counts[often] >= IMBALANCED * counts[seldom]:
        share = counts[often] / sum(counts.values())
        yield (
            f"imbalanced: class {often} has {counts[often]} of the training samples ({share:.0%}), "
            f"class {seldom} has {counts[seldom]}; always guessing {often} is right {share:.1%} of "
            f"the time (see class_weights)"
        )


def prepare(source: Source, name: str, task: str, scaling: str | None, folder: Path) -> list[str]:
    """Write the prepared form of a dataset into a folder; `data.json` comes last.

    Args:
        source: the opened dataset.
        name: of the dataset in the configuration.
        task: classification or regression.
        scaling: what the settings say about it; None: what the source says.
        folder: the dataset's own.

    Returns:
        Lines that the user should read.

    Raises:
        DataError: the data are wrong.
    """
    parts = [part for part in PARTS if part in source.counts]
    for part in parts:
        if not source.counts[part]:
            raise DataError(f"{source.origin}: the {part} part has no samples")
    given = _write_x(source, parts, folder / "x.npy")
    called = {part: source.called(part) for part in parts}
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
    said: list[str] = []
    if task == REGRESSION:
        y, outputs = labels.numbers(given, called)
        description |= {"outputs": outputs, "classes": None, "class_counts": None}
    else:
        y, names = labels.classes(given, called, source.classes)
        counts = {
            part: dict(zip(names, np.bincount(y[part], minlength=len(names)).tolist(), strict=True))
            for part in parts
        }
        description |= {"outputs": len(names), "classes": names, "class_counts": counts}
        said += _largest_share(counts[TRAINING])
    with atomic_path(folder / "y.npy") as temporary, temporary.open("wb") as file:
        np.save(file, np.concatenate([y[part] for part in parts]), allow_pickle=False)
    path = folder / "data.json"
    description[FILES] = checksums(path, folder / "x.npy", folder / "y.npy")
    write_json(path, description)
    return said


def describe(folder: Path) -> dict[str, Any]:
    """What `prepare` wrote about a dataset."""
    return read_json(folder / "data.json")


def given_parts(description: dict[str, Any]) -> dict[str, np.ndarray]:
    """Indices of the samples of each part that the source tells apart."""
    ends = [0, *itertools.accumulate(description["parts"].values())]
    return {
        part: np.arange(start, end)
        for part, start, end in zip(description["parts"], ends, ends[1:], strict=False)
    }


def mapped(folder: Path, stem: str) -> np.ndarray:
    """An array of a prepared dataset, mapped: all jobs of a machine share its memory."""
    return np.load(folder / f"{stem}.npy", mmap_mode="r", allow_pickle=False)
