"""The training samples that surgery and the analysis of networks look at, the same in a search."""

from __future__ import annotations

import numpy as np

from netsurgery.datasets import Samples
from netsurgery.search.calibration import CalibrationSamples
from netsurgery.storage.random_streams import random_stream


def calibration_positions(training: Samples, seed: int, count: int) -> np.ndarray:
    """Draw training samples, by position; the same ones in a whole search."""
    rng = random_stream(seed, "calibration")
    return np.sort(rng.permutation(len(training.indices))[:count])


def calibration_samples(training: Samples, seed: int, count: int) -> CalibrationSamples:
    """The same samples with their targets, scaled."""
    positions = calibration_positions(training, seed, count)
    targets = training.y[training.indices[positions]]
    if training.target is not None:
        targets = training.target.apply(targets)
    return CalibrationSamples(training.inputs(positions), targets, len(training.indices))
