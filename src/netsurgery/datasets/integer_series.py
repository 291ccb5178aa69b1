"""Whether a column of integers counts its rows, or groups of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LARGEST = 2**53  # up to here float64 holds every integer
WRAP = 2**64
ENOUGH = 10  # rows, or steps, before a column counts anything


@dataclass
class IntegerSeries:
    """The order of a column's integers, from the rows read so far."""

    only_integers: bool = True
    count: int = 0
    last: float = np.nan
    low_step: float = np.inf  # from one row to the next
    high_step: float = -np.inf
    steps: int = 0  # rows that differ from the one before
    least: int = LARGEST
    greatest: int = -LARGEST
    total: int = 0  # modulo 2**64, as is the sum of the squares
    squares: int = 0

    def update(self, values: np.ndarray) -> None:
        """Take some more values, float64 (n,), into account."""
        if not self.only_integers or not len(values):
            return
        # NaN and infinity fail the comparison
        if not (np.abs(values) < LARGEST).all() or (values % 1).any():
            self.only_integers = False
            return
        steps = np.diff(values, prepend=values[0] if np.isnan(self.last) else self.last)
        if np.isnan(self.last):
            steps = steps[1:]
        if len(steps):
            self.low_step = min(self.low_step, float(steps.min()))
            self.high_step = max(self.high_step, float(steps.max()))
        self.steps += int(np.count_nonzero(steps))
        self.last = float(values[-1])
        integers = values.astype(np.int64)
        self.count += len(values)
        self.least = min(self.least, int(integers.min()))
        self.greatest = max(self.greatest, int(integers.max()))
        wrapping = integers.astype(np.uint64)
        self.total = (self.total + int(wrapping.sum())) % WRAP
        self.squares = (self.squares + int((wrapping * wrapping).sum())) % WRAP

    @property
    def counts_rows(self) -> bool:
        """Whether each row has the next number, in steps of one size."""
        constant = self.low_step == self.high_step != 0
        return self.only_integers and self.count >= ENOUGH and constant

    @property
    def numbers_rows(self) -> bool:
        """Whether each row has its own number from a range without gaps, in any order."""
        n, low = self.count, self.least
        if not self.only_integers or n < ENOUGH or self.greatest - low + 1 != n:
            return False
        squares = _squares_to(self.greatest) - _squares_to(low - 1)
        same_total = (n * (low + self.greatest) // 2 - self.total) % WRAP == 0
        return same_total and (squares - self.squares) % WRAP == 0

    @property
    def counts_groups(self) -> bool:
        """Whether the numbers rise by one from time to time and never fall."""
        return (
            self.only_integers
            and self.steps >= ENOUGH
            and (self.low_step, self.high_step) in ((0, 1), (-1, 0))
        )


def _squares_to(n: int) -> int:
    """The sum of the squares from 1 to n; for a negative n, what makes differences right."""
    return n * (n + 1) * (2 * n + 1) // 6
