"""Calibration samples that a user gives for a Keras model."""

from __future__ import annotations

import numpy as np

from netsurgery.storage.files import UnusableFileError


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
