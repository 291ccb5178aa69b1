"""Datasets of TensorFlow Datasets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets.source import (
    TEST,
    TRAINING,
    VALIDATION,
    DataError,
    Piece,
    Source,
    rows_per_piece,
    stored_dtype,
)

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

SPLITS = {TRAINING: "train", VALIDATION: "validation", TEST: "test"}


def is_flat(settings: dict[str, Any]) -> None:
    """Whether samples are rows of features: only its builder knows."""
    return


def _builder(settings: dict[str, Any]) -> tfds.core.DatasetBuilder:
    """The builder of a dataset that is prepared on this machine, by downloading it if need be.

    Raises:
        DataError: there is no such dataset or version, or it is neither here nor in reach.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow_datasets as tfds

    name = settings["name"]
    where = f"tensorflow-datasets: {name}"
    try:
        builder = tfds.builder(name, data_dir=settings.get("data_dir"))
    except (tfds.core.DatasetNotFoundError, AssertionError, ValueError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".:")
        raise DataError(f"{where} cannot be found: {reason}") from None
    if builder.is_prepared():
        return builder
    if not settings["download"]:
        raise DataError(
            f"{where} is not prepared in {builder.data_dir}; download: true would fetch it"
        )
    try:
        builder.download_and_prepare()
    except Exception as error:  # whatever can go wrong on the way
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"{where} could not be downloaded: {reason}") from None
    return builder


def _keys(builder: tfds.core.DatasetBuilder, settings: dict[str, Any]) -> tuple[str, str]:
    """The names of the input and of the target.

    Raises:
        DataError: the dataset has none, or not those of the settings.
    """
    known = sorted(builder.info.features)
    supervised = builder.info.supervised_keys
    if "input" in settings:
        keys = settings["input"], settings["target"]
    elif supervised is None or len(supervised) != 2:
        raise DataError(
            f"tensorflow-datasets: {settings['name']} does not say what to learn; name `input` and "
            f"`target` (among {', '.join(known)})"
        )
    else:
        keys = supervised
    for key in keys:
        if key not in known:
            raise DataError(
                f"tensorflow-datasets: {settings['name']} has no feature {key!r}; it has "
                f"{', '.join(known)}"
            )
    return keys


def open_catalog(settings: dict[str, Any]) -> Source:
    """A dataset of TensorFlow Datasets, by name and version such as mnist:3.0.1.

    Raises:
        DataError: it is not there, or its samples are neither images nor rows of numbers.
    """
    builder = _builder(settings)
    info = builder.info
    key, target = _keys(builder, settings)
    feature = info.features[key]
    where = f"tensorflow-datasets: {info.full_name}"
    shape = tuple(feature.shape)
    dtype = np.dtype(feature.np_dtype)
    if len(shape) not in (1, 3) or None in shape or dtype.kind not in "buif":
        raise DataError(
            f"{where}: {key!r} is {dtype} of shape {shape}; samples must be images of one size or "
            f"rows of numbers"
        )
    counts = {
        part: info.splits[split].num_examples
        for part, split in SPLITS.items()
        if split in info.splits
    }
    if TRAINING not in counts:
        raise DataError(f"{where}: has no split `train`, but {', '.join(info.splits)}")

    def pieces(part: str) -> Iterator[Piece]:
        rows = rows_per_piece(shape, dtype)
        decoders = {name: _skip() for name in info.features if name not in (key, target)}
        data = builder.as_dataset(split=SPLITS[part], shuffle_files=False, decoders=decoders)
        for some in data.batch(rows).as_numpy_iterator():
            yield some[key], some[target]

    whole = dtype.kind in "iu" and dtype.itemsize <= 2
    return Source(
        origin=where,
        version=str(info.version),
        shape=shape,
        dtype=stored_dtype(dtype),
        counts=counts,
        pieces=pieces,
        scaling="unit" if whole and len(shape) == 3 else "standard",
        largest=float(np.iinfo(dtype).max) if whole else 1.0,
        names={part: f"{where}: {target} of {split}" for part, split in SPLITS.items()},
        classes=_class_names(info.features[target]),
    )


def _skip() -> Any:
    import tensorflow_datasets as tfds

    return tfds.decode.SkipDecoding()


def _class_names(feature: Any) -> tuple[str, ...] | None:
    names = getattr(feature, "names", None)
    return tuple(names) if names else None
