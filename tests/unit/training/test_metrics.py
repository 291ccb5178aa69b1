"""Losses and metrics, summed over batches, are those of Keras and scikit-learn."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from sklearn import metrics

from netsurgery import training
from netsurgery.datasets import Samples, Scaling
from netsurgery.networks.layers import Dense
from netsurgery.networks.network import initialise
from netsurgery.networks.topology import Topology
from netsurgery.objectives import keras_catalog
from netsurgery.objectives.tasks import TASKS
from netsurgery.objectives.training_settings import CompileSettings
from netsurgery.training import evaluation
from tests.support.training_helpers import in_keras

RNG = np.random.default_rng(0)
SETTINGS = CompileSettings("sgd", learning_rate=0.1, momentum=0, loss="crossentropy")
PLAIN = Scaling(np.array(0, np.float32), np.array(1, np.float32))


def new_network(outputs, activation, loss="crossentropy", features=4):
    topology = Topology((features,), (Dense(outputs, activation),))
    network = initialise(topology, np.random.default_rng(0))
    return training.TrainableNetwork(network, replace(SETTINGS, loss=loss))


def predicted_by(network, samples):
    return network(samples.x, training=False).numpy()


def classes(n=50, outputs=7):
    x = RNG.normal(size=(n, 4)).astype(np.float32)
    y = (np.arange(n) ** 2 % outputs).astype(np.int32)
    return Samples(x, y, np.arange(n, dtype=np.int32), PLAIN)


def targets(n=50, outputs=1, scale=0.5):
    x = RNG.normal(size=(n, 4)).astype(np.float32)
    y = (x[:, :outputs] * 3 + 10 + RNG.normal(size=(n, outputs))).astype(np.float32)
    target = Scaling(np.full(outputs, 10, np.float32), np.full(outputs, scale, np.float32))
    return Samples(x, y, np.arange(n, dtype=np.int32), PLAIN, target)


def in_batches(network, samples, names, monkeypatch):
    monkeypatch.setattr(evaluation, "BATCH", 16)
    return training.evaluate(network, samples, names)


def test_classification_metrics_are_those_of_sklearn(monkeypatch):
    network, samples = new_network(7, "softmax"), classes()
    found = in_batches(network, samples, ["balanced_accuracy", "top5_accuracy"], monkeypatch)
    predicted = predicted_by(network, samples)
    most = predicted.argmax(axis=1)
    expected = {
        "loss": metrics.log_loss(samples.y, predicted, labels=range(7)),
        "accuracy": metrics.accuracy_score(samples.y, most),
        # over the classes that occur; `balanced_accuracy_score` warns of predictions of others
        "balanced_accuracy": metrics.recall_score(
            samples.y, most, labels=np.unique(samples.y), average="macro"
        ),
        "top5_accuracy": metrics.top_k_accuracy_score(samples.y, predicted, k=5, labels=range(7)),
    }
    assert found == pytest.approx(expected, rel=1e-5)


def test_a_linear_output_is_taken_as_logits():
    logits, probabilities, samples = new_network(7, "linear"), new_network(7, "softmax"), classes()
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
def test_regression_metrics_are_in_the_targets_unit(loss, outputs, monkeypatch):
    network, samples = new_network(outputs, "linear", loss), targets(outputs=outputs)
    found = in_batches(network, samples, [], monkeypatch)
    scaled = predicted_by(network, samples)
    predicted = scaled / 0.5 + 10
    assert found["mae"] == pytest.approx(
        metrics.mean_absolute_error(samples.y, predicted), rel=1e-4
    )
    rmse = metrics.root_mean_squared_error(samples.y, predicted)  # the mean over targets
    assert found["rmse"] == pytest.approx(rmse, rel=1e-4)
    if outputs == 1:
        assert found["r2"] == pytest.approx(metrics.r2_score(samples.y, predicted), rel=1e-4)
    expected = keras.losses.get(loss)((samples.y - 10) * 0.5, scaled)
    assert found["loss"] == pytest.approx(float(np.mean(expected)), rel=1e-4)


def test_a_regression_network_learns():
    network, samples = new_network(1, "linear", "mse"), targets(200)
    before = training.evaluate(network, samples)
    training_loop = training.TrainingLoop(network, samples, targets(50), 16)
    history = training_loop.run([13] * 20, np.random.default_rng(0))
    assert history[-1]["val_r2"] > 0.8 > before["r2"]


def test_balanced_weights_make_all_classes_count_alike():
    y = np.array([0] * 90 + [1] * 10, np.int32)
    x = np.zeros((100, 4), np.float32)  # nothing distinguishes the classes
    samples = Samples(x, y, np.arange(100, dtype=np.int32), PLAIN)
    np.testing.assert_allclose(samples.balancing_weights[y].mean(), 1)
    found = {}
    for name, weights in (("none", None), ("balanced", samples.balancing_weights)):
        network = new_network(2, "softmax")
        rng = np.random.default_rng(0)
        training.TrainingLoop(network, samples, samples, 100, class_weights=weights).run(
            [1] * 300, rng
        )
        found[name] = predicted_by(network, samples)[0, 1]
    assert found["none"] == pytest.approx(0.1, abs=0.01)
    assert found["balanced"] == pytest.approx(0.5, abs=0.01)


def test_class_weights_change_training_loss_alone():
    samples, weights = classes(), np.linspace(0.1, 2, 7)
    network = new_network(7, "softmax")
    before = training.evaluate(network, samples)
    network = training.TrainableNetwork(network.network, replace(SETTINGS, learning_rate=1e-12))
    training_loop = training.TrainingLoop(network, samples, samples, 16, class_weights=weights)
    (history,) = training_loop.run([4], np.random.default_rng(0))
    assert history["val_loss"] == pytest.approx(before["loss"], rel=1e-5)
    losses = keras.losses.sparse_categorical_crossentropy(
        samples.y, network(samples.x, training=False)
    ).numpy()
    assert history["loss"] == pytest.approx(np.mean(losses * weights[samples.y]), rel=1e-4)


LOSSES: list[keras_catalog.Setting] = [
    *(name for name in keras_catalog.names("losses") if name not in ("mse", "mae")),
    {"categorical_crossentropy": {"label_smoothing": 0.2}},
    {"categorical_focal_crossentropy": {"gamma": 3.0}},
]


def labels(name, y, outputs):
    """Labels as a Keras loss takes them."""
    numbers = name.startswith("sparse") or name in (
        *("crossentropy", "circle", "categorical_generalized_cross_entropy"),
    )
    return y if numbers else np.eye(outputs, dtype=np.float32)[y]


BY_OUTPUT = [
    (loss, activation)
    for loss in LOSSES
    for activation in ("softmax", "linear")
    if activation == "softmax"
    or keras_catalog.find("losses", keras_catalog.split_setting(loss)[0]).takes_logits
]


@pytest.mark.parametrize(("loss", "activation"), BY_OUTPUT)
def test_every_classification_loss_trains_as_in_keras(loss, activation):
    name, _ = keras_catalog.split_setting(loss)
    network, samples = new_network(7, activation, loss), classes(48)
    plain = in_keras(network.network, momentum=0, loss=loss)
    order = np.random.default_rng(0).permutation(48)
    (history,) = training.TrainingLoop(network, samples, samples, 16).run(
        [3], np.random.default_rng(0)
    )
    found = []
    for start in range(0, 48, 16):
        batch = order[start : start + 16]
        plain.reset_metrics()
        y = labels(name, samples.y[batch], 7)
        found.append(plain.train_on_batch(samples.x[batch], y)[0])
    assert history["loss"] == pytest.approx(np.mean(found), rel=1e-4)
    for one, other in zip(network.network.weights[0], plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("loss", TASKS["regression"].every_loss)
def test_every_regression_loss_trains_as_in_keras(loss):
    network, samples = new_network(2, "linear", loss), targets(48, 2)
    plain = in_keras(network.network, momentum=0, loss=loss)
    training.TrainingLoop(network, samples, samples, 48).run([1], np.random.default_rng(0))
    plain.train_on_batch(samples.x, (samples.y - 10) * 0.5)
    for one, other in zip(network.network.weights[0], plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


NEEDED = {
    "iou": {"target_class_ids": [0, 3]},
    "one_hot_iou": {"target_class_ids": [1, 2]},
    "precision_at_recall": {"recall": 0.5},
    "recall_at_precision": {"precision": 0.2},
    "sensitivity_at_specificity": {"specificity": 0.5},
    "specificity_at_sensitivity": {"sensitivity": 0.5},
}
ALL_METRICS = [{name: NEEDED.get(name, {})} for name in keras_catalog.names("metrics")]
# two lists, because a metric occurs once among those of a network
WITH_ARGUMENTS = [
    {"auc": {"curve": "PR", "multi_label": True}},
    {"f1_score": {"average": "weighted"}},
]


def keras_value(setting, y, predicted, outputs):
    """The value of a Keras metric over all samples at once."""
    ((name, arguments),) = setting.items()
    metric_class = getattr(keras.metrics, keras_catalog.find("metrics", name).class_name)
    classes = {"num_classes": outputs} if name.endswith("iou") and name != "binary_iou" else {}
    metric = metric_class(**arguments, **classes)
    metric.update_state(y, predicted.argmax(1) if name in ("iou", "mean_iou") else predicted)
    return float(np.mean(keras.ops.convert_to_numpy(metric.result())))


@pytest.mark.parametrize("activation", ["softmax", "linear"])
@pytest.mark.parametrize("settings", [ALL_METRICS, WITH_ARGUMENTS], ids=["all", "with arguments"])
def test_every_keras_metric_has_the_value_of_keras(settings, activation, monkeypatch):
    network, samples = new_network(7, activation), classes()
    predicted = predicted_by(network, samples)
    if activation == "linear":
        predicted = keras.ops.convert_to_numpy(keras.ops.softmax(predicted))
    expected = {}
    for setting in settings:
        ((name, _),) = setting.items()
        numbers = name in ("iou", "mean_iou") or name.startswith("sparse")
        y = samples.y if numbers else np.eye(7, dtype=np.float32)[samples.y]
        expected[name] = keras_value(setting, y, predicted, 7)
    for _ in range(2):  # the second evaluation starts from zero
        found = in_batches(network, samples, settings, monkeypatch)
        assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-4)
    assert "accuracy" in found


OF_NUMBERS = [
    name
    for name in keras_catalog.names("metrics")
    if keras_catalog.find("metrics", name).for_regression
]


def test_keras_regression_metrics_are_in_the_targets_unit(monkeypatch):
    network, samples = new_network(2, "linear", "mse"), targets(outputs=2)
    found = in_batches(network, samples, OF_NUMBERS, monkeypatch)
    predicted = predicted_by(network, samples) / 0.5 + 10
    expected = {name: keras_value({name: {}}, samples.y, predicted, 2) for name in OF_NUMBERS}
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-4)


def test_keras_metrics_are_measured_every_epoch():
    network, samples = new_network(7, "softmax"), classes(48)
    settings = replace(SETTINGS, learning_rate=1e-12)  # nothing is learned
    network = training.TrainableNetwork(network.network, settings)
    metrics = ["categorical_accuracy", {"auc": {"multi_label": True}}]
    training_loop = training.TrainingLoop(network, samples, samples, 16, metrics)
    history = training_loop.run([3, 3], np.random.default_rng(0))
    for entry in history:
        for prefix in ("", "val_"):
            accuracy = entry[f"{prefix}accuracy"]
            assert entry[f"{prefix}categorical_accuracy"] == pytest.approx(accuracy)
        assert entry["auc"] == pytest.approx(entry["val_auc"], abs=1e-6)
    assert history[0]["auc"] == pytest.approx(history[1]["auc"], abs=1e-6)
