"""Networks compute and train as their Keras models do, layer by layer."""

import numpy as np
import pytest
import tensorflow as tf

from netsurgery import training
from netsurgery.datasets import Samples, Scaling
from netsurgery.keras_io import conversion
from netsurgery.keras_io.checkpoints import order_in_keras
from netsurgery.networks.activations import ACTIVATIONS
from netsurgery.networks.blocks import Parallel, Residual
from netsurgery.networks.inference import predict
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    ClippedReLU,
    Conv,
    Cropping,
    Dense,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalPool,
    LayerNorm,
    OnePixel,
    Pool,
    PReLU,
    Rescaling,
    Reshape,
    SeparableConv,
    ZeroPadding,
)
from netsurgery.networks.network import initialise
from netsurgery.networks.topology import Topology
from tests.support.random_networks import (
    as_keras_takes,
    branched,
    inputs,
    trained,
    varied,
    with_several_inputs,
)
from tests.support.training_helpers import SETTINGS, arrays, in_keras

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
    "an oblong kernel with steps": [Conv(4, (3, 1), "relu", strides=(1, 2)), Pool("max", (2, 3))],
    "holes": [Conv(4, 3, dilation=(2, 1)), Pool("average"), BatchNorm()],
    "each channel apart": [DepthwiseConv(3), BatchNorm(), Activation("relu")],
    "channels apart with steps": [DepthwiseConv((3, 5), "relu", strides=2, padding="valid")],
    "channels apart with holes": [DepthwiseConv(3, dilation=2), Pool("average"), BatchNorm()],
    "separable": [SeparableConv(4), BatchNorm(), Activation("hard_silu"), SeparableConv(3, (2, 3))],
    "channels normalized": [Conv(4), LayerNorm(), Activation("gelu"), LayerNorm(scale=False)],
    "rectified": [Conv(4), ClippedReLU(1.0, 0.1, 0.2), PReLU(), Activation("elu", alpha=0.4)],
    "margins": [ZeroPadding(((1, 0), (2, 1))), Conv(4), Cropping(((1, 1), (0, 1)))],
    "one pixel": [Conv(4), GlobalPool(), OnePixel(2), Conv(5, 1), OnePixel(0)],
    "a global pool that keeps sides": [Conv(4), GlobalPool("max", keep_sides=True), Conv(3, 1)],
    "a residual block": [
        Conv(4, activation="relu"),
        Residual((Conv(5), BatchNorm(), Activation("relu"), Conv(4))),
        BatchNorm(),
        Activation("relu"),
    ],
    "a residual block with steps": [
        Residual((Conv(4), Pool("average"), BatchNorm()), (Conv(4, 3, strides=2), BatchNorm()))
    ],
    "branches": [
        Parallel(((Conv(3), Pool("average")), (Pool("max"), Conv(2, activation="relu")))),
        BatchNorm(),
    ],
    "a gate": [
        Conv(4),
        Parallel(((), (GlobalPool(), Dense(2), Dense(4, "sigmoid"))), "multiply"),
        Residual((Residual((Conv(4), BatchNorm())), Conv(4))),
    ],
    "a residual block of units": [Flatten(), Dense(6), Residual((Dense(5), Dense(6, "linear")))],
    "a reshape": [Flatten(), Dense(16, "gelu"), Reshape((4, 4, 1)), Conv(3), Pool("average")],
}

SERIES = {
    "a convolution": [Conv(4, 3, "relu"), Pool("average"), BatchNorm(), Pool("max", 3, 2)],
    "a causal one": [Conv(4, 3, padding="causal", dilation=2), BatchNorm()],
    "a causal one with steps": [Conv(4, 2, strides=2, padding="causal"), LayerNorm()],
    "each channel apart": [DepthwiseConv(3, dilation=2), BatchNorm(), DepthwiseConv(3, strides=2)],
    "separable": [SeparableConv(4, strides=2), BatchNorm(), PReLU()],
    "margins": [ZeroPadding(((1, 2),)), Conv(3), Cropping(((1, 0),))],
    "a global pool": [Conv(4), GlobalPool(keep_sides=True), Conv(3, 1)],
}
ELEMENTWISE = [name for name in ACTIVATIONS if name not in ("hard_shrink", "exponential")]


def network_of(layers, side):
    flat = isinstance(layers[0], Flatten) and not any(isinstance(k, Reshape) for k in layers)
    flat = flat or len(Topology((side, side, 2), tuple(layers)).output_shape) == 1
    whole = (*layers, *(() if flat else (Flatten(),)), Dense(10, "softmax"))
    return trained(Topology((side, side, 2), whole), np.random.default_rng(0))


def numbers(side):
    x = np.random.default_rng(1).normal(size=(9, side, side, 2))
    return x.astype(np.float32), np.arange(9, dtype=np.int32)


def sides(kind):
    """The sizes of images to try: from 20 on with oneDNN's kernels, 7 leaves halves of squares."""
    if isinstance(KINDS[kind][0], Flatten):
        return [8]
    return [7 if "averag" in kind or "steps" in kind else 8, 20]


@pytest.mark.parametrize(("kind", "side"), [(kind, s) for kind in KINDS for s in sides(kind)])
def test_every_layer_computes_and_trains_as_in_keras(kind, side):
    assert_trains_as_in_keras(network_of(KINDS[kind], side), *numbers(side))


@pytest.mark.parametrize("layers", SERIES.values(), ids=SERIES)
def test_series_train_as_in_keras(layers):
    topology = Topology((9, 2), (*layers, Flatten(), Dense(10, "softmax")))
    x = np.random.default_rng(1).normal(size=(9, 9, 2)).astype(np.float32)
    network = trained(topology, np.random.default_rng(0))
    assert_trains_as_in_keras(network, x, np.arange(9, dtype=np.int32))


def test_activations_train_as_in_keras():
    branches = tuple((Dense(3, function),) for function in ELEMENTWISE)
    topology = Topology((6,), (Parallel(branches), Dense(10, "softmax")))
    x = np.random.default_rng(1).normal(size=(9, 6)).astype(np.float32)
    network = trained(topology, np.random.default_rng(0))
    assert_trains_as_in_keras(network, x, np.arange(9, dtype=np.int32))


def assert_trains_as_in_keras(network, x, y):
    ours, plain = training.TrainableNetwork(network, SETTINGS), in_keras(network)
    np.testing.assert_allclose(ours(x, training=False), plain(x), atol=1e-5)
    part = Samples(x, y, np.arange(9, dtype=np.int32), Scaling(np.float32(0), np.float32(1)))
    training.TrainingLoop(ours, part, part, 9).run([1], np.random.default_rng(2))
    plain.train_on_batch(x, y)
    theirs = [variable.numpy() for variable in plain.weights]
    ordered = [a for i in order_in_keras(network.topology) for a in ours.network.weights[i]]
    for mine, other in zip(ordered, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=2e-5, atol=2e-5)


def test_projections_with_steps_train():
    """In Keras, TensorFlow's gradient of such a convolution may end the process."""
    layers = [Residual((Conv(4, strides=2), BatchNorm()), (Conv(4, 1, strides=2),))]
    (x, y), network = numbers(20), network_of(layers, 20)
    ours = training.TrainableNetwork(network, SETTINGS)
    np.testing.assert_allclose(ours(x, training=False), predict(network, x), atol=1e-5)
    part = Samples(x, y, np.arange(9, dtype=np.int32), Scaling(np.float32(0), np.float32(1)))
    for _ in range(3):
        training.TrainingLoop(ours, part, part, 9).run([1], np.random.default_rng(2))
    assert ours.network.finite


# each layer that computes in a precision of its own, or joins others
ROUNDED = [
    "max pooling",
    "a global pool",
    "normalized units",
    "and pooled before",
    "separable",
    "channels normalized",
    "rectified",
    "a gate",
    "branches",
    "a reshape",
]


PRECISIONS = ("float32", "bfloat16")


def in_precisions(network, x):
    """What the network gives in training, in float32 and in bfloat16."""
    learner = training.TrainableNetwork(network, SETTINGS)
    given = (learner.forward(x, training=True, precision=each) for each in PRECISIONS)
    return [each.output.numpy() for each in given]


@pytest.mark.parametrize("kind", ROUNDED)
def test_bfloat16_only_rounds_what_training_computes(kind):
    (x, y), network = numbers(8), network_of(KINDS[kind], 8)
    one, other = in_precisions(network, x)
    assert other.dtype == np.float32
    assert 0 < np.abs(one - other).max() < 0.05
    part = Samples(x, y, np.arange(9, dtype=np.int32), Scaling(np.float32(0), np.float32(1)))
    learners = [training.TrainableNetwork(network, SETTINGS) for _ in PRECISIONS]
    for learner, precision in zip(learners, PRECISIONS, strict=True):
        loop = training.TrainingLoop(learner, part, part, 9, precision=precision)
        loop.run([1], np.random.default_rng(2))
    full, mixed = (arrays(each.network) for each in learners)
    assert all(array.dtype == np.float32 for array in mixed)
    found = zip(arrays(network), full, mixed, strict=True)
    changes = [(abs(a - before).max(), abs(a - b).max()) for before, a, b in found]
    largest, _ = max(changes)
    assert all(rounding < 0.25 * change + 0.02 * largest for change, rounding in changes)


def test_scores_after_bfloat16_are_those_of_float32():
    (x, y), network = numbers(8), network_of(KINDS["max pooling"], 8)
    part = Samples(x, y, np.arange(9, dtype=np.int32), Scaling(np.float32(0), np.float32(1)))
    learner = training.TrainableNetwork(network, SETTINGS)
    loop = training.TrainingLoop(learner, part, part, 9, precision="bfloat16")
    (scores,) = loop.run([1], np.random.default_rng(2))
    again = training.evaluate(training.TrainableNetwork(learner.network, SETTINGS), part)
    assert {f"val_{name}": value for name, value in again.items()}.items() <= scores.items()


def test_bfloat16_excludes_the_output_layer():
    network, (x, _) = network_of([Flatten()], 8), numbers(8)
    rounded = tf.cast(tf.cast(x, tf.bfloat16), tf.float32).numpy()
    _, mixed = in_precisions(network, x)
    full, _ = in_precisions(network, rounded)
    np.testing.assert_array_equal(full, mixed)


def dropping(topology, step=0, start=(1, 2)):
    """What a network gives in training for ones, and its inputs, at a step of the optimizer."""
    learner = training.TrainableNetwork(initialise(topology, np.random.default_rng(0)), SETTINGS)
    learner.seed.assign(start)
    learner.optimizer.iterations.assign(step)
    ones = np.ones((200, *topology.input_shape), np.float32)
    assert learner(ones, training=False).numpy().min() == 1
    return learner(ones, training=True).numpy()


def test_dropout_keeps_the_mean_and_draws_anew_in_each_step():
    once = dropping(Topology((50,), (Dropout(0.25),)))
    assert set(np.unique(once)) == {0, np.float32(1 / 0.75)}
    assert abs(once.mean() - 1) < 0.02
    np.testing.assert_array_equal(dropping(Topology((50,), (Dropout(0.25),))), once)
    for other in ({"step": 1}, {"start": (3, 2)}):
        assert (dropping(Topology((50,), (Dropout(0.25),)), **other) != once).any()
    twice = dropping(Topology((50,), (Dropout(0.25), Dropout(0.25))))
    assert np.unique(twice).size == 2, "two layers draw the same"
    assert abs((twice > 0).mean() - 0.75**2) < 0.02


def test_dropout_of_whole_channels_and_of_everything():
    dropped = dropping(Topology((5, 7, 3), (Dropout(0.5, (1, 2)),)))
    assert (dropped == dropped[:, :1, :1]).all()
    assert 0 < (dropped == 0).mean() < 1
    assert not dropping(Topology((4,), (Dropout(1.0),))).any()


def test_dropout_trains_the_same_however_often_it_is_interrupted():
    network = trained(
        Topology((4,), (Dropout(0.5), Dense(6), Dropout(0.2), Dense(10, "softmax"))),
        np.random.default_rng(0),
    )
    x = np.random.default_rng(1).normal(size=(9, 4)).astype(np.float32)
    part = Samples(
        x,
        np.arange(9, dtype=np.int32),
        np.arange(9, dtype=np.int32),
        Scaling(np.float32(0), np.float32(1)),
    )

    def after(*runs):
        learner = training.TrainableNetwork(network, SETTINGS)
        for seed in runs:
            state = learner.checkpoint
            learner = training.TrainableNetwork(state.network, SETTINGS, state.state)
            training.TrainingLoop(learner, part, part, 4).run([3], np.random.default_rng(seed))
        return arrays(learner.network)

    first, again, others = after(1, 2), after(1, 2), after(1, 3)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert any((one != other).any() for one, other in zip(first, others, strict=True))


@pytest.mark.parametrize("make", [varied, branched, with_several_inputs])
@pytest.mark.parametrize("seed", range(5))
def test_random_networks_compute_the_same_everywhere(make, seed):
    rng = np.random.default_rng(seed)
    network = trained(make(rng), rng)
    x = inputs(network.topology, rng).astype(np.float32)
    expected = predict(network, x)
    tolerance = 1e-5 * max(1.0, np.abs(expected).max())
    ours = training.TrainableNetwork(network, SETTINGS)(tf.constant(x), training=False)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=tolerance)
    keras_model = conversion.to_keras(network)
    found = keras_model(as_keras_takes(network.topology, x))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
