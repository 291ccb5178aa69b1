"""Convolutions whose averages alone are used, which need not be computed in full."""

from __future__ import annotations

from collections.abc import Sequence

from netsurgery.networks.layers import SAME, Conv, Layer, Pool, Shape


def is_averaged(layer: Conv, rest: Sequence[Layer], shape: Shape) -> bool:
    """Whether only averages over whole 2x2 squares of a convolution's output are used.

    Args:
        layer: the convolution.
        rest: the layers behind it (`Topology.chain`).
        shape: of its input.
    """
    after = rest[0] if rest else None
    plain = (layer.activation, layer.strides, layer.padding, layer.dilation)
    return (
        isinstance(after, Pool)
        and len(shape) == 3
        and plain == ("linear", 1, SAME, 1)
        and isinstance(layer.kernel, int)
        and layer.kernel % 2 == 1
        and (after.function, after.size, after.strides or 2) == ("average", 2, 2)
        and all(side % 2 == 0 for side in shape[:2])
    )
