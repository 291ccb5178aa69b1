"""Moving statistics of new batch normalizations, taken from calibration samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsurgery.networks.inference import layer_input
from netsurgery.networks.layers import BatchNorm
from netsurgery.networks.network import Network

MOST_SAMPLES = 256  # each image holds many pixels


def calibrated(network: Network, positions: Sequence[int], samples: np.ndarray) -> Network:
    """The network with the statistics of samples in some batch normalizations, in order.

    Args:
        network: with any statistics there.
        positions: of batch normalizations, rising.
        samples: (n, *input_shape); the first `MOST_SAMPLES` count.
    """
    for position in positions:
        layer = network.topology.layer(position, BatchNorm)
        entering = layer_input(network, position, samples[:MOST_SAMPLES])
        channels = entering.reshape(-1, entering.shape[-1])
        mean = channels.mean(axis=0, dtype=np.float64).astype(np.float32)
        variance = channels.var(axis=0, dtype=np.float64).astype(np.float32)
        learned = network.weights[position][: layer.trainable_arrays]
        network = network.with_arrays({position: (*learned, mean, variance)})
    return network
