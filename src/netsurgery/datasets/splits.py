"""Who trains, who validates, who tests; and the scaling fitted on those who train.

`split.npz` of a search holds the indices of each part; `shift` and `scale`, arrays that broadcast
against a sample, such that networks see (x - shift) * scale; and the same for the targets of a
regression, `target_shift` and `target_scale`.
"""

from __future__ import annotations

import math
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
    rows_per_piece,
)
from netsurgery.storage.files import atomic_path, write_checksums
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
    """Indices of the training, validation and test samples.

    Args:
        y: (n,) class of every sample, or the targets.
        given: indices of each part that the source tells apart; the others are drawn from its
            training part.
        classes: their names, of each of which every part gets its share; None: a regression.
        validation_fraction: part of the training samples, after the test samples are gone.
        test_fraction: part of the training samples.
        seed: of the search.
        subset: part of the training samples that is used once the test samples are gone, and the
            least number of them.

    Raises:
        DataError: there are too few samples.
    """
    from sklearn.model_selection import train_test_split

    def drawn(part: str, rest: np.ndarray, size: float) -> list[np.ndarray]:
        """Those that stay, and those that are drawn."""
        return train_test_split(
            rest,
            test_size=size,
            random_state=int(random_stream(seed, "split", part).integers(2**31)),
            stratify=None if classes is None else y[rest],
        )

    found = dict(given)
    for part, fraction in ((TEST, test_fraction), (VALIDATION, validation_fraction)):
        if part not in found:
            rest = found[TRAINING]
            _refuse_too_few(y[rest], classes, part, fraction)
            found[TRAINING], found[part] = drawn(part, rest, fraction)
        if part == TEST:
            count = len(found[TRAINING])
            fewest = len(classes or [0])  # of every class some
            left_out = count - max(math.ceil(subset[0] * count), subset[1], fewest)
            if left_out >= fewest:
                found[TRAINING], _ = drawn("subset", found[TRAINING], left_out)
    return {part: np.sort(found[part]) for part in PARTS}


def _refuse_too_few(
    y: np.ndarray, classes: Sequence[str] | None, part: str, fraction: float
) -> None:
    """Stop where a part, or what it leaves, would not have a sample of every class."""
    samples = len(y)
    drawn = math.ceil(samples * fraction)
    least = min(drawn, samples - drawn)
    if classes is None:
        if least < 1:
            raise DataError(f"{samples} samples are too few to set aside a {part} part of {drawn}")
        return
    for name, count in zip(classes, np.bincount(y, minlength=len(classes)), strict=True):
        if count < 2:
            raise DataError(
                f"class {name} has too few samples to set aside a {part} part: {count} is left of "
                f"it, at least 2 are needed"
            )
    if least < len(classes):
        raise DataError(
            f"{samples} samples are too few to set aside a {part} part of {drawn}: with "
            f"{len(classes)} classes, it and the rest need at least {len(classes)} each"
        )


def _statistics(x: np.ndarray, indices: np.ndarray, per: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Mean, standard deviation, least and greatest of some samples, NaN left out, in float64.

    Args:
        x: (n, *shape), perhaps too large for memory.
        indices: of the samples that count.
        per: axes to look over, the first among them.
    """
    count = total = squares = np.float64(0)
    least, greatest = np.inf, -np.inf
    centre = np.nan_to_num(x[indices[:1]].astype(np.float64)).mean(axis=per, keepdims=True)
    rows = rows_per_piece(x.shape[1:], np.dtype(np.float64))
    for start in range(0, len(indices), rows):
        some = x[indices[start : start + rows]].astype(np.float64) - centre
        there = ~np.isnan(some)
        count = count + there.sum(axis=per, keepdims=True)
        total = total + np.nansum(some, axis=per, keepdims=True)
        squares = squares + np.nansum(some**2, axis=per, keepdims=True)
        least = np.fmin(least, np.nanmin(some, axis=per, keepdims=True, initial=np.inf))
        greatest = np.fmax(greatest, np.nanmax(some, axis=per, keepdims=True, initial=-np.inf))
    mean = total / np.maximum(count, 1)
    deviation = np.sqrt(np.maximum(squares / np.maximum(count, 1) - mean**2, 0))
    found = {"mean": mean + centre, "deviation": deviation}
    found |= {"least": least + centre, "greatest": greatest + centre}
    return {name: values[0] for name, values in found.items()}


def _inverse(width: np.ndarray) -> np.ndarray:
    """1 / width; 1 where all values are the same, be it but for rounding."""
    return np.divide(1.0, width, out=np.ones_like(width), where=width > 1e-12)


def fit_scaling(
    x: np.ndarray, indices: np.ndarray, method: str, largest: float, as_is: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Shift and scale, such that networks see (x - shift) * scale.

    Args:
        x: (n, *shape).
        indices: of the training samples.
        method: `unit` divides by `largest`; `range` goes from 0 to 1 and `standard` has mean 0 and
            deviation 1, for every column of a table or channel of images; `none` changes nothing.
        largest: value that `unit` makes 1.
        as_is: of the shape of a sample, those columns of a table that keep their 0 and 1; None
            where samples are no table.

    Returns:
        Two float32 arrays that broadcast against a sample.
    """
    if method in ("unit", "none"):
        factor = 1 / largest if method == "unit" else 1
        return np.array(0, np.float32), np.array(factor, np.float32)
    # every value of a folded table is a column; those of an image are alike but for its channels
    axes = tuple(range(x.ndim - 1)) if as_is is None else (0,)
    values = _statistics(x, indices, axes)
    if method == "range":
        shift, scale = values["least"], _inverse(values["greatest"] - values["least"])
    else:
        shift, scale = values["mean"], _inverse(values["deviation"])
    if as_is is not None:
        shift, scale = np.where(as_is, 0, shift), np.where(as_is, 1, scale)
    return shift.astype(np.float32), scale.astype(np.float32)


def write_split(folder: Path, path: Path, settings: SplitSettings, seed: int) -> None:
    """Split a prepared dataset and fit its scaling.

    Args:
        folder: of the prepared dataset.
        path: of the `split.npz` to write, beside a JSON file that vouches for it.
        settings: of the search.
        seed: of the search.

    Raises:
        DataError: there are too few samples.
    """
    data = prepared.describe(folder)
    x, y = (prepared.mapped(folder, stem) for stem in "xy")
    try:
        parts = split(
            y,
            prepared.given_parts(data),
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
    if data["classes"] is None:
        arrays["target_shift"], arrays["target_scale"] = fit_scaling(
            y, parts[TRAINING], "standard", 1.0, None
        )
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    write_checksums(path.with_suffix(".json"), path)
