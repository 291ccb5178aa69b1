"""The samples of one part of a split dataset, as training jobs read them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netsurgery.datasets.prepared import describe, mapped
from netsurgery.storage.files import FILES, check, read_json


@dataclass(frozen=True)
class Scaling:
    """Networks see (value - shift) * scale, and 0 for a missing value."""

    shift: np.ndarray  # these broadcast against a sample
    scale: np.ndarray
    missing: bool = False  # whether NaN stands for a missing value

    def apply(self, raw: np.ndarray) -> np.ndarray:
        """What networks see of raw values, float32."""
        scaled = (raw.astype(np.float32) - self.shift) * self.scale
        return np.nan_to_num(scaled, nan=0.0) if self.missing else scaled


@dataclass(frozen=True)
class Samples:
    """Some samples of a dataset that stays in its file.

    Only the values that are looked at come into memory, and all jobs of a machine share them.
    """

    x: np.ndarray  # (N, *shape) all samples as stored
    y: np.ndarray  # (N,) class numbers, or (N, targets) float32
    indices: np.ndarray  # (n,) those that belong to this part
    scaling: Scaling
    target: Scaling | None = None  # what networks learn is (y - shift) * scale; None for classes
    variants: int = 1  # of every sample (see `netsurgery.datasets.augmentation`)

    def __len__(self) -> int:
        return self.variants * len(self.indices)

    def inputs(self, positions: np.ndarray) -> np.ndarray:
        """What networks see of some of the samples, float32.

        Args:
            positions: from 0 to below the number of samples without their variants.
        """
        return self.scaling.apply(self.x[self.indices[positions]])

    @property
    def balancing_weights(self) -> np.ndarray:
        """(classes,) weights that make all classes count alike, 1 on average over the samples."""
        counts = np.bincount(self.y[self.indices])
        return len(self.indices) / (len(counts) * np.maximum(counts, 1))


def read_part(folder: Path, split_path: Path, part: str) -> Samples:
    """The samples of one part of a prepared dataset.

    Raises:
        Damaged: the split is not as it was written. (The samples are checked when a run begins:
            to hash them in every job would take longer than many jobs do.)
    """
    check(split_path, read_json(split_path.with_suffix(".json"))[FILES][split_path.name])
    with np.load(split_path, allow_pickle=False) as split:
        indices = split[part].astype(np.int32)
        scaling = Scaling(split["shift"], split["scale"], describe(folder)["missing"])
        regression = "target_scale" in split
        target = Scaling(split["target_shift"], split["target_scale"]) if regression else None
    return Samples(mapped(folder, "x"), mapped(folder, "y"), indices, scaling, target)
