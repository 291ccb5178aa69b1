"""The data-aware rule: after a removal the layers behind it are fitted to what they computed.

With a calibration batch of real samples, the values that a layer computed in the parent, before its
activation, are known; the child's weights are corrected by least squares so that they come out as
nearly as they can from what the child's layer now reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np

from netsurgery.forward import apply, mixed, patches, values
from netsurgery.layers import Conv, Dense, Kernel
from netsurgery.network import Network, Topology
from netsurgery.surgery import taps
from netsurgery.surgery.channels import selected
from netsurgery.surgery.dense import factorise, right_singular_vectors
from netsurgery.surgery.grafts import Graft
from netsurgery.surgery.least_squares import correction, spare
from netsurgery.surgery.pooling import resized

ROWS_PER_FEATURE = 20  # pixels to fit a convolution to; more add time, not accuracy
FEWEST_IMAGES = 32


def entering(network: Network, position: int, x: np.ndarray) -> np.ndarray:
    """What the layer at `position` reads for a batch x."""
    return next(islice(values(network, x), position, None))


def spare_channels(network: Network, child: Topology, position: int, x: np.ndarray) -> Graft:
    """Keep the channels or units from which what the next layer computes is made up best."""
    consumer = network.topology.consumer(position)
    assert consumer is not None
    outgoing = taps.read(network, consumer)
    width = outgoing.shape[-2]
    features = entering(network, consumer, x).reshape(-1, width).astype(np.float64)
    reader = network.topology.layers[consumer]
    assert isinstance(reader, Conv | Dense)
    mean = features.mean(axis=0) if reader.use_bias else np.zeros(width)
    flat = np.moveaxis(outgoing.astype(np.float64), -2, 0).reshape(width, -1)
    kept, fitted = spare(features - mean, flat, child.shapes[position + 1][-1])
    fitted = np.moveaxis(fitted.reshape(-1, *outgoing.shape[:-2], outgoing.shape[-1]), 0, -2)
    at_consumer = taps.write(network, consumer, fitted)
    if reader.use_bias:  # the means of what is gone, less those of what makes up for it
        lead = tuple(range(outgoing.ndim - 2))
        shift = mean @ outgoing.sum(axis=lead) - mean[kept] @ fitted.sum(axis=lead)
        at_consumer = (at_consumer[0], (at_consumer[1] + shift).astype(np.float32))
    return selected(network, child, position, kept, at_consumer)


def truncate(network: Network, child: Topology, position: int, x: np.ndarray) -> Graft:
    """The layer as a product of two narrow ones, by what it gives for real samples.

    The directions kept are those in which its values vary most, rather than the largest singular
    values of its weights; the mean of the others goes to the bias.
    """
    layer, narrow = network.topology.layers[position], child.layers[position]
    assert isinstance(layer, Dense)
    assert isinstance(narrow, Dense)
    given = mixed(layer, network.weights[position], entering(network, position, x))
    given = given.astype(np.float64)
    mean = given.mean(axis=0) if layer.use_bias else np.zeros(layer.units)
    basis = right_singular_vectors(given - mean, narrow.units)
    graft = factorise(network, child, position, basis)
    if not layer.use_bias:
        return graft
    kernel, bias = graft.changed[position + 1]
    lost = mean - bias  # what the kernel gave on average
    bias = (bias + lost - basis @ (basis.T @ lost)).astype(np.float32)
    return Graft(child, graft.origins, {**graft.changed, position + 1: (kernel, bias)})


def fitted(parent: Network, child: Network, places: Sequence[int], x: np.ndarray) -> Network:
    """The child with some layers fitted, in order, to what they computed in the parent.

    Args:
        parent: before surgery.
        child: after it; its weights are where the correction starts from.
        places: positions in the parent of the layers to fit, all of them behind the surgery.
        x: (n, *input_shape) calibration samples.
    """
    if not places:
        return child
    grown = len(child.weights) - len(parent.weights)
    wanted = {}
    for place, value in zip(range(len(parent.weights)), values(parent, x), strict=False):
        if place in places:
            layer = parent.topology.layers[place]
            assert isinstance(layer, Conv | Dense)
            images = _enough(child.topology, place + grown, len(x))
            wanted[place] = mixed(layer, parent.weights[place], value[:images])
    start = min(places) + grown
    value = entering(child, start, x)
    for position in range(start, len(child.weights)):
        layer = child.topology.layers[position]
        if position - grown in wanted:
            assert isinstance(layer, Conv | Dense)
            target = wanted[position - grown]
            arrays = _fit(layer, child.weights[position], value[: len(target)], target)
            child = child.with_arrays({position: arrays})
        if position < max(places) + grown:
            value = apply(layer, child.weights[position], value)
    return child


def _enough(topology: Topology, position: int, samples: int) -> int:
    """How many of the samples a layer is fitted to: a convolution sees many pixels in each."""
    layer = topology.layers[position]
    if not isinstance(layer, Conv):
        return samples
    height, width, channels = topology.shapes[position]
    rows = ROWS_PER_FEATURE * layer.kernel**2 * channels
    return min(samples, max(FEWEST_IMAGES, -(-rows // (height * width))))


def _fit(
    layer: Kernel, arrays: tuple[np.ndarray, ...], features: np.ndarray, wanted: np.ndarray
) -> tuple[np.ndarray, ...]:
    """A layer's arrays, corrected so that it gives what is wanted for these features."""
    missing = -mixed(layer, arrays, features)
    if isinstance(layer, Conv):
        wanted = resized(wanted, *missing.shape[1:3])
        features = patches(features, layer)
    missing = (missing + wanted).reshape(-1, wanted.shape[-1]).astype(np.float64)
    features = features.reshape(len(missing), -1).astype(np.float64)
    kernel, *bias = arrays
    if bias:
        mean, offset = features.mean(axis=0), missing.mean(axis=0)
        features, missing = features - mean, missing - offset
    change = correction(features, missing)
    corrected = (kernel + change.reshape(kernel.shape)).astype(np.float32)
    if not bias:
        return (corrected,)
    return corrected, (bias[0] + offset - mean @ change).astype(np.float32)
