"""Changed copies of training samples: random ones, or the Surgeon's fixed sixfold set of images."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsurgery.networks.layers import InputPart

NONE, AUTO, SIXFOLD = "none", "auto", "sixfold"
FLIP, SHIFT, CUTOUT = "flip", "shift", "cutout"  # random changes
ROTATE, ZOOM, BRIGHTNESS = "rotate", "zoom", "brightness"  # of images
OF_IMAGES = (FLIP, ROTATE, ZOOM, BRIGHTNESS)
FLIPS_AND_SHIFTS = "flip_shift"
VARIANTS = 6
IMAGE_AXES = 3  # rows, columns, channels
COLOURS = 3  # red, green, blue
MOVE = 4  # pixels
MOVES = ((0, MOVE), (0, -MOVE), (MOVE, 0), (-MOVE, 0))  # down, right
REACH = 8  # random shifts are by at most this part of a side
CUT = 4  # what is cut out is this part of each side
TURN = 150  # tenths of a degree that an image is turned at most
ZOOMED, LIGHTER = 100, 200  # per mille of the size and the brightness at most

Setting = str | Sequence[str]  # `augmentation` of a search


def changed_input(inputs: Sequence[InputPart]) -> InputPart:
    """The one of several inputs that changes at random: the first image, else the first series."""
    return max(inputs, key=lambda part: (len(part.shape), -part.start))


def random_changes(setting: Setting, shape: tuple[int, ...]) -> Sequence[str]:
    """The random changes that a setting asks for.

    `auto` is shifts for grey images. Colour images mostly are photographs, which may be mirrored
    and show what they show without a part of it. A mirrored digit or letter is none any more.

    Args:
        setting: of a search.
        shape: of a sample.
    """
    if not isinstance(setting, str):
        return setting
    if setting == AUTO:
        if len(shape) != IMAGE_AXES:
            return ()
        return (FLIP, SHIFT, CUTOUT) if shape[-1] == COLOURS else (SHIFT,)
    return {SHIFT: (SHIFT,), FLIPS_AND_SHIFTS: (FLIP, SHIFT)}.get(setting, ())


@dataclass(frozen=True)
class RandomChange:
    """Random changes of every sample in every epoch: where its pixels are, and how bright.

    What a sample moves away from repeats its edge: black would be no background everywhere. What is
    cut out takes the mean of the sample, channel by channel.

    Attributes:
        sides: of a sample, without its channels.
        reach: how far a sample moves at most along each axis.
        flips: whether half of the images are mirrored, left to right.
        cut: how long the part is along each axis; empty if nothing is cut out.
        turn: tenths of a degree that an image is turned at most.
        zoom: per mille by which it grows or shrinks at most.
        brightness: per mille by which its pixels grow or shrink at most.
    """

    sides: tuple[int, ...]
    reach: tuple[int, ...]
    flips: bool = False
    cut: tuple[int, ...] = ()
    turn: int = 0
    zoom: int = 0
    brightness: int = 0

    @classmethod
    def of(cls, setting: Setting, shape: tuple[int, ...]) -> RandomChange | None:
        """What a setting asks for; None if nothing random.

        Shifts reach an eighth of a side, at least 1; a quarter of each side is cut out.

        Args:
            setting: `augmentation` of a search.
            shape: of a sample; the last axis is that of channels.
        """
        changes, sides = random_changes(setting, shape), shape[:-1]
        if not changes:
            return None
        shifts, cuts = SHIFT in changes, CUTOUT in changes
        reach = tuple(min(max(1, side // REACH), side - 1) if shifts else 0 for side in sides)
        cut = tuple(max(1, side // CUT) for side in sides) if cuts else ()
        return cls(
            tuple(sides),
            reach,
            FLIP in changes,
            cut,
            turn=TURN * (ROTATE in changes),
            zoom=ZOOMED * (ZOOM in changes),
            brightness=LIGHTER * (BRIGHTNESS in changes),
        )

    @property
    def columns(self) -> dict[str, slice]:
        """Which of the numbers that `draw` gives are for what; what is not asked for has none."""
        widths = {
            SHIFT: len(self.reach),
            FLIP: 1,
            CUTOUT: len(self.cut),
            ROTATE: 2 * bool(self.turn or self.zoom),  # and zoom
            BRIGHTNESS: int(self.brightness > 0),
        }
        ends = itertools.accumulate(widths.values())
        found = {
            name: slice(end - width, end)
            for (name, width), end in zip(widths.items(), ends, strict=True)
        }
        return {name: place for name, place in found.items() if widths[name]}

    @property
    def numbers(self) -> int:
        """How many numbers say how a sample changes (see `draw`)."""
        return max(place.stop for place in self.columns.values())

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw how some samples change.

        Args:
            count: of samples.
            rng: of the draws.

        Returns:
            int32 (count, numbers): how far each moves along each axis, whether it is mirrored,
            where what is cut out has its middle, which may be at the edge, how far it is turned and
            zoomed, and how much brighter it is.
        """
        centres = [side - 1 for side in self.sides] if self.cut else []
        more = [self.turn, self.zoom] if ROTATE in self.columns else []
        more += [self.brightness] if self.brightness else []
        most = np.array([*self.reach, int(self.flips), *centres, *more])
        least = np.array(
            [*(-each for each in self.reach), 0, *(0 for _ in centres), *(-each for each in more)]
        )
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
    origins += [(rows - down, columns - right) for down, right in MOVES]
    variants = []
    for row, column in origins:
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        variants.append(np.where(inside, row * width + column, height * width).ravel())
    return np.array(variants, np.int32)
