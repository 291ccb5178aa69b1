"""Changed copies of training samples: random ones, or the Surgeon's fixed sixfold set of images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NONE, AUTO, SIXFOLD = "none", "auto", "sixfold"
SHIFTED, FLIPPED = "shift", "flip_shift"
VARIANTS = 6
IMAGE_AXES = 3  # rows, columns, channels
SHIFT = 4  # pixels
SHIFTS = ((0, SHIFT), (0, -SHIFT), (SHIFT, 0), (-SHIFT, 0))  # down, right
REACH = 8  # random shifts are by at most this part of a side


def resolve(setting: str, shape: tuple[int, ...]) -> str:
    """What `auto` stands for: shifts of images. A mirrored digit or letter is none any more.

    Args:
        setting: `augmentation` of a search.
        shape: of a sample.
    """
    if setting != AUTO:
        return setting
    return SHIFTED if len(shape) == IMAGE_AXES else NONE


@dataclass(frozen=True)
class RandomShift:
    """A random shift of every sample in every epoch, and perhaps mirroring.

    What a sample moves away from repeats its edge: black would be no background everywhere.

    Attributes:
        reach: how far at most along each axis: an eighth of a side, at least 1.
        flips: whether half of the images are mirrored, left to right.
    """

    reach: tuple[int, ...]
    flips: bool = False

    @classmethod
    def of(cls, setting: str, shape: tuple[int, ...]) -> RandomShift | None:
        """What a setting asks for; None if nothing random.

        Args:
            setting: `augmentation` of a search.
            shape: of a sample; the last axis is that of channels.
        """
        kind = resolve(setting, shape)
        if kind not in (SHIFTED, FLIPPED):
            return None
        reach = tuple(min(max(1, side // REACH), side - 1) for side in shape[:-1])
        return cls(reach, kind == FLIPPED)

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw for some samples how far they move along each axis, and whether they are mirrored.

        Returns:
            int32 (count, axes + 1).
        """
        most = np.array([*self.reach, int(self.flips)])
        least = np.array([*(-each for each in self.reach), 0])
        return rng.integers(least, most + 1, (count, len(most)), dtype=np.int32)


def source_pixels(height: int, width: int) -> np.ndarray:
    """For each pixel of each variant of the sixfold set, the pixel that it is copied from.

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
