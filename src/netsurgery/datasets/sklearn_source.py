"""Datasets that ship with scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from netsurgery.datasets.source import (
    TRAINING,
    Chunk,
    Settings,
    Source,
    SourceType,
    stored_dtype,
)


class _Known(NamedTuple):
    flat: bool  # samples are rows of features
    task: str


DATASETS = {
    "digits": _Known(flat=False, task="classification"),
    "iris": _Known(flat=True, task="classification"),
    "wine": _Known(flat=True, task="classification"),
    "breast_cancer": _Known(flat=True, task="classification"),
    "diabetes": _Known(flat=True, task="regression"),
}


def is_flat(settings: Settings) -> bool:
    """Whether samples are rows of features."""
    return DATASETS[settings["name"]].flat


def task_of(settings: Settings) -> str:
    """Classification or regression."""
    return DATASETS[settings["name"]].task


def open_sklearn(settings: Settings) -> Source:
    """Open a dataset of scikit-learn by its name."""
    import sklearn
    from sklearn import datasets

    name = settings["name"]
    loaded = getattr(datasets, f"load_{name}")()
    if name == "digits":
        x, largest = loaded.images[..., None].astype(np.uint8), 16.0
    else:
        x, largest = loaded.data, 1.0

    def chunks(part: str) -> Iterator[Chunk]:
        yield x, loaded.target

    classes = getattr(loaded, "target_names", None)
    return Source(
        origin=f"scikit-learn, load_{name}",
        version=sklearn.__version__,
        shape=x.shape[1:],
        dtype=stored_dtype(x.dtype),
        counts={TRAINING: len(x)},
        chunks=chunks,
        scaling="standard" if is_flat(settings) else "unit",
        largest=largest,
        classes=None if classes is None else tuple(map(str, classes)),
    )


SKLEARN = SourceType(open_sklearn, is_flat, task=task_of)
