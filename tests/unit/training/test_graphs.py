"""Cached graphs give the same results, and only for what they were traced for."""

import dataclasses
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from netsurgery import training
from netsurgery.datasets import Samples, Scaling
from netsurgery.networks.network import initialise
from netsurgery.networks.topologies import build, named
from netsurgery.objectives.training_settings import CompileSettings
from netsurgery.training import graphs

SETTINGS = CompileSettings("sgd", learning_rate=0.1, momentum=0, loss="crossentropy")


def new_network(topology="cnn-small", seed=0, **settings):
    network = initialise(build(named(topology), (8, 8, 1), 10), np.random.default_rng(seed))
    return training.TrainableNetwork(network, replace(SETTINGS, **settings))


def samples(n=40, **changed):
    rng = np.random.default_rng(n)
    x = rng.integers(0, 17, (50, 8, 8, 1)).astype(np.uint8)
    y = (x.sum(axis=(1, 2, 3)) % 10).astype(np.int32)
    scaling = Scaling(np.array(0, np.float32), np.array(1 / 16, np.float32))
    return dataclasses.replace(Samples(x, y, np.arange(n, dtype=np.int32), scaling), **changed)


def trained(network, cache, part=None, batch_size=16, **more):
    """A network's arrays and scores after two epochs."""
    part = part or samples()
    loop = training.TrainingLoop(network, part, samples(20), batch_size, cache=cache, **more)
    history = loop.run([3, 3], np.random.default_rng(1))
    return [array for layer in network.network.weights for array in layer], history


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, in memory, too."""
    monkeypatch.setattr(graphs.GraphCache, "in_memory", {})
    return graphs.GraphCache(tmp_path / "graphs")


def cached(cache):
    return sorted(path.name for path in cache.folder.iterdir())


OTHER_PROCESS = """
import sys
import numpy as np
from netsurgery.training import graphs
from tests.unit.training import test_graphs as t
def fail(*_): raise AssertionError("traced again")
graphs.trace = fail
for optimizer in t.OPTIMIZERS:
    network = t.new_network(optimizer=optimizer)
    arrays, history = t.trained(network, graphs.GraphCache(sys.argv[1]))
    np.savez(sys.argv[2] + "/" + optimizer, *arrays)
    print(history)
"""
OPTIMIZERS = ("sgd", "adam")


def test_another_process_reuses_a_graph_with_the_same_bits(cache, tmp_path):
    mine = [trained(new_network(optimizer=optimizer), cache) for optimizer in OPTIMIZERS]
    found = subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS, cache.folder, tmp_path],
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.stdout.splitlines() == [str(history) for _, history in mine]
    for optimizer, (arrays, _) in zip(OPTIMIZERS, mine, strict=True):
        with np.load(tmp_path / f"{optimizer}.npz") as others:
            for array, other in zip(arrays, others.values(), strict=True):
                np.testing.assert_array_equal(array, other)


def test_other_weights_samples_and_rates_share_a_graph(cache):
    other = {"seed": 1, "learning_rate": 0.2}
    plain = trained(new_network(**other), graphs.GraphCache(), samples(40))[1]
    graphs.GraphCache.in_memory.clear()
    trained(new_network(seed=0), cache, samples(40))
    names = cached(cache)
    assert len(names) == 2  # an epoch, an evaluation
    again = trained(new_network(**other), cache, samples(40))[1]
    assert cached(cache) == names
    assert again == plain


DIFFERENT = {
    "topology": {"settings": {"topology": "cnn-medium"}},
    "optimizer": {"settings": {"optimizer": "rmsprop"}},
    "precision": {"precision": "bfloat16"},
    "scaling": {"scaling": Scaling(np.array(1, np.float32), np.array(1 / 16, np.float32))},
    "variants": {"variants": 6},
    "type of samples": {"x": np.zeros((50, 8, 8, 1), np.float32)},
    "batch size": {"batch_size": 15},
    "metrics": {"metrics": ["top5_accuracy"]},
    "class weights": {"class_weights": np.linspace(1, 2, 10)},
}
OF_SAMPLES = {field.name for field in dataclasses.fields(Samples)}


@pytest.mark.parametrize("change", DIFFERENT.values(), ids=DIFFERENT)
def test_any_other_difference_needs_another_graph(cache, change):
    trained(new_network(), cache)
    before = set(cached(cache))
    part = samples(**{k: v for k, v in change.items() if k in OF_SAMPLES})
    rest = {k: v for k, v in change.items() if k not in {"settings", *OF_SAMPLES}}
    plain = trained(new_network(**change.get("settings", {})), graphs.GraphCache(), part, **rest)[1]
    graphs.GraphCache.in_memory.clear()
    assert trained(new_network(**change.get("settings", {})), cache, part, **rest)[1] == plain
    epochs = [name for name in set(cached(cache)) - before if name.startswith("epoch")]
    assert len(epochs) == 1


def test_only_the_newest_graphs_stay(cache, monkeypatch):
    monkeypatch.setattr(graphs, "MAX_GRAPHS", 4)
    sizes = [10, 11, 12, 13]
    for size in sizes:
        trained(new_network(), cache, batch_size=size)
    assert len(cached(cache)) == 4


def test_training_works_without_the_folder(cache):
    cache.folder.parent.joinpath("graphs").write_text("in the way")
    assert len(trained(new_network(), cache)[1]) == 2


def test_a_function_of_another_tensor_is_rejected():
    import tensorflow as tf

    other = tf.Variable(1.0)
    with pytest.raises(graphs.OutsideTensorError):
        graphs.trace(lambda x: x + other, [tf.TensorSpec([], tf.float32)], [], "other")
