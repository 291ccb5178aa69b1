"""What a split of a prepared dataset must not tear apart: written with it, read by each split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from netsurgery.datasets.source import TRAINING, DataError, SplitKeys
from netsurgery.storage.files import atomic_path

FILE = "split_by.npy"


def write(keys: Mapping[str, SplitKeys] | None, origin: str, folder: Path) -> dict[str, Any] | None:
    """Write what a split must not tear apart, and describe it; None: there is nothing.

    Args:
        keys: of each part of the source.
        origin: of the data, for the message.
        folder: of the prepared dataset.

    Raises:
        DataError: a group has samples in several parts of the source.
    """
    if keys is None:
        return None
    training = keys[TRAINING]
    kind = "group" if training.groups is not None else "time"
    for part, others in keys.items():
        if part != TRAINING and training.groups is not None and others.groups is not None:
            shared = np.intersect1d(training.groups, others.groups)
            if len(shared):
                raise DataError(
                    f"{origin}: group {str(shared[0])!r} ({training.name}) has samples in the "
                    f"training and in the {part} part"
                )
    arrays = [each.groups if kind == "group" else each.spans for each in keys.values()]
    joined = np.concatenate([array for array in arrays if array is not None])
    if kind == "group":
        joined = np.unique(joined, return_inverse=True)[1].astype(np.int32)
    with atomic_path(folder / FILE) as temporary, temporary.open("wb") as file:
        np.save(file, joined, allow_pickle=False)
    return {"kind": kind, "name": str(training.name)}


def notes(keys: Mapping[str, SplitKeys] | None) -> Iterator[str]:
    """What the user should know of a split that is not random."""
    if keys is None:
        return
    training = keys[TRAINING]
    if training.groups is not None:
        count = len(np.unique(training.groups))
        yield f"split by {training.name}: {count} groups, none of them on two sides"
    else:
        yield f"split by {training.name}: later samples validate, and the last ones test"


def read(folder: Path, description: Mapping[str, Any]) -> SplitKeys | None:
    """What a split of a prepared dataset must not tear apart; None: nothing."""
    by = description["split_by"]
    if by is None:
        return None
    array = np.load(folder / FILE, allow_pickle=False)
    return SplitKeys(by["name"], **{"groups" if by["kind"] == "group" else "spans": array})
