"""The least squares rule: after a removal, later layers are refitted to real samples.

Calibration samples show what a layer computed in the parent, before its activation. Least squares
corrects the child's weights so that the layer reproduces this as closely as possible from its new
input.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from netsurgery.networks import activations
from netsurgery.networks.inference import (
    KERNEL_INPUTS,
    chunks,
    pre_activation,
    precision,
    run_layers,
)
from netsurgery.networks.layers import KernelLayer
from netsurgery.networks.network import Network, Topology
from netsurgery.surgery.least_squares import ridge_correction
from netsurgery.surgery.pooling import resized

ROWS_PER_FEATURE = 20  # pixels to fit a convolution to; more take time but add no accuracy
MIN_IMAGES = 32


def refit_layers(
    parent: Network, child: Network, positions: Sequence[int], x: np.ndarray
) -> Network:
    """The child, with some layers fitted in order to what they computed in the parent.

    Args:
        parent: the network before surgery.
        child: the network after it; the correction starts from its weights.
        positions: in the parent, of the layers to fit; all come after the changed layer.
        x: (n, *input_shape) calibration samples.
    """
    grown = len(child.weights) - len(parent.weights)
    # the next layers in parent and child, and the samples' values there
    at, values = (0, 0), (x, x)
    for before in positions:
        layer, after = parent.topology.layers[before], before + grown
        assert isinstance(layer, KernelLayer)
        count = samples_needed(child.topology, after, len(x))
        if count > len(values[0]):
            at, values = (0, 0), (x, x)
        values = (values[0][:count], values[1][:count])
        read, features = _run_both((parent, child), at, (before, after), values)
        wanted = pre_activation(layer, parent.weights[before], read)
        arrays = _fit(layer, child.weights[after], features, wanted)
        child = child.with_arrays({after: arrays})
        at = (before + 1, after)
        values = (activations.apply(layer.activation, wanted), features)
    return child


def _run_both(
    networks: tuple[Network, Network],
    start: tuple[int, int],
    stop: tuple[int, int],
    values: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Pass values through parent and child, from one layer of each to another.

    From the first layer on, the layers that both have in common run only once.
    """
    common = _common_layers(*networks, min(stop)) if start == (0, 0) else None
    results = tuple(
        np.empty((len(value), *network.topology.shapes[end]), precision(value))
        for network, end, value in zip(networks, stop, values, strict=True)
    )
    for part in chunks(len(values[0])):
        heads, first = [value[part] for value in values], start
        if common is not None:
            heads, first = [run_layers(networks[0], heads[0], 0, common)] * 2, (common, common)
        for i, network in enumerate(networks):
            results[i][part] = run_layers(network, heads[i], first[i], stop[i])
    return results[0], results[1]


def _common_layers(parent: Network, child: Network, limit: int) -> int:
    """How many layers parent and child have in common, from the first on."""
    for i in range(limit):
        arrays = zip(parent.weights[i], child.weights[i], strict=False)
        same_layer = parent.topology.layers[i] == child.topology.layers[i]
        if not same_layer or any(mine is not other for mine, other in arrays):
            return i
    return limit


def samples_needed(topology: Topology, position: int, samples: int) -> int:
    """How many samples to fit a layer to: for a convolution, each image holds many pixels."""
    *sides, _ = topology.shapes[position]
    if not sides:
        return samples
    kernel, *_ = topology.array_shapes[position]
    rows = ROWS_PER_FEATURE * math.prod(kernel[:-1])
    return min(samples, max(MIN_IMAGES, -(-rows // math.prod(sides))))


def _fit(
    layer: KernelLayer, arrays: tuple[np.ndarray, ...], features: np.ndarray, wanted: np.ndarray
) -> tuple[np.ndarray, ...]:
    """A layer's arrays, corrected so that it gives the wanted values for these features."""
    missing = pre_activation(layer, arrays, features)
    if wanted.ndim == 4:  # images, perhaps of another size
        wanted = resized(wanted, *missing.shape[1:3])
    features = KERNEL_INPUTS[type(layer)](features, layer)
    missing = np.subtract(wanted, missing, dtype=np.float64).reshape(-1, wanted.shape[-1])
    features = features.reshape(len(missing), -1)
    kernel, *bias = arrays
    change, shift = ridge_correction(features, missing, intercept=bool(bias))
    change += kernel.reshape(change.shape)
    corrected = change.reshape(kernel.shape).astype(np.float32, copy=False)
    return corrected, *((b + shift).astype(np.float32) for b in bias)
