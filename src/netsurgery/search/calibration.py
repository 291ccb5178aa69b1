"""Training samples that tell what a network, or surgery on it, does to the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CalibrationSamples:
    """Some training samples.

    Attributes:
        inputs: (n, *input_shape) as the network takes them.
        targets: (n,) class numbers, or (n, targets) as the network predicts them.
        total: the number of training samples that they stand for.
    """

    inputs: np.ndarray
    targets: np.ndarray
    total: int
