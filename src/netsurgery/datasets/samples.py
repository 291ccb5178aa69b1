"""The samples of one part of a split dataset, as training jobs read them from disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netsurgery.datasets.augmentation import RandomChange
from netsurgery.datasets.joined_inputs import parts_of
from netsurgery.datasets.piecewise import Pieces
from netsurgery.datasets.prepared import describe, mapped
from netsurgery.datasets.units import Units
from netsurgery.networks.layers import InputPart
from netsurgery.networks.packed_inputs import unpacked
from netsurgery.objectives.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from netsurgery.storage.files import CHECKSUMS, read_json, verify_checksum


@dataclass(frozen=True)
class Scaling:
    """The scaling of stored values: (value - shift) * scale, and 0 for a missing value."""

    shift: np.ndarray  # shift and scale broadcast against a sample, or against its inputs
    scale: np.ndarray
    missing: bool = False  # whether NaN marks a missing value
    units: Units | None = None  # of the stored values; None: they are stored as they are
    pieces: Pieces | None = None  # of rows; None: each value is an input

    def apply(self, raw: np.ndarray) -> np.ndarray:
        """Scale stored values to float32 network inputs."""
        values = raw.astype(np.float32)
        if self.pieces is not None:
            values = values[..., self.pieces.columns]
        scaled = (values - self.shift) * self.scale
        if self.pieces is not None:
            scaled = np.where(self.pieces.bins, np.clip(scaled, 0.0, 1.0), scaled)
        return np.nan_to_num(scaled, nan=0.0) if self.missing else scaled

    def of_input(self, part: InputPart) -> Scaling:
        """The scaling of one input, if samples have several: by column, or by channel."""

        def own(values: np.ndarray) -> np.ndarray:
            of_part = values[part.start : part.stop].reshape(part.shape)
            return of_part[(0,) * (len(part.shape) - 1)]

        shift, scale = own(self.shift), own(self.scale)
        if len(part.shape) > 1 and not shift.any() and (scale == scale[0]).all():
            shift, scale = shift[0], scale[0]  # of all channels
        units = None if self.units is None else self.units.map(own)
        return Scaling(shift, scale, self.missing, None if units and units.is_none else units)

    @property
    def of_values(self) -> Scaling:
        """The scaling of the values before they were stored, in float64 if units differ."""
        if self.units is None:
            return self
        units = self.units if self.pieces is None else self.units.of(self.pieces.columns)
        scale = self.scale.astype(np.float64) / units.unit
        return Scaling(units.restore(self.shift), scale, self.missing, pieces=self.pieces)

    def restore(self, stored: np.ndarray) -> np.ndarray:
        """Stored values in the units in which they came."""
        return stored if self.units is None else self.units.restore(stored)

    def store(self, values: np.ndarray) -> np.ndarray:
        """Values as they are stored, float32; the inverse of `restore`."""
        return (values if self.units is None else self.units.store(values)).astype(np.float32)


def task_of_labels(y: np.ndarray, target: Scaling | None) -> str:
    """The task that prepared labels are for.

    Args:
        y: (n,) class numbers, (n, labels) of 0 and 1, or (n, targets).
        target: scaling of targets; None for classes and labels.
    """
    if target is not None:
        return REGRESSION
    return CLASSIFICATION if y.ndim == 1 else MULTILABEL


@dataclass(frozen=True)
class Samples:
    """The samples of one part of a dataset, memory-mapped.

    Only the values that are used are loaded, and all jobs on a machine share the memory.
    """

    x: np.ndarray  # (N, *shape) all samples as stored
    y: np.ndarray  # (N,) class numbers, (N, labels) uint8 of 0 and 1, or (N, targets) float32
    indices: np.ndarray  # (n,) of the samples of this part
    scaling: Scaling
    target: Scaling | None = None  # scaling of regression targets; None for others
    variants: int = 1  # of every sample (see `netsurgery.datasets.augmentation`)
    change: RandomChange | None = None  # of every sample in every epoch
    non_negative: bool = False  # whether the scaled training samples have no negative values
    parts: tuple[InputPart, ...] = ()  # the inputs, if samples have several

    def __len__(self) -> int:
        return self.variants * len(self.indices)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of what a network takes for a sample."""
        pieces = self.scaling.pieces
        return self.x.shape[1:] if pieces is None else pieces.columns.shape

    @property
    def task(self) -> str:
        """The task that the labels are for."""
        return task_of_labels(self.y, self.target)

    def inputs(self, positions: np.ndarray) -> np.ndarray:
        """The scaled network inputs of some samples, float32 (k, *shape).

        Args:
            positions: (k,) within this part, from 0; variants do not count.
        """
        return self.scaling.apply(self.x[self.indices[positions]])

    def as_taken(self, inputs: np.ndarray) -> np.ndarray | dict[str, np.ndarray]:
        """Network inputs as the Keras model of a network takes them: several by their names."""
        return unpacked(inputs, self.parts) if self.parts else inputs

    @property
    def balancing_weights(self) -> np.ndarray:
        """Class weights (classes,) that balance the classes; their mean over the samples is 1."""
        counts = np.bincount(self.y[self.indices])
        return len(self.indices) / (len(counts) * np.maximum(counts, 1))


def read_part(folder: Path, split_path: Path, part: str) -> Samples:
    """Read the samples of one part of a prepared dataset.

    Only the split is checked here. The samples are checked when a run starts, because hashing them
    in every job would take longer than many jobs run.

    Raises:
        DamagedFileError: the split does not match its checksum.
    """
    checksums = read_json(split_path.with_suffix(".json"))[CHECKSUMS]
    verify_checksum(split_path, checksums[split_path.name])
    with np.load(split_path, allow_pickle=False) as split:
        indices = split[part].astype(np.int32)
        data = describe(folder)
        units = Units.from_json(data.get("units"))
        pieces = Pieces(split["columns"], split["bins"]) if "columns" in split else None
        scaling = Scaling(split["shift"], split["scale"], data["missing"], units, pieces)
        target = None
        if "target_scale" in split:
            target_units = Units.from_json(data.get("target_units"))
            shift, scale = split["target_shift"], split["target_scale"]
            target = Scaling(shift, scale, units=target_units)
        non_negative = "non_negative" in split and bool(split["non_negative"])
    x, y = (mapped(folder, stem) for stem in "xy")
    return Samples(x, y, indices, scaling, target, non_negative=non_negative, parts=parts_of(data))
