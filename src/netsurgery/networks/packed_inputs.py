"""The samples of networks that take several inputs: one row of numbers each (see `InputPart`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsurgery.networks.layers import InputPart


def packed(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """One row of numbers for each sample, (n, numbers), of its inputs, each (n, *shape)."""
    return np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)


def unpacked(samples: np.ndarray, inputs: Sequence[InputPart]) -> dict[str, np.ndarray]:
    """The inputs of samples (n, numbers), each (n, *shape), by their names."""
    return {
        part.name: samples[:, part.start : part.stop].reshape(len(samples), *part.shape)
        for part in inputs
    }
