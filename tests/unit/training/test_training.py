"""Training in compiled loops gives what Keras gives."""

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

from netsurgery import training
from netsurgery.datasets import Samples, Scaling
from netsurgery.keras_io import archive, checkpoints, conversion
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Pool,
    Rescaling,
    Reshape,
)
from netsurgery.networks.network import Topology, initialise
from netsurgery.networks.topologies import build, named
from netsurgery.objectives.keras_catalog import describe, names
from netsurgery.training import loop
from netsurgery.training.optimizer_state import is_elementwise
from netsurgery.training.samples import Batches
from tests.support.strategies import trained

SCALING = Scaling(np.array(0, np.float32), np.array(1 / 16, np.float32))
SETTINGS = {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9, "loss": "crossentropy"}


def new_network(topology="cnn-medium", seed=0, **settings):
    network = initialise(build(named(topology), (8, 8, 1), 10), np.random.default_rng(seed))
    return training.TrainableNetwork(network, SETTINGS | settings)


def in_keras(network, **settings):
    model = conversion.to_keras(network)
    training.compile_model(model, SETTINGS | settings)
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


OPTIMIZERS = {
    "sgd": {"momentum": 0.9},
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


@pytest.mark.parametrize("units", [10, 80])  # all arrays share a variable; the largest has its own
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_updates_as_in_keras(optimizer, units):
    topology = build([{"dense": {"units": units}}], (8, 8, 1), 10)
    network = initialise(topology, np.random.default_rng(0))
    ours = training.TrainableNetwork(network, SETTINGS | OPTIMIZERS[optimizer])
    shared = is_elementwise(ours.settings["optimizer"])
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


KINDS = {
    "average pooling of whole squares": [Conv(4), Pool("average"), BatchNorm(), Activation("relu")],
    "with a wide kernel and no bias": [Conv(4, 5, use_bias=False), Pool("average", strides=2)],
    "with a narrow kernel": [Conv(4, 1), Pool("average"), Activation("tanh")],
    "average pooling with an activation before it": [Conv(4, activation="relu"), Pool("average")],
    "average pooling that overlaps": [Conv(4), Pool("average", 2, 1)],
    "average pooling over 3x3": [Conv(4), Pool("average", 3)],
    "max pooling": [Conv(4), Pool("max"), BatchNorm(scale=False), Activation("leaky_relu", 0.3)],
    "steps and no margins": [Conv(4, strides=2, padding="valid"), BatchNorm(center=False)],
    "an even kernel": [Conv(4, 2), Pool("average")],
    "two of them": [Conv(4), Pool("average"), Conv(5), Pool("average")],
    "a global pool": [Rescaling(0.5, 0.1), Conv(4, activation="elu"), GlobalPool()],
    "a global maximum": [Conv(4), GlobalPool("max"), BatchNorm(), Activation("sigmoid")],
    "normalised units": [Flatten(), Dense(6, "selu"), BatchNorm(), Dense(5, "leaky_relu")],
    "a bias that is normalised next": [Flatten(), Dense(6, "linear"), BatchNorm(scale=False)],
    "normalised without a bias": [
        Flatten(),
        Dense(6, "linear", use_bias=False),
        BatchNorm(scale=False, center=False),
    ],
    "averaged with margins and normalised": [Conv(4), Pool("average", 3, 2), BatchNorm()],
    "and pooled before": [
        Conv(4),
        Pool("max", 3, 2),
        BatchNorm(momentum=0.5),
        Conv(3),
        BatchNorm(),
    ],
    "a reshape": [Flatten(), Dense(16, "gelu"), Reshape((4, 4, 1)), Conv(3), Pool("average")],
}


def network_of(layers, side):
    flat = isinstance(layers[0], Flatten) and not any(isinstance(k, Reshape) for k in layers)
    flat = flat or any(isinstance(layer, GlobalPool) for layer in layers)
    whole = (*layers, *(() if flat else (Flatten(),)), Dense(10, "softmax"))
    return trained(Topology((side, side, 2), whole), np.random.default_rng(0))


def numbers(side):
    x = np.random.default_rng(1).normal(size=(9, side, side, 2))
    return x.astype(np.float32), np.arange(9, dtype=np.int32)


@pytest.mark.parametrize("side", [8, 7, 20, 21])  # from 20 on with the kernels of oneDNN
@pytest.mark.parametrize("layers", KINDS.values(), ids=KINDS)
def test_every_layer_computes_and_trains_as_in_keras(layers, side):
    (x, y), network = numbers(side), network_of(layers, side)
    ours, plain = training.TrainableNetwork(network, SETTINGS), in_keras(network)
    np.testing.assert_allclose(ours(x, training=False), plain(x), atol=1e-5)
    part = Samples(x, y, np.arange(9, dtype=np.int32), Scaling(np.float32(0), np.float32(1)))
    training.TrainingLoop(ours, part, part, 9).run([1], np.random.default_rng(2))
    plain.train_on_batch(x, y)
    assert_close(ours.network, conversion.from_keras(plain), 2e-5)


MIXED = {"dtype_policy": "mixed_bfloat16"}


@pytest.mark.parametrize("layers", KINDS.values(), ids=KINDS)
def test_mixed_precision_only_rounds_to_bfloat16(layers):
    (x, y), network = numbers(8), network_of(layers, 8)
    full, mixed = (training.TrainableNetwork(network, SETTINGS | own) for own in ({}, MIXED))
    one, other = (each(x, training=False).numpy() for each in (full, mixed))
    assert other.dtype == np.float32
    assert 0 < np.abs(one - other).max() < 0.05
    part = Samples(x, y, np.arange(9, dtype=np.int32), Scaling(np.float32(0), np.float32(1)))
    for each in (full, mixed):
        training.TrainingLoop(each, part, part, 9).run([1], np.random.default_rng(2))
    assert all(array.dtype == np.float32 for array in arrays(mixed.network))
    moved = [
        np.abs(a - b).max() for a, b in zip(arrays(full.network), arrays(network), strict=True)
    ]
    pairs = zip(arrays(full.network), arrays(mixed.network), strict=True)
    assert max(np.abs(a - b).max() for a, b in pairs) < 0.2 * max(moved)


def test_mixed_precision_excludes_the_output_layer():
    network = network_of([Flatten()], 8)
    full, mixed = (training.TrainableNetwork(network, SETTINGS | own) for own in ({}, MIXED))
    x, _ = numbers(8)
    rounded = tf.cast(tf.cast(x, tf.bfloat16), tf.float32).numpy()
    np.testing.assert_array_equal(full(rounded, training=False), mixed(x, training=False))


def test_dropout_is_refused():
    network = initialise(Topology((4,), (Dropout(0.5), Dense(2))), np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"training does not support the layer dropout 0\.5"):
        training.TrainableNetwork(network, SETTINGS)(np.zeros((1, 4), np.float32), training=True)


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


def test_samples_stay_in_the_memory_mapped_file(tmp_path):
    np.save(tmp_path / "x.npy", samples(40).x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    data = dataclasses.replace(samples(40), x=mapped)
    batches = Batches(data)
    positions = np.arange(5, dtype=np.int32)
    seen, _ = batches.take(positions, *batches.tensors)
    np.testing.assert_array_equal(seen, data.inputs(positions))
    np.load(tmp_path / "x.npy", mmap_mode="r+")[3] = 7
    seen, _ = batches.take(positions, *batches.tensors)
    assert (seen.numpy()[3] == 7 / 16).all()


def test_an_augmented_epoch_has_every_variant_once():
    data = dataclasses.replace(samples(10), variants=6)
    assert len(data) == 60
    batches = Batches(data)
    x, y = batches.take(np.arange(60, dtype=np.int32), *batches.tensors)
    plain = samples(10)
    np.testing.assert_array_equal(y.numpy(), np.tile(plain.y, 6))
    images = x.numpy().reshape(6, 10, 8, 8, 1) * 16
    np.testing.assert_array_equal(images[0], plain.x)
    np.testing.assert_array_equal(images[1], plain.x[:, :, ::-1])
    np.testing.assert_array_equal(images[2][:, :, 4:], plain.x[:, :, :-4])
    assert (images[2][:, :, :4] == 0).all()
    np.testing.assert_array_equal(images[5][:, :-4], plain.x[:, 4:])


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
    resumed = training.TrainableNetwork(read.network, SETTINGS | settings, read.state)
    train(resumed, [5], seed=2)
    for a, b in zip(arrays(straight.network), arrays(resumed.network), strict=True):
        np.testing.assert_array_equal(a, b)


def test_evaluation_in_batches_equals_evaluation_at_once(monkeypatch):
    network = new_network()
    whole = training.evaluate(network, samples(50))
    monkeypatch.setattr(loop, "EVALUATION_BATCH", 16)
    parts = training.evaluate(network, samples(50))
    assert parts == pytest.approx(whole, rel=1e-5)
    assert math.isclose(parts["accuracy"] * 50, round(parts["accuracy"] * 50), abs_tol=1e-6)
