"""The papers' own figures, as printed: the tables in `resources/papers`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas

FOLDER = Path(__file__).parents[3] / "resources" / "papers"
# what people call the papers' datasets
WORDS = {
    "digits": "digits",
    "mnist": "MNIST",
    "fashion-mnist": "Fashion-MNIST",
    "emnist-digits": "EMNIST",
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "svhn": "SVHN",
    "eurosat": "EuroSAT",
    "adult": "Adult",
}


@cache
def table(name: str) -> pandas.DataFrame:
    """A table by the name of its file; its source stands in the file's head."""
    return pandas.read_csv(FOLDER / f"{name}.csv", comment="#")


def called(dataset: str, original: str) -> str:
    """A dataset for people: an excerpt is named as what it is."""
    words = WORDS.get(original, original)
    return words if dataset == original else f"{words} ({dataset})"
