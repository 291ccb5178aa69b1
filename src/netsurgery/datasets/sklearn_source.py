"""Datasets that come with scikit-learn, or that it fetches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from netsurgery.datasets.source import TRAINING, Piece, Source, stored_dtype

# name: whether samples are rows of features, task
KNOWN = {
    "digits": (False, "classification"),
    "iris": (True, "classification"),
    "wine": (True, "classification"),
    "breast_cancer": (True, "classification"),
    "diabetes": (True, "regression"),
}


def is_flat(settings: dict[str, Any]) -> bool:
    """Whether samples are rows of features."""
    return KNOWN[settings["name"]][0]


def open_bundled(settings: dict[str, Any]) -> Source:
    """A dataset of scikit-learn by its name."""
    import sklearn
    from sklearn import datasets

    name = settings["name"]
    found = getattr(datasets, f"load_{name}")()
    if name == "digits":
        x, largest = found.images[..., None].astype(np.uint8), 16.0
    else:
        x, largest = found.data, 1.0
    dtype = stored_dtype(x.dtype)

    def pieces(part: str) -> Iterator[Piece]:
        yield x, found.target

    flat = is_flat(settings)
    classes = getattr(found, "target_names", None)
    return Source(
        origin=f"scikit-learn, load_{name}",
        version=sklearn.__version__,
        shape=x.shape[1:],
        dtype=dtype,
        counts={TRAINING: len(x)},
        pieces=pieces,
        scaling="standard" if flat else "unit",
        largest=largest,
        classes=None if classes is None else tuple(map(str, classes)),
    )
