"""The first training measures the machine; what depends on its speed follows from the figures."""

import pytest

from netsurgery.jobs import speed as measured
from netsurgery.jobs import train
from netsurgery.jobs.in_process import InProcessTrainer
from netsurgery.jobs.speed import probes
from netsurgery.jobs.training_step import TrainingStep
from netsurgery.networks import topologies
from netsurgery.networks.topology import Topology
from netsurgery.search.layout import SearchFolder
from netsurgery.search.records import Record
from netsurgery.search.size_limit import NO_LIMITS, SizeLimits
from netsurgery.search.speed import GAIN, Speed
from netsurgery.storage.files import read_json
from tests.support.factories import prepare_digits, search

SEARCHES = {
    "ectonas": {"budget": 25, "rounds": 1, "parents": 1, "warm_up_epochs": 1, "round_epochs": 1},
    "arbor": {
        "algorithm": "arbor",
        "budget": 12,
        "search_fraction": 0.6,
        "warm_up_epochs": 1,
        "round_epochs": 1,
    },
}
BASELINE = {"algorithm": "baseline", "epochs": 1}
START = topologies.build(topologies.named("ff-small"), (64,), 10).parameters


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    prepare_digits(folder)
    return folder


def records(digits, folder, **settings):
    """All records of a search."""
    chosen = search(batch_size=400, topology="ff-small", **settings)
    where = SearchFolder(folder / "s" / "seed0")
    trainer = InProcessTrainer(chosen, 0, digits, digits / "split.npz", where)
    chosen.algorithm.search(trainer, chosen.settings, 0)
    paths = sorted(path.with_suffix(".json") for path in where.root.rglob("*.keras"))
    return [Record.from_json(read_json(path)) for path in paths]


def precisions_of_loops(monkeypatch):
    """A list that will hold the parameters of every network that trains, with its precision."""
    used = []
    loop = TrainingStep.loop

    def seen(step, network, precision):
        used.append((network.topology.parameters, precision))
        return loop(step, network, precision)

    monkeypatch.setattr(TrainingStep, "loop", seen)
    return used


@pytest.mark.parametrize("name", SEARCHES)
def test_each_network_trains_in_what_the_figures_say(name, digits, tmp_path, monkeypatch):
    # bfloat16 pays for networks that are larger than the initial one
    figures = {"float32": {"parameters": GAIN}, "bfloat16": {"batch": START + 0.5}}
    speed = Speed(figures | {"scoring": {}})
    monkeypatch.setattr(train, "speed_of_machine", lambda *_, **__: speed)
    used = precisions_of_loops(monkeypatch)
    found = records(digits, tmp_path, precision="auto", **SEARCHES[name])
    expected = {True: "bfloat16", False: "float32"}
    assert {record.precision for record in found} == set(expected.values())
    for record in found:
        assert record.precision == expected[record.parameters > START]
        assert record.precision == speed.precision(Topology.from_json(record.topology))
    assert all(precision == expected[count > START] for count, precision in used)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "auto"])
def test_nothing_is_measured_that_nothing_depends_on(precision, digits, tmp_path, monkeypatch):
    """A search in one precision, or of samples too small to gain."""
    monkeypatch.setattr(measured, "measure", None)
    first, *_ = records(digits, tmp_path, precision=precision, **BASELINE)
    assert first.speed is None
    assert first.precision == {"auto": "float32"}.get(precision, precision)


def test_the_record_keeps_what_was_measured(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "can_gain", lambda shape: True)
    monkeypatch.setattr(measured, "FACTORS", (1,))
    first, *_ = records(digits, tmp_path, precision="auto", **BASELINE)
    assert first.speed is not None
    assert first.speed.figures.keys() == {"float32", "bfloat16", "scoring"}
    assert 0 < first.speed.start < first.speed.measuring


@pytest.mark.parametrize("limits", [NO_LIMITS, SizeLimits(max_parameters=20_000)])
@pytest.mark.parametrize(
    ("name", "shape"),
    [("cnn-tiny", (32, 32, 3)), ("cnn1d-small", (128, 9)), ("ff-small", (50,))],
)
def test_the_measured_networks_are_within_the_limits(name, shape, limits):
    start = topologies.build(topologies.named(name), shape, 10)
    found = list(probes(start, limits))
    assert found[0] == start
    assert len(set(found)) == len(found) >= 4
    if limits.max_parameters:
        sizes = [each.parameters for each in found]
        assert 0.8 * limits.max_parameters < max(sizes) < limits.max_parameters


@pytest.mark.parametrize(
    ("budget", "epochs"), [({"epochs": "1s"}, 8), ({"epochs": "0.5s", "schedule": "cosine"}, 3)]
)
def test_a_time_is_turned_into_epochs(budget, epochs, digits, tmp_path, monkeypatch):
    """Each epoch has 4 batches."""
    speed = Speed({"float32": {"batch": 0.02}, "scoring": {"batch": 0.02}}, 0.1, measuring=0.05)
    monkeypatch.setattr(train, "speed_of_machine", lambda *_, **__: speed)
    _, first = records(digits, tmp_path, algorithm="baseline", **budget)
    assert first.batches_spent == 4 * epochs == 4 * len(first.history)
    assert first.seconds_spent(speed) + 0.05 <= float(budget["epochs"][:-1])
    if "schedule" in budget:
        rates = [entry["learning_rate"] for entry in first.history]
        assert rates == sorted(rates, reverse=True)
        assert rates[-1] < 0.1 * rates[0]  # the schedule ends with the training


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_takes_the_time_it_may(name, digits, tmp_path, monkeypatch):
    speed = Speed({"float32": {"batch": 0.02}, "scoring": {"batch": 0.02}}, 0.1, measuring=0.05)
    monkeypatch.setattr(train, "speed_of_machine", lambda *_, **__: speed)
    found = records(digits, tmp_path, **(SEARCHES[name] | {"budget": "5s"}))
    seconds = sum(record.seconds_spent(speed) for record in found)
    assert 4 < seconds <= 5
