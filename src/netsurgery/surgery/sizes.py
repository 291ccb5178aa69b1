"""How much an operation changes if the mutation gives no width."""

from __future__ import annotations

import math
from dataclasses import dataclass

from netsurgery.storage.fractions import floor_product


@dataclass(frozen=True)
class MutationSizes:
    """Default sizes of mutations; the values are those of ECToNAS (section 3.2).

    Attributes:
        units_change_fraction: units to add or remove, as a fraction of the layer's width.
        min_units_change: the smallest number of units to add or remove.
        channels_change: channels to add or remove.
        pooling: of added conv cells: `average`, `max`, or `random` to draw one for each cell.
        width_factor: above 1: layers become this many times as wide or as narrow instead.
    """

    units_change_fraction: float = 0.1
    min_units_change: int = 2
    channels_change: int = 3
    pooling: str = "average"
    width_factor: float | None = None

    def units(self, width: int) -> int:
        """Units to add to, or remove from, a dense layer of this width."""
        return max(self.min_units_change, floor_product(self.units_change_fraction, width))

    def wider(self, width: int, change: int) -> int:
        """The width of a widened layer: more by `change`, or by the factor, rounded up."""
        if self.width_factor is None:
            return width + change
        return max(width + 1, math.ceil(self.width_factor * width))

    def narrower(self, width: int, change: int) -> int:
        """The width of a narrowed layer: less by `change`, or by the factor, rounded down."""
        if self.width_factor is None:
            return width - change
        return min(width - 1, math.floor(width / self.width_factor))
