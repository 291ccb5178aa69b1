"""Datasets: how each is read, and the prepared form that all training jobs share.

Prepared data are arrays as stored by their source (`x.npy`, `y.npy`), mapped into memory by whoever
reads them, and `data.json`, which says what they are and what to multiply them by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from netsurgery.files import read_json, sha256, write_json, written
from netsurgery.layers import Shape
from netsurgery.seeds import generator

Arrays = tuple[np.ndarray, np.ndarray]
PARTS = ("training", "validation", "test")


@dataclass(frozen=True)
class Source:
    """A dataset that can be chosen by name."""

    shape: Shape  # of a sample: (height, width, channels)
    classes: int
    scale: float  # raw values times this are what networks see
    origin: str
    read: Callable[[], Arrays]


def _digits() -> Arrays:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return digits.images[..., None].astype(np.uint8), digits.target.astype(np.int32)


SOURCES = {
    "digits": Source((8, 8, 1), 10, 1 / 16, "scikit-learn, load_digits", _digits),
}


def prepare(name: str, folder: Path) -> None:
    """Write the prepared form of a dataset into a folder; `data.json` comes last."""
    source = SOURCES[name]
    x, y = source.read()
    for stem, array in (("x", x), ("y", y)):
        with written(folder / f"{stem}.npy") as temporary, temporary.open("wb") as file:
            np.save(file, array, allow_pickle=False)
    description = {
        "name": name,
        "origin": source.origin,
        "samples": len(x),
        "shape": list(x.shape[1:]),
        "classes": source.classes,
        "scale": source.scale,
        "sha256": {stem: sha256(folder / f"{stem}.npy") for stem in ("x", "y")},
    }
    write_json(folder / "data.json", description)


def describe(folder: Path) -> dict[str, Any]:
    """What `prepare` wrote about a dataset."""
    return read_json(folder / "data.json")


def split(
    y: np.ndarray, validation_fraction: float, test_fraction: float, seed: int
) -> dict[str, np.ndarray]:
    """Indices of the training, validation and test samples, stratified by class.

    Args:
        y: (n,) class of every sample.
        validation_fraction: part of what is not test.
        test_fraction: part of all samples.
        seed: of the search.
    """
    from sklearn.model_selection import train_test_split

    def part(indices: np.ndarray, fraction: float, purpose: str) -> list[np.ndarray]:
        state = int(generator(seed, "split", purpose).integers(2**31))
        return train_test_split(
            indices, test_size=fraction, random_state=state, stratify=y[indices]
        )

    rest, test = part(np.arange(len(y)), test_fraction, "test")
    training, validation = part(rest, validation_fraction, "validation")
    found = dict(zip(PARTS, (training, validation, test), strict=True))
    return {name: np.sort(indices) for name, indices in found.items()}


def write_split(folder: Path, path: Path, settings: dict[str, Any], seed: int) -> None:
    """Split a prepared dataset and write the indices of each part."""
    y = np.load(folder / "y.npy", mmap_mode="r")
    parts = split(y, settings["validation_fraction"], settings["test_fraction"], seed)
    with written(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **parts)


def read_part(folder: Path, split_path: Path, part: str) -> Arrays:
    """The samples of one part: x as stored and y; no other part is looked at."""
    with np.load(split_path, allow_pickle=False) as parts:
        indices = parts[part]
    x, y = (np.load(folder / f"{stem}.npy", mmap_mode="r", allow_pickle=False) for stem in "xy")
    return x[indices], y[indices]
