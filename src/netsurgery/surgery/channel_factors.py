"""Multiply the channels of a layer's output by factors, in the weights before or behind it."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.layers import (
    Activation,
    Arrays,
    BatchNorm,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    LinearLayer,
    Pool,
)
from netsurgery.networks.network import Network
from netsurgery.networks.steps import INPUT
from netsurgery.surgery import consumer_kernel

# f(s x) = s f(x) for all s >= 0
HOMOGENEOUS = {"linear", "relu", "leaky_relu"}


def _passes_factors(layer: Layer) -> bool:
    if isinstance(layer, Activation):
        return layer.function in HOMOGENEOUS
    return isinstance(layer, Pool | GlobalPool | Flatten | Dropout)


def scaled_outputs(layer: Layer, arrays: Arrays, factors: np.ndarray) -> Arrays:
    """The arrays of a linear layer with everything that it gives multiplied, by channel."""
    scaled = []
    for array, axis in zip(arrays, layer.output_axes, strict=True):
        if axis is not None:
            shape = [1] * array.ndim
            shape[axis] = -1
            array = (array * factors.reshape(shape)).astype(np.float32)
        scaled.append(array)
    return tuple(scaled)


def multiplied_behind(
    network: Network, position: int, factors: np.ndarray
) -> dict[int, Arrays] | None:
    """Arrays that read the output at `position` as if its channels were multiplied.

    Args:
        network: the network.
        position: of any layer whose output has channels.
        factors: (channels,), not negative.

    Returns:
        Changed arrays by position; None where no layer can take the factors.
    """
    topology = network.topology
    consumer = topology.consumer(position)
    if consumer is None:
        return None
    between = [i for i in topology.chain(position) if i < consumer]
    if not all(_passes_factors(topology.layers[i]) for i in between):
        return None
    kernel = consumer_kernel.read(network, consumer) * factors[:, None]
    return {consumer: consumer_kernel.write(network, consumer, kernel)}


def multiplied_before(
    network: Network, position: int, factors: np.ndarray, readers: set[int]
) -> dict[int, Arrays] | None:
    """Arrays that give the output at `position` with its channels multiplied.

    Args:
        network: the network.
        position: of any layer whose output has channels.
        factors: (channels,), not negative.
        readers: the layers that read the output; no others may.

    Returns:
        Changed arrays by position; None where no layer can take the factors.
    """
    topology = network.topology
    while position != INPUT and set(topology.readers[position]) <= readers:
        layer, arrays = topology.layers[position], network.weights[position]
        if topology.output_shapes[position][-1] != len(factors):
            return None
        if isinstance(layer, BatchNorm) and layer.scale:
            learned = layer.trainable_arrays
            scaled = tuple((a * factors).astype(np.float32) for a in arrays[:learned])
            return {position: (*scaled, *arrays[learned:])}
        if isinstance(layer, LinearLayer):
            if layer.activation not in HOMOGENEOUS:
                return None
            return {position: scaled_outputs(layer, arrays, factors)}
        if not _passes_factors(layer) or isinstance(layer, Flatten):
            return None
        readers, position = {position}, topology.steps[position].inputs[0]
    return None
