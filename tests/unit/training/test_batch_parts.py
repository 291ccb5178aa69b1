"""Training on batches in parts: their sum, what is drawn in each, and any number of threads."""

import subprocess
import sys

import numpy as np
import pytest

from netsurgery import training
from netsurgery.networks.layers import BatchNorm, Dense, Dropout, Flatten
from netsurgery.networks.network import initialise
from netsurgery.networks.topology import Topology
from tests.support.training_helpers import SETTINGS, arrays, assert_close, samples

PLAIN = (Flatten(), Dense(12, "relu"), Dense(10, "softmax"))
NORMALIZED = (Flatten(), Dense(12, "linear"), BatchNorm(momentum=0.5), Dense(10, "softmax"))
# prints the weights that two forked children train, one and two threads
THREADS = """
import hashlib, os
from netsurgery.processes.tensorflow_imports import without_optional_packages
with without_optional_packages():
    from netsurgery import training
from tests.support.training_helpers import new_network, samples
import numpy as np
for threads in (1, 2):
    if not os.fork():
        training.use_threads(threads)
        network = new_network("cnn-medium")
        loop = training.TrainingLoop(network, samples(70), samples(30), 16, batch_parts=2)
        loop.run([5, 3], np.random.default_rng(0))
        arrays = [array.tobytes() for layer in network.network.weights for array in layer]
        print(hashlib.sha256(b"".join(arrays)).hexdigest(), flush=True)
        os._exit(0)
    os.wait()
"""


def trained(row, parts, n=70, batches=(5,), batch_size=16):
    network = initialise(Topology((8, 8, 1), row), np.random.default_rng(0))
    learner = training.TrainableNetwork(network, SETTINGS)
    loop = training.TrainingLoop(learner, samples(n), samples(30), batch_size, batch_parts=parts)
    return learner, loop.run(batches, np.random.default_rng(0))


@pytest.mark.parametrize("parts", [2, 3, 20])  # with 20, some parts of 16 samples are empty
def test_gradients_of_parts_add_up_to_those_of_the_batch(parts):
    (whole, history), (split, other) = trained(PLAIN, 1), trained(PLAIN, parts)
    assert_close(split.network, whole.network)
    assert other[0] == pytest.approx(history[0], rel=1e-5)


def test_a_normalization_sees_each_part_alone():
    """A batch of two halves with different statistics, normalized as two batches."""
    whole, _ = trained(NORMALIZED, 1, n=16, batches=(1,))
    split, _ = trained(NORMALIZED, 2, n=16, batches=(1,))
    order = np.random.default_rng(0).permutation(16)
    x = samples(16).inputs(order).reshape(16, -1)
    kernel, bias = initialise(whole.topology, np.random.default_rng(0)).weights[1]
    values = x @ kernel + bias
    means = [values[:8].mean(0), values[8:].mean(0)]
    variances = [values[:8].var(0), values[8:].var(0)]
    *_, mean, variance = split.network.weights[2]
    np.testing.assert_allclose(mean, np.mean(means, 0) / 2, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(variance, 0.5 + np.mean(variances, 0) / 2, rtol=1e-4)
    assert not np.allclose(variance, whole.network.weights[2][-1], rtol=1e-4)


@pytest.mark.parametrize("row", [PLAIN, NORMALIZED])
def test_a_part_without_samples_counts_for_nothing(row):
    learner, (scores,) = trained(row, 4, n=17, batches=(2,))  # the last batch has one sample
    assert training.finite(array.sum() for array in arrays(learner.network))
    assert np.isfinite(scores["loss"])


def test_each_part_draws_its_own():
    learner, _ = trained((Flatten(), Dropout(0.5), Dense(10, "softmax")), 2, batches=())
    x = samples(8).inputs(np.arange(8))
    drawn = [learner.forward(x, training=True, part=part).output for part in (0, 1, 1)]
    assert not np.allclose(drawn[0], drawn[1])
    np.testing.assert_array_equal(drawn[1], drawn[2])


def test_weights_are_the_same_on_one_thread_and_two():
    command = [sys.executable, "-c", THREADS]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    one, two = done.stdout.split()
    assert one == two
