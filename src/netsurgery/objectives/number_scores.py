"""Scores of predicted numbers: of each target in its own unit, and their means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class NumberScores:
    """The scores of each target, (targets,).

    Attributes:
        mae: mean absolute error.
        rmse: root mean square error.
        r2: explained share of the target's variance: 0 for a constant prediction of its mean; NaN
            for a target that does not vary.
    """

    mae: np.ndarray
    rmse: np.ndarray
    r2: np.ndarray

    @classmethod
    def of_means(cls, means: np.ndarray, units: np.ndarray | float = 1.0) -> NumberScores:
        """From means over samples.

        Args:
            means: (4, targets), of absolute errors and their squares, and of the true values, which
                may be shifted, and their squares.
            units: of the errors and values.
        """
        absolute, squares, values, value_squares = means
        variance = value_squares - values**2
        unexplained = np.full(squares.shape, np.nan)
        np.divide(squares, variance, out=unexplained, where=variance != 0)
        return cls(absolute * units, np.sqrt(squares) * units, 1 - unexplained)

    @classmethod
    def of(cls, true: np.ndarray, predicted: np.ndarray) -> NumberScores:
        """From values (n, targets)."""
        true, predicted = (values.astype(np.float64) for values in (true, predicted))
        # squares of very large or small numbers would overflow or vanish
        units = np.ptp(true, axis=0)
        units = np.where(units > 0, units, 1.0)
        error, value = (predicted - true) / units, (true - true[0]) / units
        found = (abs(error), error**2, value, value**2)
        return cls.of_means(np.stack([values.mean(axis=0) for values in found]), units)

    def scores(self) -> dict[str, float]:
        """The means over the targets; r2 over those that vary."""
        varying = self.r2[~np.isnan(self.r2)]
        return {
            "mae": float(self.mae.mean()),
            "rmse": float(self.rmse.mean()),
            "r2": float(varying.mean()) if len(varying) else float("nan"),
        }
