"""The fixed sixfold set of the Surgeon's ICLR version: flipped, and shifted in four directions."""

from __future__ import annotations

import numpy as np

NONE, SIXFOLD = "none", "sixfold"
VARIANTS = 6
SHIFT = 4  # pixels
SHIFTS = ((0, SHIFT), (0, -SHIFT), (SHIFT, 0), (-SHIFT, 0))


def sources(height: int, width: int) -> np.ndarray:
    """Where each pixel of each variant comes from.

    Returns:
        int32 (6, height * width): the index of a pixel of the image, row by row; height * width
        where it comes from outside, which is black. The variants are the image itself, its mirror
        image, and the image moved right, left, down and up.
    """
    rows, columns = np.mgrid[:height, :width]
    places = [(rows, columns), (rows, width - 1 - columns)]
    places += [(rows - down, columns - right) for down, right in SHIFTS]
    found = []
    for row, column in places:
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        found.append(np.where(inside, row * width + column, height * width).ravel())
    return np.array(found, np.int32)
