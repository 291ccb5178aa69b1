"""Training: what plain Keras would do, in one compiled loop."""

import dataclasses
import math

import numpy as np
import pytest

from netsurgery import keras_files, training
from netsurgery.datasets import Samples, Scaling
from netsurgery.network import initialise
from netsurgery.topologies import build, named

SCALING = Scaling(np.array(0, np.float32), np.array(1 / 16, np.float32))
SETTINGS = {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9, "loss": "crossentropy"}


def model(topology="cnn-medium", seed=0, **settings):
    network = initialise(build(named(topology), (8, 8, 1), 10), np.random.default_rng(seed))
    made = keras_files.to_keras(network)
    training.compile_model(made, SETTINGS | settings)
    return made


def samples(n, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 17, (n, 8, 8, 1)).astype(np.uint8)
    y = (x.sum(axis=(1, 2, 3)) % 10).astype(np.int32)
    return Samples(x, y, np.arange(n, dtype=np.int32), SCALING)


def train(made, batches, seed=0, n=70, batch_size=16):
    rng = np.random.default_rng(seed)
    return training.train(made, samples(n), samples(30, 1), batches, batch_size, rng)


def assert_close(one, other, tolerance=1e-5):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def test_an_epoch_is_what_keras_does_batch_by_batch():
    ours, plain = model(), model()
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
    assert_close(ours, plain)
    assert history[-1]["loss"] == pytest.approx(sum(losses) / 70, rel=1e-4)
    validation = samples(30, 1)
    loss, accuracy = plain.evaluate(validation.x / 16, validation.y, verbose=0)
    assert history[-1]["val_loss"] == pytest.approx(loss, rel=1e-4)
    assert history[-1]["val_accuracy"] == pytest.approx(accuracy)


def test_a_part_of_an_epoch_trains_on_so_many_batches():
    made = model(momentum=0)
    train(made, [2])
    assert int(made.optimizer.iterations.numpy()) == 2
    train(made, [5, 1])
    assert int(made.optimizer.iterations.numpy()) == 8


def test_the_same_generator_gives_the_same_bytes_and_another_does_not():
    one, two, three = model(), model(), model()
    for made, seed in ((one, 4), (two, 4), (three, 5)):
        train(made, [5, 3], seed=seed)
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(AssertionError):
        assert_close(one, three)


def test_samples_are_read_where_they_are_mapped_and_never_copied_whole(tmp_path):
    np.save(tmp_path / "x.npy", samples(40).x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    data = dataclasses.replace(samples(40), x=mapped)
    batch = training._batch(data)
    positions = np.arange(5, dtype=np.int32)
    np.testing.assert_array_equal(batch(positions)[0], data.inputs(positions))
    np.load(tmp_path / "x.npy", mmap_mode="r+")[3] = 7
    assert (batch(positions)[0].numpy()[3] == 7 / 16).all()


def test_an_augmented_epoch_sees_every_variant_once():
    data = dataclasses.replace(samples(10), variants=6)
    assert len(data) == 60
    x, y = training._batch(data)(np.arange(60, dtype=np.int32))
    plain = samples(10)
    np.testing.assert_array_equal(y.numpy(), np.tile(plain.y, 6))
    images = x.numpy().reshape(6, 10, 8, 8, 1) * 16
    np.testing.assert_array_equal(images[0], plain.x)
    np.testing.assert_array_equal(images[1], plain.x[:, :, ::-1])
    np.testing.assert_array_equal(images[2][:, :, 4:], plain.x[:, :, :-4])
    assert (images[2][:, :, :4] == 0).all()
    np.testing.assert_array_equal(images[5][:, :-4], plain.x[:, 4:])


def test_training_stops_where_it_diverges():
    history = train(model(learning_rate=1e30), [5] * 6)
    assert len(history) < 6
    assert not training.finite(history[-1].values())
    assert all(training.finite(entry.values()) for entry in history[:-1])


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
def test_a_candidate_saved_between_two_steps_trains_on_as_if_it_had_not_been(optimizer, tmp_path):
    settings = {"optimizer": optimizer, "momentum": 0.9 if optimizer == "sgd" else 0}
    straight = model(learning_rate=0.01, **settings)
    train(straight, [5], seed=1)
    keras_files.save(straight, tmp_path / "step.keras")
    train(straight, [5], seed=2)
    resumed = keras_files.load(tmp_path / "step.keras")
    train(resumed, [5], seed=2)
    for a, b in zip(straight.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_evaluation_in_several_batches_is_that_in_one(monkeypatch):
    made = model()
    whole = training.evaluate(made, samples(50))
    monkeypatch.setattr(training, "EVALUATION_BATCH", 16)
    parts = training.evaluate(made, samples(50))
    assert parts == pytest.approx(whole, rel=1e-5)
    assert math.isclose(parts["accuracy"] * 50, round(parts["accuracy"] * 50), abs_tol=1e-6)
