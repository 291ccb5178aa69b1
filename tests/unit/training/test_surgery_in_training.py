"""What operations promise in training mode, where normalization sees each batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import tensorflow as tf

from netsurgery.networks.blocks import Residual
from netsurgery.networks.layers import Conv, Dense, Dropout, GlobalPool
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import OPERATIONS, Operation, legal_mutations, mutate, operations
from netsurgery.training.forward import forward
from tests.support.random_networks import branched, inputs, trained
from tests.support.surgery_helpers import generator

PROMISING = [
    operation
    for operation in OPERATIONS
    if type(operation).is_exact_in_training is not Operation.is_exact_in_training
    and not operation.changes_nothing
]
NETWORKS = 40


def networks(count: int) -> Iterator[tuple[Network, np.random.Generator]]:
    """Random networks without dropout, which draws."""
    for seed in range(count):
        rng = generator(seed)
        network = trained(branched(rng), rng)
        if not any(isinstance(layer, Dropout) for layer in network.topology.layers):
            yield network, rng
    row = (Conv(3), Residual((Conv(3),)), GlobalPool(), Dense(2, "linear"))
    for seed in range(5):  # bodies of one layer, which are not drawn
        yield trained(Topology((4, 5, 2), row), generator(seed)), generator(seed)


def in_training(network: Network, x: np.ndarray) -> np.ndarray:
    return forward(network.topology, network.weights, tf.constant(x), training=True).output.numpy()


@pytest.mark.parametrize("operation", PROMISING, ids=str)
def test_exact_operation_keeps_the_output_of_a_batch(operation: Operation) -> None:
    count = 0
    for network, rng in networks(NETWORKS):
        x = inputs(network.topology, rng, 8).astype(np.float32)
        legal = legal_mutations(network.topology, operations=[operation])
        legal = [
            each
            for each in legal
            if operation.is_exact_in_training(network.topology, each.at(network.topology))
        ]
        if not legal:
            continue
        mutation = legal[rng.integers(len(legal))]
        samples = inputs(network.topology, rng, 8) if count % 2 else None
        child = mutate(network, mutation, rng, calibration=samples).network
        before, after = in_training(network, x), in_training(child, x)
        tolerance = 1e-5 * max(1.0, np.abs(before).max())
        np.testing.assert_allclose(after, before, rtol=0, atol=tolerance)
        count += 1
    assert count >= 5


def test_samples_bring_an_added_cell_closer_in_training() -> None:
    """Its normalization then undoes statistics like those of a batch."""
    changes: dict[bool, list[float]] = {False: [], True: []}
    for network, rng in networks(NETWORKS):
        x = inputs(network.topology, rng, 64).astype(np.float32)
        if not (legal := legal_mutations(network.topology, operations=[operations.ADD_CELL])):
            continue
        before = in_training(network, x)
        for samples in (None, inputs(network.topology, rng, 256)):
            child = mutate(network, legal[-1], rng, calibration=samples).network
            change = np.abs(in_training(child, x) - before).max() / np.abs(before).max()
            changes[samples is not None].append(float(change))
    assert np.median(changes[True]) < 0.3 * np.median(changes[False])
