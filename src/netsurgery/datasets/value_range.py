"""The range of values that are seen in chunks."""

from __future__ import annotations

import numpy as np


class ValueRange:
    """The smallest and the largest of the values seen, of which some may be missing."""

    def __init__(self) -> None:
        self.low, self.high = np.inf, -np.inf

    def update(self, values: np.ndarray) -> None:
        """Take some more values into account."""
        if values.size:
            self.low = float(np.fmin(self.low, np.fmin.reduce(values, axis=None)))
            self.high = float(np.fmax(self.high, np.fmax.reduce(values, axis=None)))

    def to_json(self) -> list[float] | None:
        """Both as JSON values; None if there were no values."""
        return [self.low, self.high] if self.low <= self.high else None
