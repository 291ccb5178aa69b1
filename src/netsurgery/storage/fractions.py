"""Products with fractions, exact for the decimal numbers that the user wrote.

0.29 is no binary fraction: 0.29 * 100 is 28.999999999999996, whose integer part is 28.
"""

from __future__ import annotations

import math
from decimal import Decimal


def product(fraction: float, factor: float) -> Decimal:
    """The exact product of two decimal numbers."""
    # the text of a float is the shortest decimal number that reads as this float
    return Decimal(str(float(fraction))) * Decimal(str(float(factor)))


def floor_product(fraction: float, count: int) -> int:
    """The integer part of fraction * count; neither is negative."""
    return math.floor(product(fraction, count))


def ceil_product(fraction: float, count: int) -> int:
    """The smallest integer that is not below fraction * count."""
    return math.ceil(product(fraction, count))
