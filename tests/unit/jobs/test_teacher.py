"""A network with fresh weights learns from its teacher, unless the teacher failed."""

from pathlib import Path

import pytest

from netsurgery.jobs import train
from netsurgery.jobs.training_step import TrainingStep
from netsurgery.networks import topologies
from netsurgery.search.candidates import read_record
from netsurgery.search.plans import FreshNetwork
from netsurgery.search.records import Status
from tests.support.factories import prepare_digits, search

TEACHER, PUPIL = "g01c00", "g01c01"


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    prepare_digits(folder)
    return folder


def fresh(candidate: str) -> FreshNetwork:
    """A small network that trains for 40 batches."""
    layers = [{"dense": {"units": 8}}]
    topology = topologies.build(layers, (8, 8, 1), 10, "softmax").to_json()
    return FreshNetwork(candidate, 1, None, "template", topology, 40, "float32")


def trained(data: Path, model: Path, candidate: str, teacher=None, failure=None, **changed):
    """The record of a network after its training, which may fail."""
    settings = dict(search(topology="ff-small", algorithm="baseline", **changed).settings)
    name = f"fresh/{candidate}"
    step = TrainingStep(data, data / "split.npz", 0, settings, model, name, failure)
    train.train_fresh(step, fresh(candidate), teacher)
    return read_record(model)


@pytest.fixture(scope="module")
def alone(digits, tmp_path_factory):
    """The scores of a network without a teacher."""
    return trained(digits, tmp_path_factory.mktemp("alone") / "m.keras", PUPIL).history


def test_a_network_learns_from_its_teacher(digits, alone, tmp_path):
    teacher = tmp_path / "teacher.keras"
    assert trained(digits, teacher, TEACHER).status == Status.OK
    taught = trained(digits, tmp_path / "pupil.keras", PUPIL, teacher)
    assert taught.status == Status.OK
    assert taught.history != alone


def test_it_learns_from_the_labels_if_its_teacher_diverged(digits, alone, tmp_path):
    teacher = tmp_path / "teacher.keras"
    assert trained(digits, teacher, TEACHER, learning_rate=1e30).status == Status.DIVERGED
    taught = trained(digits, tmp_path / "pupil.keras", PUPIL, teacher)
    assert (taught.status, taught.history) == (Status.OK, alone)


@pytest.mark.parametrize("failure", [Status.OUT_OF_MEMORY, Status.TIMED_OUT, Status.CRASHED])
def test_it_learns_from_the_labels_if_its_teacher_has_no_model(failure, digits, alone, tmp_path):
    teacher = tmp_path / "teacher.keras"
    assert trained(digits, teacher, TEACHER, failure=failure).status == failure
    taught = trained(digits, tmp_path / "pupil.keras", PUPIL, teacher)
    assert (taught.status, taught.history) == (Status.OK, alone)
