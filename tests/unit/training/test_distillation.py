"""A network learns from the predictions of a teacher."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from netsurgery import training
from netsurgery.datasets import augmentation
from netsurgery.networks.layers import Dense
from netsurgery.networks.network import initialise
from netsurgery.networks.topology import Topology
from netsurgery.objectives.training_settings import CompileSettings
from netsurgery.training import distillation
from netsurgery.training.distillation import Distilled, with_predictions
from tests.support.training_helpers import new_network, samples

PART = np.array([3, 9, 20, 21], np.int32)  # of 30 samples


def part(**changed):
    return replace(samples(30), indices=PART, **changed)


def predictions(teacher, data, seed=0):
    return distillation.predict(teacher, data, np.random.default_rng(seed))


def test_a_teacher_predicts_what_it_gives_for_the_samples_of_a_part():
    teacher, data = new_network("cnn-medium"), part()
    found = predictions(teacher, data)
    expected = teacher(tf.constant(data.inputs(np.arange(4))), training=False).numpy()
    np.testing.assert_allclose(found[PART], expected, atol=1e-6)
    assert not np.delete(found, PART, axis=0).any()


def test_a_teacher_predicts_the_mean_over_random_views(monkeypatch):
    shape = samples(1).x.shape[1:]
    change = augmentation.RandomChange.of(["shift"], shape)
    teacher, data = new_network("cnn-medium"), part(change=change)
    plain, found = predictions(teacher, part()), predictions(teacher, data)
    np.testing.assert_allclose(found[PART].sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(found, predictions(teacher, data))
    assert np.abs(found - plain).max() > 1e-4
    assert np.abs(found - predictions(teacher, data, seed=1)).max() > 1e-4
    monkeypatch.setattr(distillation, "BATCH", 3)  # a whole batch, and one of a sample
    np.testing.assert_allclose(predictions(teacher, data), found, atol=1e-6)


@pytest.mark.parametrize("weights", [None, np.array([1.0, 2.0, 3.0])])
def test_the_loss_is_between_that_of_the_classes_and_that_of_the_teacher(weights):
    rng = np.random.default_rng(0)
    classes = rng.integers(3, size=5)
    taught, predicted = rng.dirichlet(np.ones(3), (2, 5))
    network = training.TrainableNetwork(
        initialise(Topology((4,), (Dense(3, "softmax"),)), rng),
        CompileSettings("sgd", 0.1, 0.0, "crossentropy"),
    )
    sums = Distilled(network.loss, 3, [], weights, logits=False)
    y = tf.constant(with_predictions(classes, taught.astype(np.float32)))
    output = tf.constant(predicted, tf.float32)
    losses = sums.losses(y, output)
    mixed = 0.9 * taught + 0.1 * np.eye(3)[classes]
    expected = -(mixed * np.log(predicted)).sum(axis=1) * (
        1 if weights is None else weights[classes]
    )
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    total, hits = sums.sums(y, output, losses)
    assert float(total) == pytest.approx(expected.sum(), rel=1e-5)
    assert hits == (predicted.argmax(axis=1) == classes).sum()


def test_a_network_learns_what_its_teacher_says_instead_of_the_labels():
    data = samples(64)
    wrong = (data.y + 1) % 10
    taught = np.eye(10, dtype=np.float32)[wrong]

    def predicted(taught):
        network = new_network("ff-medium")
        loop = training.TrainingLoop(network, data, data, 16, taught=taught)
        history = loop.run([4] * 60, np.random.default_rng(0))
        inputs = tf.constant(data.inputs(np.arange(64)))
        return history[-1]["accuracy"], np.argmax(network(inputs, training=False), axis=1)

    accuracy, outputs = predicted(taught)
    assert np.mean(outputs == wrong) > 0.4
    assert accuracy < 0.3  # compared with the labels
    _, outputs = predicted(None)
    assert np.mean(outputs == data.y) > 0.4
