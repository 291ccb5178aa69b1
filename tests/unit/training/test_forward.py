"""Networks compute and train as their Keras models do, layer by layer."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from netsurgery import training
from netsurgery.datasets import Samples, Scaling
from netsurgery.keras_io import conversion
from netsurgery.networks.inference import predict
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
from netsurgery.networks.network import initialise
from netsurgery.networks.topology import Topology
from tests.support.random_networks import branched, inputs, trained
from tests.support.training_helpers import SETTINGS, arrays, assert_close, in_keras

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
    "normalized units": [Flatten(), Dense(6, "selu"), BatchNorm(), Dense(5, "leaky_relu")],
    "a bias that is normalized next": [Flatten(), Dense(6, "linear"), BatchNorm(scale=False)],
    "normalized without a bias": [
        Flatten(),
        Dense(6, "linear", use_bias=False),
        BatchNorm(scale=False, center=False),
    ],
    "averaged with margins and normalized": [Conv(4), Pool("average", 3, 2), BatchNorm()],
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


@pytest.mark.parametrize("side", [8, 7, 20])  # from 20 on with the kernels of oneDNN
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
    full, mixed = (
        training.TrainableNetwork(network, replace(SETTINGS, **own)) for own in ({}, MIXED)
    )
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
    full, mixed = (
        training.TrainableNetwork(network, replace(SETTINGS, **own)) for own in ({}, MIXED)
    )
    x, _ = numbers(8)
    rounded = tf.cast(tf.cast(x, tf.bfloat16), tf.float32).numpy()
    np.testing.assert_array_equal(full(rounded, training=False), mixed(x, training=False))


def test_dropout_is_refused():
    network = initialise(Topology((4,), (Dropout(0.5), Dense(2))), np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"training does not support the layer dropout 0\.5"):
        training.TrainableNetwork(network, SETTINGS)(np.zeros((1, 4), np.float32), training=True)


@pytest.mark.parametrize("seed", range(12))
def test_blocks_compute_what_numpy_and_keras_do(seed):
    rng = np.random.default_rng(seed)
    topology = branched(rng)
    while topology.positions(Dropout):
        topology = branched(rng)
    network = trained(topology, rng)
    x = inputs(network.topology, rng).astype(np.float32)
    expected = predict(network, x)
    ours = training.TrainableNetwork(network, SETTINGS)(tf.constant(x), training=False)
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-4)
    keras_model = conversion.to_keras(network)
    np.testing.assert_allclose(keras_model(x), expected, rtol=1e-4, atol=1e-4)
