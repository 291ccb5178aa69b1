"""Graphs that outlive who traced them: the same results, and never for anything else."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from netsurgery import training
from netsurgery.datasets import Samples, Scaling
from netsurgery.networks.network import initialise
from netsurgery.networks.topologies import build, named
from netsurgery.training import graphs

SETTINGS = {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0, "loss": "crossentropy"}


def learner(topology="cnn-small", seed=0, **settings):
    network = initialise(build(named(topology), (8, 8, 1), 10), np.random.default_rng(seed))
    return training.TrainableNetwork(network, SETTINGS | settings)


def samples(n=40, **changed):
    rng = np.random.default_rng(n)
    x = rng.integers(0, 17, (50, 8, 8, 1)).astype(np.uint8)
    y = (x.sum(axis=(1, 2, 3)) % 10).astype(np.int32)
    scaling = Scaling(np.array(0, np.float32), np.array(1 / 16, np.float32))
    return dataclasses.replace(Samples(x, y, np.arange(n, dtype=np.int32), scaling), **changed)


def trained(made, shelf, given=None, batch_size=16, **more):
    """A learner's arrays and scores after two epochs."""
    given = given or samples()
    course = training.TrainingLoop(made, given, samples(20), batch_size, shelf=shelf, **more)
    history = course.run([3, 3], np.random.default_rng(1))
    return [array for layer in made.network.weights for array in layer], history


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """An empty one, in a process that has made nothing yet."""
    monkeypatch.setattr(graphs.GraphCache, "here", {})
    return graphs.GraphCache(tmp_path / "graphs")


def kept(shelf):
    return sorted(path.name for path in shelf.folder.iterdir())


ELSEWHERE = """
import sys
import numpy as np
from netsurgery.training import graphs
from tests.unit.training import test_graphs as t
def never(*_): raise AssertionError("traced once more")
graphs.trace = never
import netsurgery.training.loop as loop
loop.trace = never
arrays, history = t.trained(t.learner(optimizer=sys.argv[2]), graphs.GraphCache(sys.argv[1]))
np.savez(sys.argv[3], *arrays)
print(history)
"""


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_another_process_goes_on_with_a_graph_and_gets_the_same_bits(shelf, tmp_path, optimizer):
    arrays, history = trained(learner(optimizer=optimizer), shelf)
    found = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, shelf.folder, optimizer, tmp_path / "found.npz"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.stdout.strip() == str(history)
    with np.load(tmp_path / "found.npz") as others:
        for mine, other in zip(arrays, others.values(), strict=True):
            np.testing.assert_array_equal(mine, other)


def test_other_weights_and_other_samples_of_the_same_kind_share_a_graph(shelf):
    plain = trained(learner(seed=1), graphs.GraphCache(), samples(40))[1]
    graphs.GraphCache.here.clear()
    trained(learner(seed=0), shelf, samples(40))
    names = kept(shelf)
    assert len(names) == 2  # an epoch, an evaluation
    again = trained(learner(seed=1), shelf, samples(40))[1]
    assert kept(shelf) == names
    assert again == plain


DIFFERENT = {
    "topology": {"made": {"topology": "cnn-medium"}},
    "learning rate": {"made": {"learning_rate": 0.2}},
    "optimizer": {"made": {"optimizer": "rmsprop"}},
    "precision": {"made": {"dtype_policy": "mixed_bfloat16"}},
    "scaling": {"scaling": Scaling(np.array(1, np.float32), np.array(1 / 16, np.float32))},
    "variants": {"variants": 6},
    "type of samples": {"x": np.zeros((50, 8, 8, 1), np.float32)},
    "batch size": {"batch_size": 15},
    "metrics": {"metrics": ["top5_accuracy"]},
    "class weights": {"class_weights": np.linspace(1, 2, 10)},
}
OF_SAMPLES = {field.name for field in dataclasses.fields(Samples)}


@pytest.mark.parametrize("change", DIFFERENT.values(), ids=DIFFERENT)
def test_whatever_else_differs_has_a_graph_of_its_own(shelf, change):
    trained(learner(), shelf)
    before = set(kept(shelf))
    given = samples(**{k: v for k, v in change.items() if k in OF_SAMPLES})
    rest = {k: v for k, v in change.items() if k not in {"made", *OF_SAMPLES}}
    plain = trained(learner(**change.get("made", {})), graphs.GraphCache(), given, **rest)[1]
    graphs.GraphCache.here.clear()
    assert trained(learner(**change.get("made", {})), shelf, given, **rest)[1] == plain
    epochs = [name for name in set(kept(shelf)) - before if name.startswith("epoch")]
    assert len(epochs) == 1


def test_only_the_newest_graphs_are_kept(shelf, monkeypatch):
    monkeypatch.setattr(graphs, "MOST", 4)
    sizes = [10, 11, 12, 13]
    for size in sizes:
        trained(learner(), shelf, batch_size=size)
    assert len(kept(shelf)) == 4


def test_a_folder_that_is_gone_stops_no_training(shelf):
    shelf.folder.parent.joinpath("graphs").write_text("in the way")
    assert len(trained(learner(), shelf)[1]) == 2


def test_a_function_of_something_else_is_not_kept():
    import tensorflow as tf

    stranger = tf.Variable(1.0)
    with pytest.raises(KeyError):
        graphs.trace(lambda x: x + stranger, [tf.TensorSpec([], tf.float32)], [], "stranger")
