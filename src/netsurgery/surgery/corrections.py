"""Change what a layer with a kernel gives, by least squares."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.inference import KERNEL_INPUTS
from netsurgery.networks.layers import Arrays, KernelLayer
from netsurgery.surgery.least_squares import ridge_correction


def corrected(
    layer: KernelLayer, arrays: Arrays, entering: np.ndarray, missing: np.ndarray
) -> Arrays:
    """A layer's arrays, changed so that it gives more by what is missing, as closely as possible.

    Args:
        layer: the layer.
        arrays: its arrays; the kernel that mixes channels changes, and the bias if there is one.
        entering: (n, *shape), its inputs for some samples.
        missing: (n, *output_shape), what to add to its outputs before the activation.
    """
    rows = np.asarray(missing, np.float64).reshape(-1, missing.shape[-1])
    features = KERNEL_INPUTS[type(layer)](layer, arrays, entering).reshape(len(rows), -1)
    change, shift = ridge_correction(features, rows, intercept=layer.use_bias)
    changed = list(arrays)
    kernel = arrays[layer.mixing]
    changed[layer.mixing] = (kernel + change.reshape(kernel.shape)).astype(np.float32)
    if layer.use_bias:
        changed[-1] = (arrays[-1] + shift).astype(np.float32)
    return tuple(changed)
