"""Calibration samples that a user gives for a Keras model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from netsurgery.networks.layers import InputPart
from netsurgery.networks.packed_inputs import packed
from netsurgery.networks.topology import Topology
from netsurgery.storage.files import UnusableFileError

Samples = np.ndarray | Sequence[np.ndarray] | Mapping[str, np.ndarray]


def samples_for(topology: Topology, samples: Samples) -> np.ndarray:
    """Samples as a network takes them, in a precision that numpy can compute in.

    Args:
        topology: the network's.
        samples: (n, *input_shape). Of several inputs a mapping from their names, or a sequence in
            their order. A mapping for a network of one input gives its first array.

    Raises:
        UnusableFileError: they are not what the network takes.
    """
    if not topology.inputs:
        only = next(iter(samples.values())) if isinstance(samples, Mapping) else samples
        return checked_samples(np.asarray(only), topology.input_shape)
    arrays = [checked_samples(x, part.shape) for part, x in _by_input(topology.inputs, samples)]
    if len(counts := {len(array) for array in arrays}) > 1:
        raise UnusableFileError(
            "calibration: the inputs have different numbers of samples:"
            f" {', '.join(map(str, sorted(counts)))}"
        )
    return packed(arrays)


def _by_input(inputs: Sequence[InputPart], samples: Samples) -> list[tuple[InputPart, np.ndarray]]:
    """Each input with its samples."""
    names = [part.name for part in inputs]
    if isinstance(samples, Mapping) and not set(names) - set(samples):
        return [(part, np.asarray(samples[part.name])) for part in inputs]
    given = list(samples) if isinstance(samples, Mapping) else len(samples)
    if isinstance(samples, list | tuple) and given == len(names):
        return [(part, np.asarray(x)) for part, x in zip(inputs, samples, strict=True)]
    raise UnusableFileError(
        f"calibration: the model takes {len(names)} inputs ({', '.join(names)}); give an array for"
        " each of these names"
    )


def checked_samples(samples: np.ndarray, input_shape: tuple[int | None, ...]) -> np.ndarray:
    """Samples in a precision that numpy can compute in.

    Args:
        samples: (n, *input_shape), numbers or booleans.
        input_shape: of the model; None for an axis of any length.

    Raises:
        UnusableFileError: they are of another shape, no finite real numbers, or none at all.
    """
    samples = np.asarray(samples)
    if samples.dtype.kind not in "biuf":
        raise UnusableFileError(f"calibration: samples of type {samples.dtype}, not of numbers")
    shape = samples.shape[1:]
    fits = len(shape) == len(input_shape) and all(
        wanted in (None, given) for wanted, given in zip(input_shape, shape, strict=True)
    )
    if samples.ndim == 0 or not fits:
        raise UnusableFileError(
            f"calibration: samples of shape {shape}, but the model takes {input_shape}"
        )
    if not len(samples):
        raise UnusableFileError("calibration: there are no samples")
    finite = np.isfinite(samples).reshape(len(samples), -1).all(axis=1)
    if not finite.all():
        raise UnusableFileError(
            f"calibration: {np.count_nonzero(~finite):,} of {len(samples):,} samples have missing"
            f" (NaN) or infinite values, the first one at {np.argmin(finite)}: drop or fill them"
        )
    known = samples.dtype in (np.float32, np.float64) or samples.dtype.kind in "iu"
    return samples if known else samples.astype(np.float32)
