"""Split a dataset into training, validation and test parts, and fit its scaling.

`split.npz` of a search holds the indices of each part; `shift` and `scale`, which broadcast against
a sample, for the network inputs (x - shift) * scale; whether these are `non_negative`; and shift
and scale for the targets of a regression, `target_shift` and `target_scale`. If numbers enter the
network in pieces, `columns` and `bins` say which (see `netsurgery.datasets.piecewise`), and `shift`
and `scale` have an entry for each input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from netsurgery.datasets import codes, piecewise, prepared, split_keys
from netsurgery.datasets.columns import NUMBER
from netsurgery.datasets.drawing import Drawing, Fold
from netsurgery.datasets.joined_inputs import description_of, parts_of
from netsurgery.datasets.samples import Scaling
from netsurgery.datasets.source import (
    PARTS,
    TEST,
    TRAINING,
    VALIDATION,
    DataError,
    rows_per_chunk,
)
from netsurgery.datasets.units import is_constant
from netsurgery.objectives.tasks import REGRESSION
from netsurgery.storage.dependencies import NO_DEPENDENCIES, Dependencies
from netsurgery.storage.files import CHECKSUMS, atomic_path, checksums
from netsurgery.storage.fractions import ceil_product


@dataclass(frozen=True)
class SplitSettings:
    """The settings of the split into training, validation and test samples.

    The defaults and the meaning of each key are those of the configuration's schema.
    """

    validation_fraction: float
    test_fraction: float
    subset_fraction: float = 1.0
    min_subset_size: int = 1
    folds: int | None = None  # of a cross-validation; `fold` says which one tests
    numbers: str = piecewise.SCALED  # how those of rows enter (see `netsurgery.datasets.piecewise`)


def split(
    drawing: Drawing,
    given: dict[str, np.ndarray],
    settings: SplitSettings,
    fold: Fold | None = None,
) -> dict[str, np.ndarray]:
    """Draw the indices of the training, validation and test samples.

    Args:
        drawing: of the samples.
        given: indices of each part that the source provides; the others are drawn from its training
            part.
        settings: of the search.
        fold: that tests; None: a share of the samples does.

    Raises:
        DataError: there are too few samples.
    """
    parts = dict(given)
    if fold is not None and TEST in parts:
        raise DataError("has test samples of its own, so that `folds` have none to divide")
    for part, fraction in (
        (TEST, settings.test_fraction),
        (VALIDATION, settings.validation_fraction),
    ):
        rest = parts[TRAINING]
        if part == TEST and fold is not None:
            parts[TRAINING], parts[part] = drawing.fold(rest, fold)
        elif part not in parts:
            parts[TRAINING], parts[part] = drawing.draw(part, rest, fraction)
        if part == TEST:
            parts[TRAINING] = _subset(drawing, parts[TRAINING], settings)
    return {part: np.sort(parts[part]) for part in PARTS}


def _subset(drawing: Drawing, rest: np.ndarray, settings: SplitSettings) -> np.ndarray:
    """The samples that are used of those that do not test."""
    minimum = len(drawing.classes or [0])  # a stratified split needs a sample of every class
    wanted = ceil_product(settings.subset_fraction, len(rest))
    unused = len(rest) - max(wanted, settings.min_subset_size, minimum)
    return drawing.draw_any("subset", rest, unused)[0] if unused >= minimum else rest


def _statistics(x: np.ndarray, indices: np.ndarray, axes: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Mean, standard deviation, minimum and maximum of some samples without NaN, in float64.

    Args:
        x: (n, *shape), possibly larger than memory.
        indices: of the samples to use.
        axes: to reduce, including the first.
    """
    count = total = squares = np.float64(0)
    minimum, maximum = np.inf, -np.inf
    centre = np.nan_to_num(x[indices[:1]].astype(np.float64)).mean(axis=axes, keepdims=True)
    rows = rows_per_chunk(x.shape[1:], np.dtype(np.float64))
    for start in range(0, len(indices), rows):
        values = x[indices[start : start + rows]].astype(np.float64) - centre
        count = count + (~np.isnan(values)).sum(axis=axes, keepdims=True)
        total = total + np.nansum(values, axis=axes, keepdims=True)
        squares = squares + np.nansum(values**2, axis=axes, keepdims=True)
        minimum = np.fmin(minimum, np.nanmin(values, axis=axes, keepdims=True, initial=np.inf))
        maximum = np.fmax(maximum, np.nanmax(values, axis=axes, keepdims=True, initial=-np.inf))
    mean = total / np.maximum(count, 1)
    deviation = np.sqrt(np.maximum(squares / np.maximum(count, 1) - mean**2, 0))
    statistics = {"mean": mean + centre, "deviation": deviation}
    statistics |= {"minimum": minimum + centre, "maximum": maximum + centre}
    return {name: values[0] for name, values in statistics.items()}


def _inverse(width: np.ndarray, values: dict[str, np.ndarray]) -> np.ndarray:
    """1 / width; 1 where all values are the same, up to rounding."""
    magnitude = np.maximum(abs(values["minimum"]), abs(values["maximum"]))
    varies = ~is_constant(width, magnitude)
    return np.divide(1.0, width, out=np.ones_like(width), where=varies)


def fit_scaling(
    x: np.ndarray, indices: np.ndarray, method: str, largest: float, as_is: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Fit shift and scale of the network inputs (x - shift) * scale.

    Args:
        x: (n, *shape).
        indices: of the training samples.
        method: `unit` divides by `largest`; `range` maps to 0 to 1, and `standard` to mean 0 and
            standard deviation 1, per column of a table or channel of images; `none` keeps values.
        largest: value that `unit` maps to 1.
        as_is: boolean mask of a sample's shape: the 0/1 columns of a table, which are not scaled;
            None if samples are not rows of a table.

    Returns:
        Two float32 arrays that broadcast against a sample.
    """
    if method in ("unit", "none"):
        factor = 1 / largest if method == "unit" else 1
        return np.array(0, np.float32), np.array(factor, np.float32)
    # each value of a reshaped row is a column of its own; images are scaled per channel
    axes = tuple(range(x.ndim - 1)) if as_is is None else (0,)
    values = _statistics(x, indices, axes)
    if method == "range":
        shift, scale = values["minimum"], _inverse(values["maximum"] - values["minimum"], values)
    else:
        shift, scale = values["mean"], _inverse(values["deviation"], values)
    if as_is is not None:
        shift, scale = np.where(as_is, 0, shift), np.where(as_is, 1, scale)
    return shift.astype(np.float32), scale.astype(np.float32)


def is_non_negative(x: np.ndarray, indices: np.ndarray, method: str, scaling: Scaling) -> bool:
    """Whether no training sample has a negative value after scaling.

    Args:
        x: (n, *shape).
        indices: of the training samples.
        method: of the scaling.
        scaling: see `fit_scaling`.
    """
    if method == "range" or (method in ("unit", "none") and x.dtype.kind in "bu"):
        return True
    rows = rows_per_chunk(x.shape[1:], np.dtype(np.float64))
    starts = range(0, len(indices), rows)
    return all((scaling.apply(x[indices[i : i + rows]]) >= 0).all() for i in starts)


def _is_no_number(data: Mapping[str, Any]) -> np.ndarray | None:
    """Which values of a sample are not scaled, of its shape; None if it is no row of a table."""
    if not data["features"]:
        return None
    return np.array([f["kind"] != NUMBER for f in data["features"]]).reshape(data["shape"])


def _linear(
    data: Mapping[str, Any], x: np.ndarray, indices: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Shift and scale of the network inputs, each input of several on its own."""
    if not data["inputs"]:
        scaling = data["scaling"]
        shift, scale = fit_scaling(
            x, indices, scaling["method"], scaling["largest"], _is_no_number(data)
        )
        if codes.counts(data):
            shift = (np.broadcast_to(shift, x.shape[1:]) - codes.offsets(data)).astype(np.float32)
        return shift, scale
    shift, scale = np.zeros(x.shape[1], np.float32), np.ones(x.shape[1], np.float32)
    for part in parts_of(data):
        own = x[:, part.start : part.stop].reshape(len(x), *part.shape)  # a view
        found = _linear(description_of(data, part), own, indices)
        for whole, values in zip((shift, scale), found, strict=True):
            whole[part.start : part.stop] = np.broadcast_to(values, part.shape).ravel()
    return shift, scale


def _fit(
    data: Mapping[str, Any], x: np.ndarray, indices: np.ndarray, settings: SplitSettings
) -> dict[str, np.ndarray]:
    """Fit how samples become inputs to the training samples: the arrays that a split holds."""
    method = "none" if data["inputs"] else data["scaling"]["method"]
    shift, scale = _linear(data, x, indices)
    as_is, pieces = _is_no_number(data), None
    numbers = np.ones(x.shape[1:], bool) if as_is is None else ~as_is
    how = piecewise.SCALED if data["inputs"] else settings.numbers
    if most := piecewise.bins_for(how, numbers, len(indices)):
        rows = x[indices[:: -(-len(indices) // piecewise.SEEN)]]
        shift, scale, pieces = piecewise.fit(rows, shift, scale, numbers, most)
    scaling = Scaling(shift, scale, data["missing"], pieces=pieces)
    arrays = {"shift": shift, "scale": scale}
    if pieces is not None:
        arrays |= {"columns": pieces.columns, "bins": pieces.bins}
    positive = is_non_negative(x, indices, method, scaling)
    return arrays | {"non_negative": np.array(positive)}


def write_split(
    folder: Path,
    path: Path,
    settings: SplitSettings,
    seed: int,
    dependencies: Dependencies = NO_DEPENDENCIES,
    fold: Fold | None = None,
) -> None:
    """Split a prepared dataset and fit its scaling.

    Args:
        folder: of the prepared dataset.
        path: of the `split.npz` to write, next to a JSON file with its checksum.
        settings: of the search.
        seed: of the search.
        dependencies: what the split depends on besides the prepared dataset.
        fold: that tests; None: a share of the samples does.

    Raises:
        DataError: there are too few samples.
    """
    data = prepared.describe(folder)
    x, y = (prepared.mapped(folder, stem) for stem in "xy")
    try:
        names = data["classes"] or data["labels"]
        drawing = Drawing(y, names, seed, split_keys.read(folder, data))
        parts = split(drawing, prepared.source_parts(data), settings, fold)
    except DataError as error:
        raise DataError(f"{data['origin']}: {error}") from None
    arrays = parts | _fit(data, x, parts[TRAINING], settings)
    if data["task"] == REGRESSION:
        arrays["target_shift"], arrays["target_scale"] = fit_scaling(
            y, parts[TRAINING], "standard", 1.0, None
        )
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    checked = path.with_suffix(".json")
    known = dependencies.with_inputs([folder / "data.json"])
    known.write(checked, {CHECKSUMS: checksums(checked, path)})
