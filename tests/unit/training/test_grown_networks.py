"""Growth that is exact in training mode as well: what the next step computes stays the same."""

import numpy as np
import pytest
import tensorflow as tf

from netsurgery.keras_io import conversion
from netsurgery.networks.layers import BatchNorm, Dropout
from netsurgery.surgery import MutationSizes, is_exact, legal_mutations, mutate, operations
from netsurgery.surgery.settings import Growth
from netsurgery.training.forward import forward
from tests.support.random_networks import branched, inputs, trained

WIDENING = (operations.ADD_UNITS, operations.ADD_CHANNELS)
LARGE = MutationSizes(width_factor=2)


def without_dropout(rng):
    """A network whose training mode draws nothing."""
    while (topology := branched(rng)).positions(Dropout):
        pass
    return trained(topology, rng)


def in_training(network, x):
    arrays = [tuple(map(tf.constant, each)) for each in network.weights]
    return forward(network.topology, arrays, tf.constant(x), training=True).output.numpy()


@pytest.mark.parametrize("growth", Growth)
def test_growth_keeps_the_output_in_training_mode(growth):
    """Of copies as well: they have the statistics of their source in every batch."""
    seen, normalized = 0, 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        network = without_dropout(rng)
        x = inputs(network.topology, rng, 8).astype(np.float32)
        before = in_training(network, x)
        for mutation in legal_mutations(network.topology, LARGE, operations=WIDENING):
            if is_exact(network.topology, mutation):
                child = mutate(network, mutation, rng, growth=growth).network
                tolerance = 2e-5 * max(1, np.abs(before).max())
                np.testing.assert_allclose(in_training(child, x), before, rtol=0, atol=tolerance)
                seen += 1
                normalized += bool(network.topology.positions(BatchNorm))
    assert normalized > 30
    assert seen > 50


@pytest.mark.parametrize("growth", Growth)
@pytest.mark.parametrize("seed", range(4))
def test_keras_computes_the_same_after_growth(growth, seed):
    rng = np.random.default_rng(seed)
    network = without_dropout(rng)
    x = inputs(network.topology, rng).astype(np.float32)
    before = conversion.to_keras(network)(x).numpy()
    mutations = legal_mutations(network.topology, LARGE, operations=WIDENING)
    for mutation in [m for m in mutations if is_exact(network.topology, m)][:2]:
        child = mutate(network, mutation, rng, growth=growth).network
        np.testing.assert_allclose(conversion.to_keras(child)(x), before, rtol=1e-4, atol=1e-5)
