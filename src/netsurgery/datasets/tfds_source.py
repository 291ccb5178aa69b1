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
    Chunk,
    DataError,
    Settings,
    Source,
    SourceType,
    rows_per_chunk,
    stored_dtype,
)

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

SPLITS = {TRAINING: "train", VALIDATION: "validation", TEST: "test"}


def is_flat(settings: Settings) -> None:
    """Whether samples are rows of features: unknown until the dataset is opened."""
    return


def _builder(settings: Settings) -> tfds.core.DatasetBuilder:
    """The builder of a dataset, which is downloaded if the settings allow it.

    Raises:
        DataError: there is no such dataset or version, it is not on this machine and must not be
            downloaded, or the download fails.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow_datasets as tfds

    name = settings["name"]
    where = f"tensorflow-datasets: {name}"
    try:
        builder = tfds.builder(name, data_dir=settings.get("data_dir"))
    except (tfds.core.DatasetNotFoundError, AssertionError, ValueError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".:")
        raise DataError(f"{where} not found: {reason}") from None
    if builder.is_prepared():
        return builder
    if not settings["download"]:
        raise DataError(
            f"{where} is not prepared in {builder.data_dir}; set `download: true` to download it"
        )
    try:
        builder.download_and_prepare()
    except Exception as error:  # network, disk and format errors of many types
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"{where} could not be downloaded: {reason}") from None
    return builder


def _keys(builder: tfds.core.DatasetBuilder, settings: Settings) -> tuple[str, str]:
    """The names of the input and target features.

    Raises:
        DataError: neither the dataset nor the settings name them, or the dataset lacks one.
    """
    known = sorted(builder.info.features)
    supervised = builder.info.supervised_keys
    if "input" in settings:
        keys = settings["input"], settings["target"]
    elif supervised is None or len(supervised) != 2:
        raise DataError(
            f"tensorflow-datasets: {settings['name']} has no supervised keys; set `input` and "
            f"`target` (choose from {', '.join(known)})"
        )
    else:
        keys = supervised
    for key in keys:
        if key not in known:
            raise DataError(
                f"tensorflow-datasets: {settings['name']} has no feature {key!r}; its features are "
                f"{', '.join(known)}"
            )
    return keys


def open_tfds(settings: Settings) -> Source:
    """Open a dataset of TensorFlow Datasets by name and version, such as mnist:3.0.1.

    Raises:
        DataError: it is not available, or its samples are neither images nor rows of numbers.
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
            f"{where}: {key!r} has dtype {dtype} and shape {shape}; samples must be images of one "
            f"size or rows of numbers"
        )
    counts = {
        part: info.splits[split].num_examples
        for part, split in SPLITS.items()
        if split in info.splits
    }
    if TRAINING not in counts:
        raise DataError(f"{where}: has no split `train`; its splits are {', '.join(info.splits)}")

    def chunks(part: str) -> Iterator[Chunk]:
        rows = rows_per_chunk(shape, dtype)
        decoders = {name: _skip() for name in info.features if name not in (key, target)}
        data = builder.as_dataset(split=SPLITS[part], shuffle_files=False, decoders=decoders)
        for batch in data.batch(rows).as_numpy_iterator():
            yield batch[key], batch[target]

    small_integers = dtype.kind in "iu" and dtype.itemsize <= 2
    return Source(
        origin=where,
        version=str(info.version),
        shape=shape,
        dtype=stored_dtype(dtype),
        counts=counts,
        chunks=chunks,
        scaling="unit" if small_integers and len(shape) == 3 else "standard",
        largest=float(np.iinfo(dtype).max) if small_integers else 1.0,
        label_names={part: f"{where}: {target} of {split}" for part, split in SPLITS.items()},
        classes=_class_names(info.features[target]),
    )


def _skip() -> Any:
    import tensorflow_datasets as tfds

    return tfds.decode.SkipDecoding()


def _class_names(feature: Any) -> tuple[str, ...] | None:
    names = getattr(feature, "names", None)
    return tuple(names) if names else None


TFDS = SourceType(open_tfds, is_flat)
