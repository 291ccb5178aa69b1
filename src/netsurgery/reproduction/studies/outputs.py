"""The measurements of studies: logits, accuracy, and the change of outputs by surgery."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from netsurgery.networks import inference
from netsurgery.networks.layers import Dense
from netsurgery.networks.network import Network

BATCH = 500  # samples per forward pass


def logits(network: Network, x: np.ndarray) -> np.ndarray:
    """The outputs before the softmax, which would compress changes: (n, classes).

    Args:
        network: ends with a dense layer.
        x: (n, *input_shape).
    """
    last = network.topology.layer(-1, Dense)
    topology = network.topology.replace(
        len(network.topology.layers) - 1, replace(last, activation="linear")
    )
    linear = Network(topology, network.weights)
    parts = [inference.predict(linear, x[i : i + BATCH]) for i in range(0, len(x), BATCH)]
    return np.concatenate(parts)


def accuracy(outputs: np.ndarray, y: np.ndarray) -> float:
    """The fraction of samples whose class has the largest output."""
    return float((outputs.argmax(axis=1) == y).mean())


def change(before: np.ndarray, after: np.ndarray) -> float:
    """The largest change of an output, relative to the largest output."""
    return float(np.abs(after - before).max() / np.abs(before).max())
