"""The data sets of the comparison, and their split, which is the same for all peers.

The training samples are split with the seed of the run, by class: a tenth validates. The test
samples are those of the source, or a fifth of the digits and of the tissue samples. Series have few
of both, and one division may favour a peer: only seed 0 has the archive's own, others draw anew
which series are for the test, as many of each class (Bagnall et al., The great time series
classification bake off, 2017).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

IMAGES, SERIES, TABLE = "images", "series", "table"
PARTS = ("train", "val", "test")
Arrays = dict[str, np.ndarray]  # x and y of each part, by names such as x_train


class NotHereError(Exception):
    """A data set is not on this machine; the message says what it needs."""


@dataclass(frozen=True)
class DataSet:
    """What is compared on.

    Attributes:
        title: for tables and plots.
        kind: images, series or table.
        seconds: processor seconds of each peer, if none are named.
        budget: epochs of Arbor that take about so long here; the benchmark corrects them.
        load: gives x and y, and x_test and y_test if the source has test samples, from a folder
            with downloaded files. x is an array, or a table of raw columns.
        trial_epochs: of a whole trial of a tuner: a guess from how long an epoch takes.
        augmentation: what changes no class: `none`, `shift` or `flip_shift`.
        boosting: whether gradient boosting of its values makes sense.
    """

    title: str
    kind: str
    seconds: float
    budget: float
    load: Callable[[Path], dict[str, Any]]
    trial_epochs: int
    augmentation: str = "none"
    boosting: bool = False


def _digits(_: Path) -> dict[str, Any]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return {"x": digits.images[..., None].astype(np.float32), "y": digits.target}


def _npz(name: str) -> Callable[[Path], dict[str, Any]]:
    def load(folder: Path) -> dict[str, Any]:
        path = _existing(folder / name)
        with np.load(path) as file:
            given = {key: file[key] for key in ("x_train", "y_train", "x_test", "y_test")}
        return {key.removesuffix("_train"): values for key, values in given.items()}

    return load


def _archive(name: str) -> Callable[[Path], dict[str, Any]]:
    """Series of the UCR and UEA archives.

    As in a search, they get the length of the longest training series: shorter ones repeat their
    last step, longer ones are cut.
    """

    def load(_: Path) -> dict[str, Any]:
        from aeon import datasets  # type: ignore[import-not-found]

        found: Arrays = {}
        steps = 0
        for end, part in (("", "train"), ("_test", "test")):
            with warnings.catch_warnings(action="ignore", category=FutureWarning):  # until aeon 1.7
                series, classes = getattr(datasets, f"load_{name}")(split=part)
            steps = steps or max(each.shape[1] for each in series)
            same = [each[:, np.minimum(range(steps), each.shape[1] - 1)] for each in series]
            found["x" + end] = np.stack(same).transpose(0, 2, 1).astype(np.float32)
            found["y" + end] = np.unique(classes, return_inverse=True)[1]
        return found

    return load


def _adult(folder: Path) -> dict[str, Any]:
    import pandas as pd

    names = (
        "age workclass fnlwgt education education-num marital-status occupation relationship "
        "race sex capital-gain capital-loss hours-per-week native-country income"
    ).split()
    found = {}
    for end, part in (("", "train"), ("_test", "test")):
        path = _existing(folder / f"adult-{part}.csv")
        table = pd.read_csv(path, names=names, skipinitialspace=True, na_values="?", comment="|")
        found["y" + end] = table.pop("income").str.startswith(">").to_numpy(np.int64)
        found["x" + end] = table
    return found


def _tissue(_: Path) -> dict[str, Any]:
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer(as_frame=True)
    return {"x": found.data, "y": found.target.to_numpy(np.int64)}


DATA_SETS = {
    "digits": DataSet("digits", IMAGES, 30, 115, _digits, 15, "shift", boosting=True),
    "leaves": DataSet("leaf outlines (OSULeaf)", SERIES, 30, 270, _archive("osuleaf"), 20),
    "arrowheads": DataSet("ArrowHead", SERIES, 15, 300, _archive("arrow_head"), 20),
    "gestures": DataSet("GunPoint", SERIES, 15, 300, _archive("gunpoint"), 20),
    "motions": DataSet("BasicMotions", SERIES, 15, 300, _archive("basic_motions"), 20),
    "power": DataSet("ItalyPowerDemand", SERIES, 15, 300, _archive("italy_power_demand"), 20),
    "vowels": DataSet("JapaneseVowels", SERIES, 15, 300, _archive("japanese_vowels"), 20),
    "mnist": DataSet("MNIST, 8,000 images", IMAGES, 100, 60, _npz("mnist10k.npz"), 5, "shift"),
    "adult": DataSet("Adult", TABLE, 60, 180, _adult, 5, boosting=True),
    "tissue": DataSet("breast cancer", TABLE, 30, 200, _tissue, 30, boosting=True),
    "cifar10": DataSet(
        *("CIFAR-10, 15,000 images", IMAGES, 200, 40, _npz("cifar10_15k.npz"), 5, "flip_shift")
    ),
}


def make(name: str, downloads: Path, folder: Path, seed: int) -> None:
    """Write a split data set, unless it is there.

    A folder gets `arrays.npz`, what networks take, and for tables `train.csv`, `val.csv` and
    `test.csv` with the raw columns and `class`.

    Args:
        name: of the data set.
        downloads: the folder with files that no package ships.
        folder: to write into.
        seed: of the split.

    Raises:
        NotHereError: its file is missing.
    """
    from sklearn.model_selection import train_test_split

    if (folder / "arrays.npz").exists():
        return
    given = DATA_SETS[name].load(downloads)
    x, y = given["x"], given["y"]
    if "x_test" in given:
        x_test, y_test = given["x_test"], given["y_test"]
        if DATA_SETS[name].kind == SERIES and seed:
            x, y, x_test, y_test = _resampled(x, y, x_test, y_test, seed)
    else:
        x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, random_state=seed, stratify=y)
    x, x_val, y, y_val = train_test_split(x, y, test_size=0.1, random_state=seed, stratify=y)
    parts = {"x_train": x, "x_val": x_val, "x_test": x_test}
    labels = {"y_train": y, "y_val": y_val, "y_test": y_test}
    folder.mkdir(parents=True, exist_ok=True)
    if DATA_SETS[name].kind == TABLE:
        for part in PARTS:
            table = parts[f"x_{part}"].assign(**{"class": labels[f"y_{part}"]})
            table.to_csv(folder / f"{part}.csv", index=False)
        parts = _encoded(parts)
    np.savez(folder / "arrays.part.npz", **parts, **labels)
    (folder / "arrays.part.npz").rename(folder / "arrays.npz")


def _resampled(
    x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray, seed: int
) -> Iterable[np.ndarray]:
    """Other training and test samples, as many of each class."""
    from aeon.benchmarking.resampling import (  # type: ignore[import-not-found]
        stratified_resample_data,
    )

    return stratified_resample_data(x, y, x_test, y_test, random_state=seed)


def _encoded(parts: dict[str, pd.DataFrame]) -> Arrays:
    """Numbers scaled to mean 0 and deviation 1, text one-hot encoded, both by training samples."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    encoder = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (
            OneHotEncoder(handle_unknown="ignore", sparse_output=False),
            make_column_selector(dtype_exclude="number"),
        ),
    ).fit(parts["x_train"])
    return {name: encoder.transform(x).astype(np.float32) for name, x in parts.items()}


def _existing(path: Path) -> Path:
    if not path.exists():
        raise NotHereError(f"{path} is missing (--data names the folder)")
    return path
