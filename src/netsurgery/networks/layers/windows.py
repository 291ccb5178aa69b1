"""Windows that move over a series or an image: their sizes and the shapes that they give."""

from __future__ import annotations

import math
from collections.abc import Iterable

from netsurgery.networks.layers.base import Layer, Shape

SAME, VALID, CAUSAL = "same", "valid", "causal"  # padding, by Keras's names

# of a window, its strides or its dilation: one number for all sides, or one for each that differs
Sides = int | tuple[int, ...]


def as_sides(value: Sides | Iterable[int]) -> Sides:
    """One number if all sides are equal, whatever they are given as (JSON has lists)."""
    if isinstance(value, int):
        return value
    sides = tuple(map(int, value))
    return sides[0] if len(set(sides)) == 1 else sides


def by_side(value: Sides, shape: Shape) -> tuple[int, ...]:
    """The number for each side of an input of `shape`.

    Raises:
        ValueError: there are not as many numbers as sides.
    """
    count = len(shape) - 1
    if isinstance(value, int):
        return (value,) * count
    if len(value) != count:
        raise ValueError(f"{described(value)} are {len(value)} numbers for {sides_of(shape)}")
    return value


def described(value: Sides, sides: int = 2) -> str:
    """For display: 3x3, or 3x1. One number stands for all sides, of an image if not said."""
    return "x".join(map(str, (value,) * sides if isinstance(value, int) else value))


def sides_of(shape: Shape) -> str:
    """What the axes of a shape but the last one are called."""
    return "a series of steps" if len(shape) == 2 else "an image of height and width"


def require_sides(layer: Layer, shape: Shape) -> None:
    """Raise a ValueError if an input of `shape` is neither a series nor an image."""
    if len(shape) not in (2, 3):
        raise ValueError(
            f"{layer} needs a series (steps, channels) or an image (height, width, channels),"
            f" not {shape}"
        )


def span(size: int, dilation: int) -> int:
    """How far a window reaches whose elements are `dilation` apart."""
    return (size - 1) * dilation + 1


def window_output(
    layer: Layer, shape: Shape, size: Sides, strides: Sides, padding: str, dilation: Sides = 1
) -> tuple[int, ...]:
    """The sides of the output of a layer that moves a window over a series or an image.

    Raises:
        ValueError: the input is neither, smaller than the window, or the layer needs a series.
    """
    require_sides(layer, shape)
    if padding == CAUSAL and len(shape) != 2:
        raise ValueError(f"{layer} with causal padding needs a series, not {shape}")
    windows = zip(
        shape[:-1],
        by_side(size, shape),
        by_side(strides, shape),
        by_side(dilation, shape),
        strict=True,
    )
    sides = tuple(
        math.ceil(side / step)
        if padding in (SAME, CAUSAL)
        else (side - span(length, apart)) // step + 1
        for side, length, step, apart in windows
    )
    if min(sides) < 1:
        entering = "x".join(map(str, shape[:-1]))
        raise ValueError(f"{layer} is larger than its input of {entering}")
    return sides


def margins(side: int, size: int, strides: int, padding: str, dilation: int = 1) -> tuple[int, int]:
    """How much to add before and after a side of the input, as TensorFlow does."""
    if padding == VALID:
        return (0, 0)
    if padding == CAUSAL:
        return (span(size, dilation) - 1, 0)
    missing = max(0, (-(-side // strides) - 1) * strides + span(size, dilation) - side)
    return (missing // 2, missing - missing // 2)
