"""A whole search of Arbor, run as a user runs it."""

import csv
import sys

import numpy as np
import pytest
import yaml

from netsurgery.cli.main import main
from netsurgery.search.arbor.plans import FreshPlan, Part, RoundPlan
from netsurgery.search.steps import fresh_step
from netsurgery.storage.dependencies import Dependencies
from netsurgery.storage.files import read_json
from tests.support.in_process import assert_same_training, search_in_one_process
from tests.support.workflow_runs import SUMMARY, run, search_folder

pytestmark = pytest.mark.workflow
QUICK_ARBOR = {
    "algorithm": "arbor",
    "dataset": "digits",
    "topology": "cnn-tiny",
    "budget": 24,
    "warm_up_epochs": 1,
    "search_fraction": 0.25,
    "contest_fraction": 0.16,
    "batch_size": 32,
    "candidates": 2,
    "max_parameters": 9000,
    "augmentation": "shift",
    "seeds": [0],
}


def search(folder, *targets, cores=2, **changed):
    folder.mkdir(exist_ok=True)
    config = folder / "mine.yaml"
    config.write_text(yaml.safe_dump({"searches": {"s": QUICK_ARBOR | changed}}))
    return run(folder, *targets, "--configfile", str(config), cores=cores)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    search(folder)
    return folder


def test_a_search_spends_its_budget_on_a_network_within_limits(finished):
    summary = read_json(search_folder(finished).final / "summary.json")
    assert set(SUMMARY) <= set(summary)
    assert summary["epochs_spent"] == pytest.approx(24, abs=0.05)  # whole batches
    assert 8500 < summary["parameters"] < 9000
    assert summary["test_accuracy"] > 0.8


def test_rounds_precede_a_contest_and_the_final_training(finished):
    *rounds, contest, last = search_folder(finished).generations()
    assert rounds
    assert all(isinstance(plan, RoundPlan) for plan in rounds)
    assert isinstance(contest, FreshPlan)
    assert isinstance(last, FreshPlan)
    assert (contest.part, last.part) == (Part.CONTEST, Part.FINAL)


def test_the_small_network_learns_from_the_final_one(finished):
    folder = search_folder(finished)
    last = folder.generations()[-1]
    final, small = last.networks
    assert (final.teacher, small.teacher) == (None, final.candidate)
    records = [folder.record(last.generation, fresh_step(each.candidate)) for each in last.networks]
    read = Dependencies.read(records[1])
    assert read
    assert records[0] in read.inputs


def test_the_rate_falls_before_networks_are_compared(finished):
    folder = search_folder(finished)
    plan = folder.generations()[0]
    for (before,) in plan.contenders.values():
        trained = read_json(folder.record(1, before))
        assert trained["status"] == "ok"
    winners = folder.read_winners(1)
    assert winners.records[0].step.startswith("cooled/")
    assert "recuperation/" in winners.models[0]


def test_one_process_trains_to_the_same_weights(finished, tmp_path):
    assert_same_training(finished, search_in_one_process(finished, tmp_path, QUICK_ARBOR))


def test_a_finished_search_has_nothing_to_do(finished):
    done = search(finished, "-n")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_picked_networks_take_raw_samples(finished, tmp_path, monkeypatch):
    with (search_folder(finished).root / "front.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sum(row["on_front"] == "True" for row in rows) >= 2
    out = tmp_path / "picked.keras"
    words = ["netsurgery", "pick", str(finished / "results"), "-o", str(out)]
    monkeypatch.setattr(sys, "argv", words)
    main()
    import keras

    images = np.random.default_rng(0).integers(0, 17, (5, 8, 8, 1))
    best = max(rows, key=lambda row: (float(row["val_score"]), -int(row["parameters"])))
    network = keras.models.load_model(search_folder(finished).root / best["model"])
    picked = keras.models.load_model(out)
    np.testing.assert_allclose(picked(images), network(images / 16), rtol=1e-4, atol=1e-6)
