"""Split a dataset into training, validation and test parts, and fit its scaling.

`split.npz` of a search holds the indices of each part; `shift` and `scale`, which broadcast against
a sample, for the network inputs (x - shift) * scale; whether these are `non_negative`; and shift
and scale for the targets of a regression, `target_shift` and `target_scale`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netsurgery.datasets import prepared
from netsurgery.datasets.columns import NUMBER
from netsurgery.datasets.source import (
    PARTS,
    TEST,
    TRAINING,
    VALIDATION,
    DataError,
    rows_per_chunk,
)
from netsurgery.datasets.units import is_constant
from netsurgery.storage.dependencies import NO_DEPENDENCIES, Dependencies
from netsurgery.storage.files import CHECKSUMS, atomic_path, checksums
from netsurgery.storage.fractions import ceil_product
from netsurgery.storage.random_streams import random_stream


@dataclass(frozen=True)
class SplitSettings:
    """The settings of the split into training, validation and test samples.

    The defaults and the meaning of each key are those of the configuration's schema.
    """

    validation_fraction: float
    test_fraction: float
    subset_fraction: float = 1.0
    min_subset_size: int = 1


def split(
    y: np.ndarray,
    given: dict[str, np.ndarray],
    classes: Sequence[str] | None,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
    subset: tuple[float, int] = (1.0, 1),
) -> dict[str, np.ndarray]:
    """Draw the indices of the training, validation and test samples.

    Args:
        y: (n,) class of every sample, or the targets.
        given: indices of each part that the source provides; the others are drawn from its training
            part.
        classes: names of the classes, by which the split is stratified; None for a regression.
        validation_fraction: fraction of the training samples without the test samples.
        test_fraction: fraction of the training samples.
        seed: of the search.
        subset: fraction of the training samples without the test samples that is used, and the
            minimum number of samples.

    Raises:
        DataError: there are too few samples.
    """
    from sklearn.model_selection import train_test_split

    def draw(part: str, rest: np.ndarray, size: int) -> list[np.ndarray]:
        """The samples that remain, and those drawn."""
        return train_test_split(
            rest,
            test_size=size,
            random_state=int(random_stream(seed, "split", part).integers(2**31)),
            stratify=None if classes is None else y[rest],
        )

    parts = dict(given)
    for part, fraction in ((TEST, test_fraction), (VALIDATION, validation_fraction)):
        if part not in parts:
            rest = parts[TRAINING]
            _check_enough(y[rest], classes, part, fraction)
            parts[TRAINING], parts[part] = draw(part, rest, ceil_product(fraction, len(rest)))
        if part == TEST:
            count = len(parts[TRAINING])
            minimum = len(classes or [0])  # a stratified split needs a sample of every class
            unused = count - max(ceil_product(subset[0], count), subset[1], minimum)
            if unused >= minimum:
                parts[TRAINING], _ = draw("subset", parts[TRAINING], unused)
    return {part: np.sort(parts[part]) for part in PARTS}


def _check_enough(y: np.ndarray, classes: Sequence[str] | None, part: str, fraction: float) -> None:
    """Raise a `DataError` if a part, or the rest, would not have a sample of every class."""
    samples = len(y)
    drawn = ceil_product(fraction, samples)
    smaller = min(drawn, samples - drawn)
    if classes is None:
        if smaller < 1:
            raise DataError(f"{samples} samples are too few for a {part} part of {drawn}")
        return
    for name, count in zip(classes, np.bincount(y, minlength=len(classes)), strict=True):
        if count < 2:
            raise DataError(
                f"class {name} has too few samples for a {part} part: {count} left, at least 2 "
                f"needed"
            )
    if smaller < len(classes):
        raise DataError(
            f"{samples} samples are too few for a {part} part of {drawn}: with {len(classes)} "
            f"classes, it and the rest need at least {len(classes)} each"
        )


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


def is_non_negative(
    x: np.ndarray, indices: np.ndarray, method: str, shift: np.ndarray, scale: np.ndarray
) -> bool:
    """Whether no training sample has a negative value after scaling.

    Args:
        x: (n, *shape).
        indices: of the training samples.
        method: of the scaling.
        shift: see `fit_scaling`.
        scale: see `fit_scaling`.
    """
    if method == "range" or (method in ("unit", "none") and x.dtype.kind in "bu"):
        return True
    rows = rows_per_chunk(x.shape[1:], np.dtype(np.float64))
    for start in range(0, len(indices), rows):
        if ((x[indices[start : start + rows]] - shift) * scale < 0).any():
            return False
    return True


def write_split(
    folder: Path,
    path: Path,
    settings: SplitSettings,
    seed: int,
    dependencies: Dependencies = NO_DEPENDENCIES,
) -> None:
    """Split a prepared dataset and fit its scaling.

    Args:
        folder: of the prepared dataset.
        path: of the `split.npz` to write, next to a JSON file with its checksum.
        settings: of the search.
        seed: of the search.
        dependencies: what the split depends on besides the prepared dataset.

    Raises:
        DataError: there are too few samples.
    """
    data = prepared.describe(folder)
    x, y = (prepared.mapped(folder, stem) for stem in "xy")
    try:
        parts = split(
            y,
            prepared.source_parts(data),
            data["classes"],
            settings.validation_fraction,
            settings.test_fraction,
            seed,
            (settings.subset_fraction, settings.min_subset_size),
        )
    except DataError as error:
        raise DataError(f"{data['origin']}: {error}") from None
    features = data["features"]
    as_is = np.array([f["kind"] != NUMBER for f in features]).reshape(
        data["shape"] if features else 0
    )
    scaling = data["scaling"]
    arrays = dict(parts)
    arrays["shift"], arrays["scale"] = fit_scaling(
        x, parts[TRAINING], scaling["method"], scaling["largest"], as_is if features else None
    )
    arrays["non_negative"] = np.array(
        is_non_negative(x, parts[TRAINING], scaling["method"], arrays["shift"], arrays["scale"])
    )
    if data["classes"] is None:
        arrays["target_shift"], arrays["target_scale"] = fit_scaling(
            y, parts[TRAINING], "standard", 1.0, None
        )
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    checked = path.with_suffix(".json")
    known = dependencies.with_inputs([folder / "data.json"])
    known.write(checked, {CHECKSUMS: checksums(checked, path)})
