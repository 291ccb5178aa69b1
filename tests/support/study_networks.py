"""Trained networks for the studies."""

import numpy as np

from netsurgery.datasets import Samples, Scaling
from netsurgery.networks import topologies
from netsurgery.networks.network import initialise
from netsurgery.objectives.training_settings import CompileSettings


def digits_parts():
    """The training and validation samples of the digits."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    x, y = digits.images[..., None].astype(np.uint8), digits.target.astype(np.int32)
    scaling = Scaling(np.float32(0), np.float32(1 / 16))
    parts = np.split(np.random.default_rng(0).permutation(len(y)), [1300])
    return [Samples(x, y, np.sort(part).astype(np.int32), scaling) for part in parts]


def train_study_network(hidden, epochs):
    """A network trained on the digits."""
    from netsurgery import training
    from netsurgery.reproduction.studies.study_network import StudyNetwork

    samples = digits_parts()
    settings = CompileSettings("sgd", learning_rate=0.1, momentum=0, loss="crossentropy")
    fresh = initialise(topologies.build(hidden, (8, 8, 1), 10), np.random.default_rng(0))
    model = training.TrainableNetwork(fresh, settings)
    batches = [-(-len(samples[0]) // 32)] * epochs
    training.TrainingLoop(model, *samples, 32).run(batches, np.random.default_rng(1))
    return StudyNetwork(model.network, *samples, settings, batch_size=32, seed=0)
