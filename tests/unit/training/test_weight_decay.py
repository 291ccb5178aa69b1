"""Weight decay shrinks kernels in every batch, and nothing else."""

import numpy as np
import pytest

from netsurgery.networks.layers import BatchNorm
from tests.support.training_helpers import new_network, train

# a rate at which the gradients change nothing that float32 could hold
RATE, DECAY = 1e-12, 1e10


@pytest.mark.parametrize("optimizer", ["sgd", "muon"])
@pytest.mark.parametrize("topology", ["cnn-medium", "ff-medium"])
def test_kernels_shrink_and_other_weights_stay(topology, optimizer):
    network = new_network(
        topology, optimizer=optimizer, momentum=0, learning_rate=RATE, weight_decay=DECAY
    )
    before = network.network
    train(network, [3])
    changed = 0
    for layer, old, new in zip(
        before.topology.layers, before.weights, network.network.weights, strict=True
    ):
        learned = 2 if isinstance(layer, BatchNorm) else len(old)
        for one, other in zip(old[:learned], new[:learned], strict=True):
            shrinks = one.ndim > 1
            changed += shrinks
            factor = (1 - RATE * DECAY) ** 3 if shrinks else 1
            np.testing.assert_allclose(other, one * factor, rtol=1e-3, atol=1e-4)
    assert changed > 1


def test_decay_adds_to_the_step_of_the_gradients():
    plain, decayed = new_network(), new_network(weight_decay=0.01)
    start = plain.network.weights
    for network in (plain, decayed):
        train(network, [1])
    for before, one, other in zip(
        start, plain.network.weights, decayed.network.weights, strict=True
    ):
        if before:
            np.testing.assert_allclose(one[0] - other[0], before[0] * 0.1 * 0.01, atol=1e-6)
            break
