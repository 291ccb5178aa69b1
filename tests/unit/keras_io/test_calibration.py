"""Calibration samples of a user: one line says what is wrong with them."""

from __future__ import annotations

import numpy as np
import pytest

from netsurgery.keras_io.calibration import checked_samples
from netsurgery.storage.files import UnusableFileError

SHAPE = (4, 3)


def with_value(value: float) -> np.ndarray:
    samples = np.zeros((50, *SHAPE))
    samples[7, 2, 1] = samples[9, 0, 0] = value
    return samples


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.zeros((3, 4, 1)), r"samples of shape \(4, 1\), but the model takes \(4, 3\)"),
        (np.zeros((3, 4)), r"samples of shape \(4,\), but the model takes"),
        (np.zeros(()), r"samples of shape \(\), but"),
        (np.zeros((0, *SHAPE)), "there are no samples"),
        (with_value(np.nan), "2 of 50 samples have missing .* the first one at 7: drop or fill"),
        (with_value(np.inf), "2 of 50 samples have missing .* infinite values"),
        (np.zeros((3, *SHAPE), complex), "of type complex128, not of numbers"),
        (np.full((3, *SHAPE), "a"), "not of numbers"),
        (np.full((3, *SHAPE), None), "of type object, not of numbers"),
    ],
)
def test_unusable_samples_are_refused(samples: np.ndarray, reason: str) -> None:
    with pytest.raises(UnusableFileError, match=f"^calibration: .*{reason}"):
        checked_samples(samples, SHAPE)


@pytest.mark.parametrize("dtype", ["bool", "u1", "i8", ">f4", "f2", "f4", "f8", "longdouble"])
def test_samples_get_a_precision_to_compute_in(dtype: str) -> None:
    samples = np.ones((3, *SHAPE), dtype)
    checked = checked_samples(samples, SHAPE)
    np.testing.assert_array_equal(checked, samples)
    np.linalg.svd(checked)  # which no half or extended precision supports


def test_axes_of_any_length_take_any_samples() -> None:
    assert checked_samples(np.zeros((3, 9, 3)), (None, 3)).shape == (3, 9, 3)
