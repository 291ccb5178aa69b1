"""The results that the papers print: the tables in `resources/papers`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas

FOLDER = Path(__file__).parents[3] / "resources" / "papers"
# names of the papers' datasets
DATASET_NAMES = {
    "digits": "digits",
    "mnist": "MNIST",
    "fashion-mnist": "Fashion-MNIST",
    "emnist-byclass": "EMNIST",
    "emnist-digits": "EMNIST digits",
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "svhn": "SVHN",
    "eurosat": "EuroSAT",
    "adult": "Adult",
}


@cache
def table(name: str) -> pandas.DataFrame:
    """A table by the name of its file, whose first lines cite the source."""
    return pandas.read_csv(FOLDER / f"{name}.csv", comment="#")


def dataset_label(dataset: str, original: str) -> str:
    """The name of a dataset as the papers write it; an excerpt keeps its own name in brackets."""
    label = DATASET_NAMES.get(original, original)
    return label if dataset == original else f"{label} ({dataset})"
