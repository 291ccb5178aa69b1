"""Kernels of oneDNN are used where they pay, and compute what TensorFlow's default ones do."""

import numpy as np
import pytest
import tensorflow as tf

from netsurgery import training
from netsurgery.datasets import Samples, Scaling
from netsurgery.networks.layers import Activation, BatchNorm, Conv, Dense, Flatten, Pool
from netsurgery.networks.network import initialise
from netsurgery.networks.topology import Topology
from netsurgery.objectives.training_settings import CompileSettings
from netsurgery.storage import provenance
from netsurgery.training import onednn, tensorflow_internals
from netsurgery.training.graphs import GraphCache
from netsurgery.training.tensorflow_internals import ONEDNN_FUSED_CONV, ONEDNN_OPERATIONS

SETTINGS = CompileSettings("sgd", learning_rate=0.1, momentum=0, loss="crossentropy")
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

with_onednn = pytest.mark.skipif(
    not tensorflow_internals.has_operation(ONEDNN_OPERATIONS["Conv2D"]),
    reason="this TensorFlow has no oneDNN",
)

with_bfloat16 = pytest.mark.skipif(
    not onednn.has_bfloat16(), reason="this processor does not compute in bfloat16"
)


def trained(side, cache, precision="float32"):
    """The arrays of a network with every kind of operation after two epochs, and its scores."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, side, side, 3)).astype(np.float32)
    y = (np.arange(20) % 3).astype(np.int32)
    part = Samples(x, y, np.arange(20, dtype=np.int32), Scaling(np.float32(0), np.float32(1)))
    network = initialise(Topology((side, side, 3), EVERY_KIND), rng)
    trainable = training.TrainableNetwork(network, SETTINGS)
    loop = training.TrainingLoop(trainable, part, part, 5, cache=cache, precision=precision)
    history = loop.run([4, 4], np.random.default_rng(1))
    return [array for layer in trainable.network.weights for array in layer], history


def operations(cache):
    """The names of the operations in all cached graphs."""
    return {
        node.op
        for graph in cache.in_memory.values()
        for function in graph.functions
        for node in function.node_def
    }


@pytest.fixture
def cache(monkeypatch):
    monkeypatch.setattr(GraphCache, "in_memory", {})
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
def test_it_is_used_for_large_samples(shape, faster):
    assert onednn.is_faster(int(np.prod(shape))) == faster


def test_it_is_never_used_on_a_gpu(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    assert not onednn.is_faster(3072)


@with_onednn
def test_large_samples_use_all_its_kernels(cache):
    trained(20, cache)
    found = operations(cache)
    assert set(ONEDNN_OPERATIONS.values()) <= found
    assert not set(ONEDNN_OPERATIONS) & found


def evaluation(cache):
    """The names of the operations that score, one by one."""
    (graph,) = (graph for name, graph in cache.in_memory.items() if name.startswith("evaluation"))
    return [node.op for function in graph.functions for node in function.node_def]


@with_onednn
def test_scoring_fuses_bias_and_relu_into_convolutions(cache):
    trained(20, cache)
    found = evaluation(cache)
    assert found.count(ONEDNN_FUSED_CONV) == 3
    assert found.count("_MklNativeFusedBatchNormV3") == 1  # after the largest of four
    assert found.count("BiasAdd") == 2  # of the dense layers
    assert found.count("Relu") == 2  # after that normalization, and of a dense layer


@with_onednn
def test_small_samples_use_none_of_its_kernels(cache):
    trained(12, cache)
    assert set(ONEDNN_OPERATIONS) <= operations(cache)
    assert not set(ONEDNN_OPERATIONS.values()) & operations(cache)


@with_onednn
def test_its_results_are_those_of_the_default_kernels(cache, monkeypatch):
    arrays, history = trained(20, cache)
    assert operations(cache) & set(ONEDNN_OPERATIONS.values())
    cache.in_memory.clear()
    monkeypatch.setattr(onednn, "SMALL_SAMPLE", 20 * 20 * 3)
    own, own_history = trained(20, cache)
    assert not operations(cache) & set(ONEDNN_OPERATIONS.values())
    for one, other in zip(arrays, own, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)
    for one, other in zip(history, own_history, strict=True):
        assert one == pytest.approx(other, rel=1e-4)


def epoch(cache):
    """The names of the operations that train."""
    (graph,) = (graph for name, graph in cache.in_memory.items() if name.startswith("epoch"))
    return {node.op for function in graph.functions for node in function.node_def}


@with_bfloat16
@pytest.mark.parametrize("side", [12, 20])
def test_training_in_bfloat16_uses_its_kernels(side, cache):
    trained(side, cache, "bfloat16")
    assert set(ONEDNN_OPERATIONS.values()) <= epoch(cache)
    assert not set(ONEDNN_OPERATIONS) & epoch(cache)
    assert ("_MklNativeAvgPool" in evaluation(cache)) == (side == 20)  # as in float32


@with_onednn
def test_processors_without_bfloat16_use_default_kernels(cache, monkeypatch):
    monkeypatch.setattr(provenance, "processor_flags", lambda: frozenset({"avx2"}))
    trained(20, cache, "bfloat16")
    assert set(ONEDNN_OPERATIONS) <= epoch(cache)
    assert not set(ONEDNN_OPERATIONS.values()) & epoch(cache)


def test_a_tensorflow_without_it_uses_the_default_kernels(cache, monkeypatch):
    monkeypatch.setattr(tensorflow_internals, "find_operation", lambda name: None)
    trained(20, cache)
    assert set(ONEDNN_OPERATIONS) <= operations(cache)
