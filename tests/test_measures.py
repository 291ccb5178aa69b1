"""Losses and metrics that add up over batches, beside what Keras and scikit-learn say."""

import keras
import numpy as np
import pytest
from sklearn import metrics

from netsurgery import measures, training
from netsurgery.datasets import Samples, Scaling
from netsurgery.layers import Dense
from netsurgery.network import Topology, initialise
from netsurgery.training import course

RNG = np.random.default_rng(0)
SETTINGS = {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0, "loss": "crossentropy"}
PLAIN = Scaling(np.array(0, np.float32), np.array(1, np.float32))


def learner(outputs, activation, loss="crossentropy", features=4):
    topology = Topology((features,), (Dense(outputs, activation),))
    network = initialise(topology, np.random.default_rng(0))
    return training.Learner(network, SETTINGS | {"loss": loss})


def predicted_by(made, samples):
    return np.asarray(made(samples.x, training=False))


def classes(n=50, outputs=7):
    x = RNG.normal(size=(n, 4)).astype(np.float32)
    y = (np.arange(n) ** 2 % outputs).astype(np.int32)
    return Samples(x, y, np.arange(n, dtype=np.int32), PLAIN)


def targets(n=50, outputs=1, scale=0.5):
    x = RNG.normal(size=(n, 4)).astype(np.float32)
    y = (x[:, :outputs] * 3 + 10 + RNG.normal(size=(n, outputs))).astype(np.float32)
    target = Scaling(np.full(outputs, 10, np.float32), np.full(outputs, scale, np.float32))
    return Samples(x, y, np.arange(n, dtype=np.int32), PLAIN, target)


def in_batches(made, samples, names, monkeypatch):
    monkeypatch.setattr(course, "EVALUATION_BATCH", 16)
    return training.evaluate(made, samples, names)


def test_metrics_of_classification_are_those_of_others(monkeypatch):
    made, samples = learner(7, "softmax"), classes()
    found = in_batches(made, samples, ["balanced_accuracy", "top5_accuracy"], monkeypatch)
    predicted = predicted_by(made, samples)
    most = predicted.argmax(axis=1)
    expected = {
        "loss": metrics.log_loss(samples.y, predicted, labels=range(7)),
        "accuracy": metrics.accuracy_score(samples.y, most),
        "balanced_accuracy": metrics.balanced_accuracy_score(samples.y, most),
        "top5_accuracy": metrics.top_k_accuracy_score(samples.y, predicted, k=5, labels=range(7)),
    }
    assert found == pytest.approx(expected, rel=1e-5)


def test_a_linear_output_gives_logits_and_the_same_loss_as_softmax_behind_it():
    logits, probabilities, samples = learner(7, "linear"), learner(7, "softmax"), classes()
    found = training.evaluate(logits, samples)
    assert found == pytest.approx(training.evaluate(probabilities, samples), rel=1e-5)
    assert found["loss"] != pytest.approx(
        float(
            keras.losses.sparse_categorical_crossentropy(
                samples.y, logits(samples.x, training=False)
            )
            .numpy()
            .mean()
        )
    )


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_metrics_of_regression_are_in_the_targets_unit(loss, outputs, monkeypatch):
    made, samples = learner(outputs, "linear", loss), targets(outputs=outputs)
    found = in_batches(made, samples, [], monkeypatch)
    scaled = predicted_by(made, samples)
    predicted = scaled / 0.5 + 10
    assert found["mae"] == pytest.approx(
        metrics.mean_absolute_error(samples.y, predicted), rel=1e-4
    )
    squares = metrics.mean_squared_error(samples.y, predicted)
    assert found["rmse"] == pytest.approx(squares**0.5, rel=1e-4)
    if outputs == 1:
        assert found["r2"] == pytest.approx(metrics.r2_score(samples.y, predicted), rel=1e-4)
    expected = getattr(keras.losses, measures.LOSSES[loss])((samples.y - 10) * 0.5, scaled)
    assert found["loss"] == pytest.approx(float(np.mean(expected)), rel=1e-4)


def test_regression_learns():
    made, samples = learner(1, "linear", "mse"), targets(200)
    before = training.evaluate(made, samples)
    course = training.Course(made, samples, targets(50), 16)
    history = course.run([13] * 20, np.random.default_rng(0))
    assert history[-1]["val_r2"] > 0.8 > before["r2"]


def test_balanced_weights_make_the_rare_class_count_as_much_as_the_others():
    y = np.array([0] * 90 + [1] * 10, np.int32)
    x = np.zeros((100, 4), np.float32)  # nothing to tell the classes apart by
    samples = Samples(x, y, np.arange(100, dtype=np.int32), PLAIN)
    np.testing.assert_allclose(samples.balancing_weights[y].mean(), 1)
    found = {}
    for name, weights in (("none", None), ("balanced", samples.balancing_weights)):
        made = learner(2, "softmax")
        rng = np.random.default_rng(0)
        training.Course(made, samples, samples, 100, class_weights=weights).run([1] * 300, rng)
        found[name] = predicted_by(made, samples)[0, 1]
    assert found["none"] == pytest.approx(0.1, abs=0.01)
    assert found["balanced"] == pytest.approx(0.5, abs=0.01)


def test_weights_change_what_is_learned_and_not_what_is_measured():
    samples, weights = classes(), np.linspace(0.1, 2, 7)
    made = learner(7, "softmax")
    before = training.evaluate(made, samples)
    made = training.Learner(made.network, SETTINGS | {"learning_rate": 1e-12})
    course = training.Course(made, samples, samples, 16, class_weights=weights)
    (history,) = course.run([4], np.random.default_rng(0))
    assert history["val_loss"] == pytest.approx(before["loss"], rel=1e-5)
    losses = keras.losses.sparse_categorical_crossentropy(
        samples.y, made(samples.x, training=False)
    ).numpy()
    assert history["loss"] == pytest.approx(np.mean(losses * weights[samples.y]), rel=1e-4)
