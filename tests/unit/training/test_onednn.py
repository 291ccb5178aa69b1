"""oneDNN's kernels in graphs: where they belong, and with the results of TensorFlow's own."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from netsurgery import training
from netsurgery.datasets import Samples, Scaling
from netsurgery.networks.layers import Activation, BatchNorm, Conv, Dense, Flatten, Pool
from netsurgery.networks.network import Topology, initialise
from netsurgery.training import onednn
from netsurgery.training.graphs import GraphCache

SETTINGS = {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0, "loss": "crossentropy"}
EVERY_KIND = (
    Conv(3),
    Pool("max"),
    BatchNorm(),
    Activation("relu"),
    Conv(4, activation="relu"),
    Pool("average", 3),
    Conv(5),
    BatchNorm(),
    Activation("relu"),
    Flatten(),
    Dense(6, "relu"),
    Dense(3, "softmax"),
)

here = pytest.mark.skipif(
    not op_def_registry.get(onednn.KINDS["Conv2D"]), reason="this TensorFlow is without oneDNN"
)


def trained(side, shelf, precision="float32"):
    """The arrays of a network with every kind of operation after two epochs, and its scores."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, side, side, 3)).astype(np.float32)
    y = (np.arange(20) % 3).astype(np.int32)
    part = Samples(x, y, np.arange(20, dtype=np.int32), Scaling(np.float32(0), np.float32(1)))
    network = initialise(Topology((side, side, 3), EVERY_KIND), rng)
    learner = training.TrainableNetwork(network, SETTINGS | {"dtype_policy": precision})
    course = training.TrainingLoop(learner, part, part, 5, shelf=shelf)
    history = course.run([4, 4], np.random.default_rng(1))
    return [array for layer in learner.network.weights for array in layer], history


def operations(shelf):
    """The names of the operations in all graphs of a shelf."""
    return {
        node.op
        for graph in shelf.here.values()
        for function in graph.library.function
        for node in function.node_def
    }


@pytest.fixture
def shelf(monkeypatch):
    monkeypatch.setattr(GraphCache, "here", {})
    return GraphCache()


@pytest.mark.parametrize(
    ("shape", "faster"),
    [
        ((8, 8, 1), False),
        ((16, 16, 3), False),
        ((28, 28, 1), True),
        ((20,), False),
        ((2000,), True),
    ],
)
def test_it_pays_for_samples_of_many_numbers(shape, faster):
    assert onednn.pays(int(np.prod(shape))) == faster


def test_it_never_pays_on_a_gpu(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    assert not onednn.pays(3072)


@here
def test_large_samples_have_its_kernels_in_place_of_all_that_there_are(shelf):
    trained(20, shelf)
    found = operations(shelf)
    assert set(onednn.KINDS.values()) <= found
    assert not set(onednn.KINDS) & found


def evaluation(shelf):
    """The names of the operations that score, one by one."""
    (graph,) = (graph for name, graph in shelf.here.items() if name.startswith("evaluation"))
    return [node.op for function in graph.library.function for node in function.node_def]


@here
def test_scoring_is_a_convolution_for_each_with_all_that_follows_it(shelf):
    trained(20, shelf)
    found = evaluation(shelf)
    assert found.count(onednn.FUSED) == 3
    assert found.count("_MklNativeFusedBatchNormV3") == 1  # behind the largest of four
    assert found.count("BiasAdd") == 2  # of the dense layers
    assert found.count("Relu") == 2  # behind that normalisation, and of a dense layer


@here
def test_small_samples_have_none(shelf):
    trained(12, shelf)
    assert set(onednn.KINDS) <= operations(shelf)
    assert not set(onednn.KINDS.values()) & operations(shelf)


@here
def test_the_results_are_those_of_tensorflow_s_own(shelf, monkeypatch):
    arrays, history = trained(20, shelf)
    assert operations(shelf) & set(onednn.KINDS.values())
    shelf.here.clear()
    monkeypatch.setattr(onednn, "FEW", 20 * 20 * 3)
    own, own_history = trained(20, shelf)
    assert not operations(shelf) & set(onednn.KINDS.values())
    for one, other in zip(arrays, own, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)
    for one, other in zip(history, own_history, strict=True):
        assert one == pytest.approx(other, rel=1e-4)


@here
def test_what_it_has_no_kernels_for_stays(shelf):
    trained(20, shelf, "mixed_bfloat16")
    assert {"Conv2D", "MaxPool", "MaxPoolGrad"} <= operations(shelf)  # in bfloat16


def test_a_tensorflow_without_it_keeps_its_own(shelf, monkeypatch):
    known = op_def_registry.get
    own = set(onednn.KINDS.values())
    monkeypatch.setattr(op_def_registry, "get", lambda name: None if name in own else known(name))
    trained(20, shelf)
    assert set(onednn.KINDS) <= operations(shelf)
