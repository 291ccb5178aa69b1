"""The first training of a search decides on the precision of all."""

import pytest

from netsurgery.jobs import precision
from netsurgery.jobs.in_process import InProcessTrainer
from netsurgery.jobs.training_step import TrainingStep
from netsurgery.search.layout import SearchFolder
from netsurgery.search.records import Record
from netsurgery.storage.files import read_json
from netsurgery.training.precision import Measured
from tests.support.factories import prepare_digits, search

SEARCHES = {
    "ectonas": {"topology": "ff-small", "budget": 12, "rounds": 1, "parents": 1},
    "arbor": {"algorithm": "arbor", "topology": "ff-small", "budget": 24},
}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    prepare_digits(folder)
    return folder


def precisions(digits, folder, **settings):
    """The precision of every record of a search, in the order of generations."""
    chosen = search(batch_size=400, warm_up_epochs=1, round_epochs=1, **settings)
    where = SearchFolder(folder / "s" / "seed0")
    trainer = InProcessTrainer(chosen, 0, digits, digits / "split.npz", where)
    chosen.algorithm.search(trainer, chosen.settings, 0)
    paths = sorted(path.with_suffix(".json") for path in where.root.rglob("*.keras"))
    return [Record.from_json(read_json(path)).precision for path in paths]


def measured_once(monkeypatch, found):
    """Let the first measurement find this, and later ones the contrary."""
    left = [found]
    contrary = Measured(found.bfloat16, found.float32)
    monkeypatch.setattr(precision, "can_gain", lambda shape: True)
    monkeypatch.setattr(precision, "measure", lambda loop: left.pop() if left else contrary)


def precisions_of_loops(monkeypatch):
    """A list that will hold the precision of every training."""
    used = []
    loop = TrainingStep.loop

    def seen(step, network, precision):
        used.append(precision)
        return loop(step, network, precision)

    monkeypatch.setattr(TrainingStep, "loop", seen)
    return used


@pytest.mark.parametrize("name", SEARCHES)
def test_all_candidates_keep_the_first_decision(name, digits, tmp_path, monkeypatch):
    measured_once(monkeypatch, Measured(float32=2, bfloat16=1))
    used = precisions_of_loops(monkeypatch)
    found = precisions(digits, tmp_path, precision="auto", **SEARCHES[name])
    assert len(found) > 2
    assert set(found) == set(used) == {"bfloat16"}
