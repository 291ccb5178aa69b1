"""The fixed sixfold set of the Surgeon's ICLR version: flipped, and shifted in four directions."""

from __future__ import annotations

import numpy as np

NONE, SIXFOLD = "none", "sixfold"
VARIANTS = 6
SHIFT = 4  # pixels
SHIFTS = ((0, SHIFT), (0, -SHIFT), (SHIFT, 0), (-SHIFT, 0))  # down, right


def source_pixels(height: int, width: int) -> np.ndarray:
    """For each pixel of each variant, the pixel of the image that it is copied from.

    Returns:
        int32 (6, height * width): index of the source pixel, row by row, or height * width for a
        pixel from outside the image, which is black. The variants are the image itself, its mirror
        image, and the image moved right, left, down and up.
    """
    rows, columns = np.mgrid[:height, :width]
    origins = [(rows, columns), (rows, width - 1 - columns)]
    origins += [(rows - down, columns - right) for down, right in SHIFTS]
    variants = []
    for row, column in origins:
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        variants.append(np.where(inside, row * width + column, height * width).ravel())
    return np.array(variants, np.int32)
