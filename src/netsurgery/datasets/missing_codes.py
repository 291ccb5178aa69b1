"""Numbers that may be codes of missing values, such as -999 among ages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

CODES = (-9, -99, -999, -9999, -99999, 999, 9999, 99999)
REPEATED = 2  # times before a number is a code


@dataclass
class MissingCodes:
    """The codes among a column's numbers, and the range of the others, from the rows so far."""

    counts: Counter[int] = field(default_factory=Counter)
    low: float = np.inf
    high: float = -np.inf

    def update(self, values: np.ndarray) -> None:
        """Take some more values, float64 (n,), into account."""
        finite = values[np.isfinite(values)]
        coded = np.isin(finite, CODES)
        self.counts.update(finite[coded].astype(int).tolist())
        if not coded.all():
            self.low = min(self.low, float(finite[~coded].min()))
            self.high = max(self.high, float(finite[~coded].max()))

    @property
    def likely(self) -> list[int]:
        """Codes that repeat, and lie far from all other numbers or are alone in being negative."""
        width = self.high - self.low
        return [
            code
            for code in CODES
            if self.counts[code] >= REPEATED
            and width >= 0
            and (code < self.low - width or code > self.high + width or code < 0 <= self.low)
        ]
