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
        layer: a convolution or dense layer.
        arrays: the kernel and perhaps a bias.
        entering: (n, *shape), its inputs for some samples.
        missing: (n, *output_shape), what to add to its outputs before the activation.
    """
    kernel, *bias = arrays
    rows = np.asarray(missing, np.float64).reshape(-1, missing.shape[-1])
    features = KERNEL_INPUTS[type(layer)](entering, layer).reshape(len(rows), -1)
    change, shift = ridge_correction(features, rows, intercept=bool(bias))
    kernel = (kernel + change.reshape(kernel.shape)).astype(np.float32)
    return kernel, *((b + shift).astype(np.float32) for b in bias)
