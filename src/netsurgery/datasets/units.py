"""Units of stored values, for numbers that float32 does not hold well.

Values are stored as float32. Where that loses differences between values (seconds since 1970), or
where values lie near the ends of its range (farads, kilograms of a planet), they are stored as
(value - offset) / unit. The unit is a power of two, so dividing by it is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_LOSS = 1e-3  # accepted rounding error of a stored value, in standard deviations
# standard deviations and values in this range need no unit: variances stay far from the limits
SMALLEST, LARGEST = 2.0**-20, 2.0**60
MAX_EXPONENT = 1000  # of float64
ROUNDING = 1e-15  # a relative width below this is a constant, up to rounding


def is_constant(width: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
    """Whether values of this width and largest magnitude are all the same, up to rounding."""
    return ~(width > ROUNDING * magnitude)


@dataclass(frozen=True)
class Units:
    """How values are stored: as (value - offset) / unit.

    Attributes:
        offset: float64, broadcasts against a sample; not 0 where float32 would lose differences.
        unit: float64, of the same shape; powers of two.
        double: of the same shape; whether float32 cannot hold the values themselves.
    """

    offset: np.ndarray
    unit: np.ndarray
    double: np.ndarray

    @property
    def dtype(self) -> str:
        """The dtype that holds the values themselves."""
        return "float64" if self.double.any() else "float32"

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Offset, unit and double."""
        return self.offset, self.unit, self.double

    @property
    def is_none(self) -> bool:
        """Whether values are stored as they are."""
        return bool((self.offset == 0).all() and (self.unit == 1).all() and not self.double.any())

    def map(self, change: Callable[[np.ndarray], np.ndarray]) -> Units:
        """Units of which each array is changed alike."""
        return Units(*map(change, self.arrays))

    def times(self, factor: np.ndarray) -> Units:
        """Units that are so many times as large, powers of two."""
        return Units(self.offset, self.unit * factor, self.double)

    def of(self, columns: np.ndarray) -> Units:
        """The units of some values of a row, by their indices."""
        return Units(*(array[..., columns] for array in (self.offset, self.unit, self.double)))

    def store(self, values: np.ndarray) -> np.ndarray:
        """Values as they are stored, float64."""
        return (values.astype(np.float64) - self.offset) / self.unit

    def restore(self, stored: np.ndarray) -> np.ndarray:
        """Stored values as they were, float64."""
        return stored.astype(np.float64) * self.unit + self.offset

    def to_json(self) -> dict[str, Any]:
        """The units as JSON values."""
        return {name: array.tolist() for name, array in vars(self).items()}

    @classmethod
    def none(cls, shape: tuple[int, ...]) -> Units:
        """The units of values that are stored as they are."""
        return cls(np.zeros(shape), np.ones(shape), np.zeros(shape, bool))

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Units | None:
        """The inverse of `to_json`; None for values that are stored as they are."""
        if value is None:
            return None
        return cls(**{name: np.array(array) for name, array in value.items()})


class UnitFitter:
    """Sees all values that a scaling is fitted to, and finds the units to store them in.

    Args:
        axes: over which values share an offset and a unit, including the first.
    """

    def __init__(self, axes: tuple[int, ...]) -> None:
        self.axes = axes
        self.centre: np.ndarray | None = None
        # sums are those of values / 2**exponent, whose squares float64 holds
        self.exponent: np.ndarray = np.array(-MAX_EXPONENT)
        self.count = self.total = self.squares = np.zeros(())
        self.magnitude = self.loss = np.zeros(())

    def update(self, values: np.ndarray) -> None:
        """Take some more samples into account, (k, *shape), finite numbers or NaN."""
        if not len(values):
            return
        exact = values.astype(np.float64)
        if self.centre is None:
            first = np.nan_to_num(exact[:1])
            self.centre = first.mean(axis=self.axes, keepdims=True)[0]
        centred = exact - self.centre
        self._raise_exponent(self._max(abs(centred)))
        centred *= np.ldexp(1.0, -self.exponent)
        self.count = self.count + self._sum(~np.isnan(centred))
        self.total = self.total + self._sum(np.nan_to_num(centred))
        self.squares = self.squares + self._sum(np.nan_to_num(centred**2))
        self.magnitude = np.maximum(self.magnitude, self._max(abs(exact)))
        if values.dtype != np.float32:
            with np.errstate(over="ignore"):
                rounded = exact.astype(np.float32)
            self.loss = np.maximum(self.loss, self._max(abs(rounded - exact)))

    def _raise_exponent(self, largest: np.ndarray) -> None:
        _, needed = np.frexp(largest)
        raised = np.where(largest > 0, np.clip(needed, -MAX_EXPONENT, MAX_EXPONENT), -MAX_EXPONENT)
        raised = np.maximum(raised, self.exponent)
        self.total = self.total * np.ldexp(1.0, self.exponent - raised)
        self.squares = self.squares * np.ldexp(1.0, 2 * (self.exponent - raised))
        self.exponent = raised

    def _sum(self, values: np.ndarray) -> np.ndarray:
        return values.sum(axis=self.axes, keepdims=True, dtype=np.float64)[0]

    def _max(self, values: np.ndarray) -> np.ndarray:
        return np.fmax.reduce(values, axis=self.axes, keepdims=True, initial=0.0)[0]

    def units(self) -> Units | None:
        """The units to store the values in; None if float32 holds them as they are."""
        if self.centre is None:
            return None
        count = np.maximum(self.count, 1)
        mean = self.total / count
        variance = np.maximum(self.squares / count - mean**2, 0)
        deviation = np.ldexp(np.sqrt(variance), self.exponent)
        varies = ~is_constant(deviation, self.magnitude)
        loses = ~np.isfinite(self.loss) | (varies & (self.loss > MAX_LOSS * deviation))
        extreme = varies & ((deviation < SMALLEST) | (self.magnitude > LARGEST))
        if not (loses | extreme).any():
            return None
        _, exponent = np.frexp(np.where(varies, deviation, 1.0))
        unit = np.where(loses | extreme, np.ldexp(1.0, exponent - 1), 1.0)
        offset = np.where(loses, self.centre + np.ldexp(mean, self.exponent), 0.0)
        return Units(offset, unit, loses)
