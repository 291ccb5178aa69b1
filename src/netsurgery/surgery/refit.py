"""The data-aware rule: after a removal the layers behind it are fitted to what they computed.

With a calibration batch of real samples, the values that a layer computed in the parent, before its
activation, are known; the child's weights are corrected by least squares so that they come out as
nearly as they can from what the child's layer now reads.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsurgery.networks import activations
from netsurgery.networks.inference import chunks, patches, pre_activation, precision, run_layers
from netsurgery.networks.layers import Conv, KernelLayer
from netsurgery.networks.network import Network, Topology
from netsurgery.surgery.least_squares import ridge_correction
from netsurgery.surgery.pooling import resized

ROWS_PER_FEATURE = 20  # pixels to fit a convolution to; more add time, not accuracy
FEWEST_IMAGES = 32


def refit_layers(parent: Network, child: Network, places: Sequence[int], x: np.ndarray) -> Network:
    """The child with some layers fitted, in order, to what they computed in the parent.

    Args:
        parent: before surgery.
        child: after it; its weights are where the correction starts from.
        places: positions in the parent of the layers to fit, all of them behind the surgery.
        x: (n, *input_shape) calibration samples.
    """
    grown = len(child.weights) - len(parent.weights)
    # how far the samples have come in parent and child, and what they are there
    at, values = (0, 0), (x, x)
    for place in places:
        layer, position = parent.topology.layers[place], place + grown
        assert isinstance(layer, KernelLayer)
        count = samples_needed(child.topology, position, len(x))
        if count > len(values[0]):
            at, values = (0, 0), (x, x)
        values = (values[0][:count], values[1][:count])
        read, features = _side_by_side((parent, child), at, (place, position), values)
        wanted = pre_activation(layer, parent.weights[place], read)
        arrays = _fit(layer, child.weights[position], features, wanted)
        child = child.with_arrays({position: arrays})
        at = (place + 1, position)
        values = (activations.apply(layer.activation, wanted), features)
    return child


def _side_by_side(
    networks: tuple[Network, Network],
    start: tuple[int, int],
    stop: tuple[int, int],
    values: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """What samples become in parent and child between two layers of each.

    From the beginning they go only once through the layers that both have in common.
    """
    common = _common(*networks, min(stop)) if start == (0, 0) else None
    given = tuple(
        np.empty((len(value), *network.topology.shapes[end]), precision(value))
        for network, end, value in zip(networks, stop, values, strict=True)
    )
    for part in chunks(len(values[0])):
        heads, first = [value[part] for value in values], start
        if common is not None:
            heads, first = [run_layers(networks[0], heads[0], 0, common)] * 2, (common, common)
        for i, network in enumerate(networks):
            given[i][part] = run_layers(network, heads[i], first[i], stop[i])
    return given[0], given[1]


def _common(parent: Network, child: Network, limit: int) -> int:
    """How many layers, from the first on, parent and child have in common."""
    for i in range(limit):
        arrays = zip(parent.weights[i], child.weights[i], strict=False)
        same_layer = parent.topology.layers[i] == child.topology.layers[i]
        if not same_layer or any(mine is not other for mine, other in arrays):
            return i
    return limit


def samples_needed(topology: Topology, position: int, samples: int) -> int:
    """How many of the samples a layer is fitted to: a convolution sees many pixels in each."""
    layer = topology.layers[position]
    if not isinstance(layer, Conv):
        return samples
    height, width, channels = topology.shapes[position]
    rows = ROWS_PER_FEATURE * layer.kernel**2 * channels
    return min(samples, max(FEWEST_IMAGES, -(-rows // (height * width))))


def _fit(
    layer: KernelLayer, arrays: tuple[np.ndarray, ...], features: np.ndarray, wanted: np.ndarray
) -> tuple[np.ndarray, ...]:
    """A layer's arrays, corrected so that it gives what is wanted for these features."""
    missing = pre_activation(layer, arrays, features)
    if isinstance(layer, Conv):
        wanted = resized(wanted, *missing.shape[1:3])
        features = patches(features, layer)
    missing = np.subtract(wanted, missing, dtype=np.float64).reshape(-1, wanted.shape[-1])
    features = features.reshape(len(missing), -1)
    kernel, *bias = arrays
    change, shift = ridge_correction(features, missing, intercept=bool(bias))
    change += kernel.reshape(change.shape)
    corrected = change.reshape(kernel.shape).astype(np.float32, copy=False)
    return corrected, *((b + shift).astype(np.float32) for b in bias)
