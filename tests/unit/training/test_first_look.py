"""The gradient of the loss by single weights, and by those that growth adds."""

import numpy as np
import pytest

from netsurgery.jobs.first_look import KEPT, ones_for
from netsurgery.networks.network import initialise
from netsurgery.networks.topologies import build
from netsurgery.surgery import Growth, Mutation, mutate
from netsurgery.surgery.operations import ADD_CHANNELS, ADD_UNITS
from netsurgery.training import TrainableNetwork
from netsurgery.training.first_look import gradient_norm
from tests.support.training_helpers import new_network, samples

COUNT = 300  # more than are computed at once
POSITIONS = np.arange(COUNT, dtype=np.int32)


@pytest.fixture(scope="module")
def known():
    return samples(COUNT)


def norm(network: TrainableNetwork, kept, known):
    return gradient_norm(network, kept, known, POSITIONS)


def only(network, counts):
    """Masks that count the weights of one array of one layer."""
    shapes = [[np.ones_like(array) for array in arrays] for arrays in ones_for(network.network)]
    position, i = counts
    shapes[position][i][:] = 0
    return shapes


def test_the_gradient_by_a_bias_is_that_of_the_book(known):
    network = new_network("ff-small")
    last = len(network.layers) - 1
    inputs = known.inputs(np.arange(COUNT))
    predicted = np.asarray(network(inputs, training=False))
    wrong = predicted - np.eye(predicted.shape[1])[known.y[known.indices]]
    expected = np.linalg.norm(wrong.mean(axis=0))  # softmax and cross-entropy
    assert norm(network, only(network, (last, 1)), known) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("topology", "mutation"),
    [("cnn-medium", Mutation(ADD_CHANNELS, 0, 6)), ("ff-small", Mutation(ADD_UNITS, 1, 20))],
)
def test_new_weights_count_and_no_others(topology, mutation, known):
    parent = new_network(topology)
    made = mutate(
        parent.network, mutation, growth=Growth.ZEROS, slots={KEPT: ones_for(parent.network)}
    )
    child, kept = TrainableNetwork(made.network, parent.settings), made.slots[KEPT]
    new = [[1 - mask for mask in masks] for masks in kept]
    everything = [[np.zeros_like(mask) for mask in masks] for masks in kept]
    squares = [norm(child, masks, known) ** 2 for masks in (kept, new, everything)]
    assert squares[0] > 0
    assert squares[0] + squares[1] == pytest.approx(squares[2])
    before = norm(
        parent, [[np.zeros_like(m) for m in ms] for ms in ones_for(parent.network)], known
    )
    assert squares[1] == pytest.approx(before**2, rel=1e-3)  # growth is exact


def test_looking_leaves_a_network_as_it_is(known):
    network = new_network("cnn-medium")
    before = network.checkpoint
    norm(network, ones_for(network.network), known)
    after = network.checkpoint
    for one, other in zip(before.network.weights, after.network.weights, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_no_new_weight_has_no_gradient(known):
    network = TrainableNetwork(
        initialise(build([], (8, 8, 1), 10), np.random.default_rng(0)), new_network().settings
    )
    assert norm(network, ones_for(network.network), known) == 0
