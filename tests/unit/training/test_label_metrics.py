"""Networks for several labels per sample train and score as Keras and scikit-learn say."""

import keras
import numpy as np
import pytest
from sklearn import metrics

from netsurgery import training
from netsurgery.datasets import Samples
from netsurgery.objectives.label_scores import LabelCounts
from netsurgery.objectives.tasks import TASKS
from netsurgery.training import evaluation
from tests.support.training_helpers import in_keras
from tests.unit.training.test_metrics import PLAIN, RNG, new_network, predicted_by

LABELS = 3
TASK = TASKS["multilabel"]


def samples_with_labels(n=50):
    x = RNG.normal(size=(n, 4)).astype(np.float32)
    y = (x[:, :LABELS] + RNG.normal(size=(n, LABELS)) > (0, 0.5, 1)).astype(np.uint8)
    return Samples(x, y, np.arange(n, dtype=np.int32), PLAIN)


def test_scores_of_labels_are_those_of_their_probabilities(monkeypatch):
    monkeypatch.setattr(evaluation, "BATCH", 16)
    network, samples = new_network(LABELS, "sigmoid", TASK.loss), samples_with_labels()
    keras_metrics = [{"auc": {"multi_label": True}}, "precision"]
    for _ in range(2):  # the second evaluation starts from zero
        found = training.evaluate(network, samples, keras_metrics)
    p = predicted_by(network, samples)
    assert found["loss"] == pytest.approx(
        np.mean([metrics.log_loss(samples.y[:, i], p[:, i]) for i in range(LABELS)]), rel=1e-5
    )
    expected = LabelCounts.of(samples.y, p).scores()
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert found["precision"] == pytest.approx(
        metrics.precision_score(samples.y.ravel(), p.ravel() > 0.5)
    )
    assert "auc" in found


@pytest.mark.parametrize("loss", TASK.every_loss)
def test_every_loss_of_labels_trains_as_in_keras(loss):
    network, samples = new_network(LABELS, "sigmoid", loss), samples_with_labels(48)
    plain = in_keras(network.network, momentum=0, loss=loss)
    training.TrainingLoop(network, samples, samples, 48).run([1], np.random.default_rng(0))
    plain.train_on_batch(samples.x, samples.y.astype(np.float32))
    for one, other in zip(network.network.weights[0], plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_a_network_learns_labels():
    network, samples = new_network(LABELS, "sigmoid", TASK.loss), samples_with_labels(200)
    before = training.evaluate(network, samples)
    training_loop = training.TrainingLoop(network, samples, samples_with_labels(50), 16)
    history = training_loop.run([13] * 20, np.random.default_rng(0))
    assert history[-1]["val_loss"] < before["loss"]
    assert history[-1]["val_mean_average_precision"] > 0.6


def test_saturated_outputs_still_learn():
    network, samples = new_network(1, "sigmoid", TASK.loss), samples_with_labels()
    wrong = Samples(samples.x * 1e4, 1 - samples.y[:, :1], samples.indices, PLAIN)
    (before,) = (array.copy() for array in network.network.weights[0][:1])
    training.TrainingLoop(network, wrong, wrong, 50).run([1], np.random.default_rng(0))
    assert abs(network.network.weights[0][0] - before).max() > 1


def test_a_compiled_network_of_labels_counts_each_for_itself():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(LABELS, "sigmoid")])
    settings = new_network(LABELS, "sigmoid", TASK.loss).settings
    training.compile_model(model, settings)
    x, y = np.zeros((6, 4)), np.array([[1, 1, 1], [0, 0, 0], [1, 0, 0]] * 2)
    _, accuracy = model.evaluate(x, y, verbose=0)
    assert accuracy == pytest.approx(np.mean(y == (model.predict(x, verbose=0) > 0.5)))
