"""What a study looks at in a network: logits, accuracy, and how far surgery moved the output."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from netsurgery.networks import inference
from netsurgery.networks.layers import Dense
from netsurgery.networks.network import Network

BATCH = 500  # samples in memory at a time


def logits(network: Network, x: np.ndarray) -> np.ndarray:
    """The output before its softmax, in which a change is not squeezed: (n, classes).

    Args:
        network: ends with a dense layer.
        x: (n, *input_shape).
    """
    last = network.topology.layers[-1]
    assert isinstance(last, Dense)
    topology = network.topology.replace(
        len(network.topology.layers) - 1, replace(last, activation="linear")
    )
    linear = Network(topology, network.weights)
    parts = [inference.predict(linear, x[i : i + BATCH]) for i in range(0, len(x), BATCH)]
    return np.concatenate(parts)


def accuracy(outputs: np.ndarray, y: np.ndarray) -> float:
    """The part of samples whose class has the largest output."""
    return float((outputs.argmax(axis=1) == y).mean())


def change(before: np.ndarray, after: np.ndarray) -> float:
    """The largest change of an output, relative to the largest output."""
    return float(np.abs(after - before).max() / np.abs(before).max())
