"""Which units or channels of a layer to keep, and what the next layer reads instead."""

from __future__ import annotations

import numpy as np

from netsurgery.networks import activations, inference
from netsurgery.networks.layers import Arrays, BatchNorm, KernelLayer
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import consumer_kernel
from netsurgery.surgery.blocked_matmul import gram
from netsurgery.surgery.least_squares import prune_features
from netsurgery.surgery.refit import samples_needed
from netsurgery.surgery.weight_transfer import WeightTransfer, replaced, selection, unchanged

ROUNDING = 1e-14  # of sums in double precision, relative to the sum of squares


def _keep(
    network: Network, child: Topology, position: int, kept: np.ndarray, at_consumer: Arrays
) -> WeightTransfer:
    """Keep the outputs in `kept` (sorted) of the layer at `position`, and replace its consumer."""
    consumer = network.topology.consumer(position)
    assert consumer is not None
    origins = selection(network.topology, position, kept)
    return WeightTransfer(
        child, replaced(unchanged(len(child.layers)), origins), {consumer: at_consumer}
    )


def keep_strongest(network: Network, child: Topology, position: int) -> WeightTransfer:
    """Drop the channels or units of smallest |gamma|; approximate.

    A channel with a small gamma outputs little but act(beta), so that constant goes to the next
    layer's bias (the paper adds beta itself, and orders by signed gamma). Without batch
    normalization the outputs with the smallest incoming weights are dropped, and act(bias) is the
    constant.
    """
    topology = network.topology
    consumer, width = topology.consumer(position), child.output_shapes[position][-1]
    assert consumer is not None
    layer, arrays = topology.layers[position], network.weights[position]
    assert isinstance(layer, KernelLayer)
    incoming = arrays[0].reshape(-1, arrays[0].shape[-1])
    strength = np.sqrt(np.einsum("ij,ij->j", incoming, incoming, dtype=np.float64))
    constant = arrays[1].astype(np.float64) if layer.use_bias else np.zeros(len(strength))
    constant = activations.apply(layer.activation, constant)
    by_gamma = False
    for i in range(position + 1, consumer):
        between = topology.layers[i]
        if isinstance(between, BatchNorm):
            gamma, beta, _, _ = between.statistics(network.weights[i])
            if len(gamma) == len(strength) and not by_gamma:
                strength, constant, by_gamma = np.abs(gamma), beta.astype(np.float64), True
                continue
            # a further one, which holds its arrays by pixel after a flatten layer
            shape = (-1,) if len(gamma) == len(strength) else topology.shape_before_flatten(i)
            gain, shift = between.gain_and_shift(network.weights[i])
            constant = constant * gain.reshape(shape) + shift.reshape(shape)
        elif between.is_elementwise:
            constant = inference.apply(between, network.weights[i], constant)
    kept = np.sort(np.argsort(-strength, kind="stable")[:width])
    constant[..., kept] = 0
    outgoing = consumer_kernel.read(network, consumer)[..., kept, :]
    return _keep(
        network, child, position, kept, consumer_kernel.write(network, consumer, outgoing, constant)
    )


def keep_most_useful(
    network: Network, child: Topology, position: int, samples: np.ndarray
) -> WeightTransfer:
    """Keep the channels or units that reproduce best what the next layer computes; approximate.

    Args:
        network: the parent.
        child: with fewer channels or units at `position`.
        position: of the layer that becomes narrower.
        samples: (n, *input_shape) calibration samples.
    """
    consumer = network.topology.consumer(position)
    assert consumer is not None
    outgoing = consumer_kernel.read(network, consumer)
    width = outgoing.shape[-2]
    samples = samples[: samples_needed(network.topology, consumer, len(samples))]
    features = inference.layer_input(network, consumer, samples).reshape(-1, width)
    reader = network.topology.layers[consumer]
    assert isinstance(reader, KernelLayer)
    mean = features.mean(axis=0, dtype=np.float64) if reader.use_bias else np.zeros(width)
    squares = gram(features)
    moments = squares - len(features) * np.outer(mean, mean)
    rounding = ROUNDING * np.trace(squares) / width
    flat = np.moveaxis(outgoing, -2, 0).reshape(width, -1)
    kept, fitted = prune_features(moments, flat, child.output_shapes[position][-1], rounding)
    fitted = np.moveaxis(fitted.reshape(-1, *outgoing.shape[:-2], outgoing.shape[-1]), 0, -2)
    at_consumer = consumer_kernel.write(network, consumer, fitted)
    if reader.use_bias:  # the mean contribution of all outputs, less that of the refitted ones
        lead = tuple(range(outgoing.ndim - 2))
        shift = mean @ outgoing.sum(axis=lead) - mean[kept] @ fitted.sum(axis=lead)
        at_consumer = (at_consumer[0], (at_consumer[1] + shift).astype(np.float32))
    return _keep(network, child, position, kept, at_consumer)
