"""The sign of the samples reaches the surgery of a search."""

import numpy as np
import pytest

from netsurgery import datasets
from netsurgery.jobs import train
from netsurgery.jobs.raw_model import raw_model_description
from netsurgery.jobs.training_step import TrainingStep
from netsurgery.networks.topology import Topology
from netsurgery.search.candidates import read_record
from netsurgery.search.plans import Offspring
from netsurgery.storage.settings import from_settings
from netsurgery.surgery import Mutation, operations
from netsurgery.surgery.settings import SurgerySettings
from tests.support.factories import search


@pytest.mark.parametrize(
    ("dtype", "non_negative", "activation"),
    [("uint8", True, "relu"), ("float32", False, "linear")],
)
def test_a_cell_at_the_input_suits_the_samples(dtype, non_negative, activation, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 255, (60, 8, 8, 1)).astype(dtype)
    np.savez(tmp_path / "x.npz", x_train=x, y_train=np.arange(60) % 3)
    datasets.prepare("d", {"source": "npz", "path": str(tmp_path / "x.npz")}, tmp_path)
    datasets.write_split(tmp_path, tmp_path / "split.npz", datasets.SplitSettings(0.1, 0.1), 0)
    settings = dict(search(topology="cnn-small").settings)

    def step(name):
        output = tmp_path / f"{name}.keras"
        return TrainingStep(tmp_path, tmp_path / "split.npz", 0, settings, output, name)

    first = step("warm-up")
    train.train_initial_network(first, [{"conv": {"channels": 2}}], "softmax", 1)
    surgery = from_settings(SurgerySettings, settings)
    cell = Mutation(operations.ADD_CONV_CELL, 0, pooling="average")
    offspring = Offspring("g01c00", 1, "g00c00", cell, parameters=1, batches=1)
    born = step("recuperation")
    train.train_offspring(born, first.output, offspring, surgery, {})
    child = Topology.from_json(read_record(born.output).topology)
    assert child.non_negative_input == non_negative
    assert str(child.layers[3]) == activation
    described = raw_model_description(tmp_path, first.split, first.training_settings)
    assert described["non_negative_inputs"] == non_negative
