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
from netsurgery.networks.layers import Shape


class _Known(NamedTuple):
    shape: Shape  # of a sample
    outputs: int
    task: str = "classification"


DATASETS = {
    "digits": _Known((8, 8, 1), 10),
    "iris": _Known((4,), 3),
    "wine": _Known((13,), 3),
    "breast_cancer": _Known((30,), 2),
    "diabetes": _Known((10,), 1, "regression"),
}


def is_flat(settings: Settings) -> bool:
    """Whether samples are rows of features."""
    return len(DATASETS[settings["name"]].shape) == 1


def known_shape(settings: Settings) -> tuple[Shape, int]:
    """The shape of a sample and the number of outputs."""
    known = DATASETS[settings["name"]]
    return known.shape, known.outputs


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


SKLEARN = SourceType(open_sklearn, is_flat, task=task_of, known_shape=known_shape)
