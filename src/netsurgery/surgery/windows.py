"""Where the window of a convolution lies on its input."""

from __future__ import annotations

from netsurgery.networks.layers import Shape, Windowed, windows
from netsurgery.networks.layers.windows import by_side


def margins(layer: Windowed, shape: Shape) -> tuple[tuple[int, int], ...]:
    """How much padding the windows cover before and after each side of an input of `shape`."""
    strides, dilation = by_side(layer.strides, shape), by_side(layer.dilation, shape)
    sides = zip(shape[:-1], layer.taps(shape), strides, dilation, strict=True)
    return tuple(
        windows.margins(side, taps, step, layer.padding, apart) for side, taps, step, apart in sides
    )


def before(layer: Windowed, shape: Shape) -> tuple[int, ...]:
    """How much padding the first window covers before each side of an input of `shape`."""
    return tuple(first for first, _ in margins(layer, shape))
