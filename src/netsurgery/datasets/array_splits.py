"""Arrays of groups or times by which samples are split: subject_train and so on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from netsurgery.datasets.array_files import SUFFIXES, array_names, open_array
from netsurgery.datasets.source import DataError, Settings, SplitKeys


def keys_of(
    path: Path, settings: Settings, counts: Mapping[str, int]
) -> Callable[[str], SplitKeys] | None:
    """What splits respect, from arrays such as subject_train; None if none is set.

    Raises:
        DataError: an array is missing, or has another number of samples.
    """
    key = next((key for key in ("group", "time") if key in settings), None)
    if key is None:
        return None
    name = settings[key]
    available = array_names(path)
    for part in counts:
        if (needed := f"{name}_{SUFFIXES[part]}") not in available:
            found = ", ".join(sorted(available))
            raise DataError(f"{path}: has no array {needed} (`{key}: {name}`); found {found}")
    arrays = {part: open_array(path, f"{name}_{SUFFIXES[part]}") for part in counts}
    for part, array in arrays.items():
        if array.shape != (counts[part],):
            raise DataError(
                f"{array} has shape {array.shape}; `{key}` needs a value for each of the "
                f"{counts[part]} samples"
            )
        if key == "time" and array.dtype.kind not in "iufM":
            raise DataError(f"{array} has dtype {array.dtype}; times are numbers or datetime64")

    def keys(part: str) -> SplitKeys:
        (values,) = arrays[part].chunks(counts[part])
        if key == "group":
            return SplitKeys(name, groups=values.astype(str))
        dates = values.dtype.kind == "M"
        times = values.astype("datetime64[ns]").astype(np.int64) if dates else values
        return SplitKeys(name, spans=np.stack([times, times], axis=1))

    return keys
