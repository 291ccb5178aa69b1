"""Kernels that pass their input on."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.layers import Conv, Dense, KernelLayer, Layer, Shape
from netsurgery.networks.layers.windows import CAUSAL, SAME, by_side


def middle(layer: Layer, shape: Shape) -> tuple[int, ...] | None:
    """The tap of a layer's kernel that multiplies the pixel, or step, that the output stands for.

    Args:
        layer: any layer.
        shape: of its input.

    Returns:
        An index for each side, none for a dense layer; None if there is no such tap, or the output
        has another size.
    """
    if isinstance(layer, Dense):
        return ()
    if not isinstance(layer, Conv) or layer.strides != 1:
        return None
    taps = []
    sizes = layer.taps(shape)
    for size, dilation in zip(sizes, by_side(layer.dilation, shape), strict=True):
        before = (size - 1) * dilation
        if layer.padding == SAME:
            before //= 2  # as TensorFlow pads
        elif layer.padding != CAUSAL and size > 1:
            return None
        if before % dilation:
            return None
        taps.append(before // dilation)
    return tuple(taps)


def dirac(layer: KernelLayer, shape: Shape) -> np.ndarray | None:
    """The kernel that passes an input of `shape` on; None if the layer has none."""
    tap = middle(layer, shape)
    if tap is None or layer.output_shape(shape) != shape:
        return None
    kernel = np.zeros(layer.kernel_shape(shape), np.float32)
    kernel[tap] = np.eye(shape[-1])
    return kernel
