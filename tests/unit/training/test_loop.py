"""Training in compiled loops gives what Keras gives."""

import math
from dataclasses import replace

import numpy as np
import pytest

from netsurgery import training
from netsurgery.keras_io import archive, checkpoints, conversion
from netsurgery.networks.layers import BatchNorm
from netsurgery.networks.network import initialise
from netsurgery.networks.topologies import build
from netsurgery.objectives.keras_catalog import describe, names
from netsurgery.training import evaluation
from netsurgery.training.optimizer_state import is_elementwise
from tests.support.training_helpers import (
    SCALING,
    SETTINGS,
    arrays,
    assert_close,
    in_keras,
    new_network,
    samples,
    train,
)

OPTIMIZERS = {
    "sgd": {"momentum": 0.9},
    "sgd with averages": {"ema_momentum": 0.8},
    "adam with averages": {"optimizer": "adam", "momentum": 0, "ema_momentum": 0.8},
    "muon with averages": {"optimizer": "muon", "momentum": 0, "ema_momentum": 0.8},
    "rmsprop with momentum": {"optimizer": "rmsprop", "momentum": 0.5, "learning_rate": 0.01},
    **{
        name: {"optimizer": name, "momentum": 0, "learning_rate": 0.01}
        for name in names("optimizers")
        if name != "sgd"
    },
    **{
        describe(setting): {"optimizer": setting, "momentum": 0.5 * ("rmsprop" in setting)}
        for setting in (
            {"sgd": {"nesterov": True, "clipvalue": 0.01}},
            {"sgd": {"clipnorm": 0.02}},
            {"rmsprop": {"centered": True}},
            {"adam": {"amsgrad": True, "beta_1": 0.5}},
            {"adam": {"gradient_accumulation_steps": 2}},
            {"adamw": {"weight_decay": 0.5, "global_clipnorm": 0.01}},
        )
    },
}


@pytest.mark.parametrize("topology", ["cnn-medium", "cnn-large", "ff-medium"])
def test_an_epoch_equals_training_on_batches_in_keras(topology):
    ours = new_network(topology)
    plain = in_keras(ours.network)
    history = train(ours, [5, 5])
    data, rng = samples(70), np.random.default_rng(0)
    for _ in range(2):
        order = rng.permutation(70)
        losses = []
        for start in range(0, 70, 16):  # the last batch holds 6
            batch = order[start : start + 16]
            x = data.x[batch].astype(np.float32) * SCALING.scale
            plain.reset_metrics()
            losses.append(len(batch) * plain.train_on_batch(x, data.y[batch])[0])
    assert_close(ours.network, conversion.from_keras(plain))
    assert history[-1]["loss"] == pytest.approx(sum(losses) / 70, rel=1e-4)
    validation = samples(30, 1)
    loss, accuracy = plain.evaluate(validation.x / 16, validation.y, verbose=0)
    assert history[-1]["val_loss"] == pytest.approx(loss, rel=1e-4)
    assert history[-1]["val_accuracy"] == pytest.approx(accuracy)


# with 10 units all arrays share a variable; with 80 the largest has its own
@pytest.mark.parametrize(
    ("optimizer", "units"),
    [
        *((optimizer, 80) for optimizer in OPTIMIZERS),
        *((kind, 10) for kind in ("sgd", "adam", "muon")),
    ],
)
def test_every_optimizer_updates_as_in_keras(optimizer, units):
    topology = build([{"dense": {"units": units}}], (8, 8, 1), 10)
    network = initialise(topology, np.random.default_rng(0))
    ours = training.TrainableNetwork(network, replace(SETTINGS, **OPTIMIZERS[optimizer]))
    shared = is_elementwise(ours.settings.optimizer)
    assert len(ours.weights) == (1 + (units > 10) if shared else 4)
    plain = in_keras(ours.network, **OPTIMIZERS[optimizer])
    train(ours, [3])
    data, order = samples(70), np.random.default_rng(0).permutation(70)
    for start in range(0, 48, 16):
        batch = order[start : start + 16]
        plain.train_on_batch(data.x[batch].astype(np.float32) / 16, data.y[batch])
    assert_close(ours.network, conversion.from_keras(plain))
    for one, other in zip(ours.optimizer_state.values, plain.optimizer.variables, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_a_part_of_an_epoch_trains_that_many_batches():
    network = new_network(momentum=0)
    train(network, [2])
    assert network.optimizer_state.steps == 2
    train(network, [5, 1])
    assert network.optimizer_state.steps == 8


def test_only_the_same_generator_gives_the_same_weights():
    one, two, three = new_network(), new_network(), new_network()
    for network, seed in ((one, 4), (two, 4), (three, 5)):
        train(network, [5, 3], seed=seed)
    for a, b in zip(arrays(one.network), arrays(two.network), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(AssertionError):
        assert_close(one.network, three.network)


def test_each_batch_has_its_own_rate():
    rates, one, other = np.linspace(0.1, 0.01, 10, dtype=np.float32), new_network(), new_network()
    loops = [training.TrainingLoop(each, samples(70), samples(30, 1), 16) for each in (one, other)]
    loops[0].run([5, 5], np.random.default_rng(0), rates)
    rng = np.random.default_rng(0)
    for part in (rates[:5], rates[5:]):
        loops[1].run([5], rng, part)
    for a, b in zip(arrays(one.network), arrays(other.network), strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.optimizer.learning_rate == rates[-1]


def test_networks_are_scored_with_averaged_weights():
    network = new_network(ema_momentum=0.9)
    start = network.network
    for a, b in zip(arrays(start), arrays(network.averaged_checkpoint.network), strict=True):
        np.testing.assert_array_equal(a, b)
    (scores,) = train(network, [5])
    averaged = network.averaged_checkpoint.network
    losses = [
        training.evaluate(training.TrainableNetwork(each, SETTINGS), samples(30, 1))["loss"]
        for each in (averaged, network.network)
    ]
    assert losses[0] == pytest.approx(scores["val_loss"], rel=1e-6)
    assert losses[1] != pytest.approx(scores["val_loss"], rel=1e-4)


def test_statistics_are_averaged_over_the_batches_of_the_weights():
    still = {"learning_rate": 1e-12, "momentum": 0}
    slow, fast = new_network(ema_momentum=0.999, **still), new_network(ema_momentum=0.1, **still)
    start = slow.statistics.numpy()
    for network in (slow, fast):
        train(network, [5])
    moved = [float(np.abs(each.statistics.numpy() - start).max()) for each in (slow, fast)]
    assert 0 < moved[0] < 0.02 * moved[1]


def test_training_stops_when_it_diverges():
    history = train(new_network(learning_rate=1e30), [5] * 6)
    assert len(history) < 6
    assert not training.finite(history[-1].values())
    assert all(training.finite(entry.values()) for entry in history[:-1])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_resumes_from_a_checkpoint(optimizer, tmp_path):
    settings = OPTIMIZERS[optimizer] | {"learning_rate": 0.01}
    straight = new_network(**settings)
    train(straight, [5], seed=1)
    path = tmp_path / "step.keras"
    archive.write_checkpoint(path, straight.checkpoint, straight.compile_arguments)
    train(straight, [5], seed=2)
    read = checkpoints.read(path, straight.topology)
    resumed = training.TrainableNetwork(read.network, replace(SETTINGS, **settings), read.state)
    train(resumed, [5], seed=2)
    for a, b in zip(arrays(straight.network), arrays(resumed.network), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_measured_latency_leaves_all_as_it_was():
    network = new_network("cnn-medium")
    loop = training.TrainingLoop(network, samples(70), samples(7, 1), 16, ["auc"])
    (before,) = loop.run([2], np.random.default_rng(0))
    arrays = [array.copy() for layer in network.network.weights for array in layer]
    for batch in (1, 32):  # more than there are validation samples
        assert 0 < loop.evaluation.latency(batch) < 1
    after = [array for layer in network.network.weights for array in layer]
    assert all(map(np.array_equal, arrays, after))
    assert {f"val_{name}": value for name, value in loop.evaluation().items()} == {
        name: value for name, value in before.items() if name.startswith("val_")
    }


def test_evaluation_in_batches_equals_evaluation_at_once(monkeypatch):
    network = new_network()
    whole = training.evaluate(network, samples(50))
    monkeypatch.setattr(evaluation, "BATCH", 16)
    parts = training.evaluate(network, samples(50))
    assert parts == pytest.approx(whole, rel=1e-5)
    assert math.isclose(parts["accuracy"] * 50, round(parts["accuracy"] * 50), abs_tol=1e-6)


def test_moving_statistics_have_the_momentum_of_the_settings():
    seen = {}
    for momentum in (None, 0.5):
        network = new_network("cnn-medium", statistics_momentum=momentum)
        train(network, [1])
        position = next(i for i, layer in enumerate(network.layers) if isinstance(layer, BatchNorm))
        seen[momentum] = network.network.weights[position][2]  # the moving mean, 0 before
    np.testing.assert_allclose(seen[0.5], 50 * seen[None], rtol=1e-4)
