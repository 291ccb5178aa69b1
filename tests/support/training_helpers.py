"""Networks, samples and short trainings that tests of training share."""

from dataclasses import replace

import numpy as np

from netsurgery import training
from netsurgery.datasets import Samples, Scaling
from netsurgery.keras_io import conversion
from netsurgery.networks.network import initialise
from netsurgery.networks.topologies import build, named
from netsurgery.objectives.training_settings import CompileSettings

SCALING = Scaling(np.array(0, np.float32), np.array(1 / 16, np.float32))
SETTINGS = CompileSettings("sgd", learning_rate=0.1, momentum=0.9, loss="crossentropy")


def new_network(topology="cnn-medium", seed=0, **settings):
    network = initialise(build(named(topology), (8, 8, 1), 10), np.random.default_rng(seed))
    return training.TrainableNetwork(network, replace(SETTINGS, **settings))


def in_keras(network, **settings):
    """Return the compiled Keras model of a network; tracing it would take longest of all."""
    model = conversion.to_keras(network)
    training.compile_model(model, replace(SETTINGS, **settings))
    model.run_eagerly = True
    return model


def arrays(network):
    return [array for layer in network.weights for array in layer]


def samples(n, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 17, (n, 8, 8, 1)).astype(np.uint8)
    y = (x.sum(axis=(1, 2, 3)) % 10).astype(np.int32)
    return Samples(x, y, np.arange(n, dtype=np.int32), SCALING)


def train(network, batches, seed=0, n=70, batch_size=16):
    rng = np.random.default_rng(seed)
    return training.TrainingLoop(network, samples(n), samples(30, 1), batch_size).run(batches, rng)


def assert_close(one, other, tolerance=1e-5):
    for a, b in zip(arrays(one), arrays(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
