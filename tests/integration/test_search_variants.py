"""Searches that differ in algorithm, mode, task or luck, all run by one workflow.

Starting a workflow takes longer than one of these searches, so they share one.
"""

import subprocess
import sys

import numpy as np
import pytest

from netsurgery.report import html_report
from netsurgery.search.candidates import read_candidate, read_record
from netsurgery.search.layout import SearchFolder
from netsurgery.search.surgeon.decision_point import modification_of
from netsurgery.storage.files import read_json
from tests.support.in_process import assert_same_training, search_in_one_process
from tests.support.workflow_runs import QUICK, QUICK_SURGEON, run

pytestmark = pytest.mark.workflow
TABLE = {"source": "csv", "path": "houses.csv", "target": "price", "task": "regression"}
PLAIN = {key: QUICK[key] for key in ("dataset", "topology", "seeds")}
SEARCHES = {
    "balanced": QUICK
    | {"mode": "balanced", "budget": 14, "objective": "val_loss"}
    | {"schedule": {"cosine": {"final": 0.1}}, "momentum": 0.9, "weight_decay": 0.001},
    "random": QUICK | {"mode": "random", "budget": 14, "objective": "val_loss"},
    "baseline": PLAIN | {"algorithm": "baseline", "epochs": 3},
    "diverging": QUICK | {"learning_rate": 1e30, "budget": 14},
    "regression": QUICK | {"dataset": "houses", "budget": 14},
    "tight": QUICK_SURGEON | {"budget": 8},
    # on samples of a regression
    "samples": QUICK_SURGEON
    | {"dataset": "houses", "layer_score": "activations", "tie_break": "bic"}
    | {"calibration_samples": 50, "max_redraws": 0},
    "walk": QUICK_SURGEON | {"mode": "random", "schedule": "one_cycle", "augmentation": "shift"},
    # with a learning rate that ruins every network, no try succeeds
    "backtracking": QUICK_SURGEON
    | {"on_no_improvement": "backtrack", "max_redraws": 0, "learning_rate": 3.0}
    | {"selection": "top", "top_k": 2},
}


def houses(path):
    """A table of 200 houses whose price follows from size and place; gives the prices."""
    rng = np.random.default_rng(0)
    size, place = rng.uniform(40, 200, 200).round(1), rng.integers(0, 2, 200)
    price = 1000 * size + 50_000 * place
    rows = (f"{s},{('town', 'coast')[p]},{c}" for s, p, c in zip(size, place, price, strict=True))
    path.write_text("\n".join(["size,place,price", *rows]))
    return price


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """The folder of a workflow that has run all searches, and how it ended: one of them fails."""
    folder = tmp_path_factory.mktemp("variants")
    houses(folder / "houses.csv")
    top = {"datasets": {"houses": TABLE}, "searches": SEARCHES}
    finals = [f"results/{name}/seed0/final" for name in SEARCHES]
    targets = [
        *(f"{final}/summary.json" for final in finals),
        "results/regression/seed0/final/model.keras",
    ]
    return folder, run(folder, *targets, check=False, top=top)


@pytest.fixture(scope="module")
def finished(ended):
    """The folder of the workflow."""
    return ended[0]


@pytest.fixture(scope="module")
def folder_of(finished):
    """A function from a search's name to its folder."""
    return lambda name: SearchFolder(
        finished / "results" / name / f"seed{SEARCHES[name]['seeds'][0]}"
    )


@pytest.fixture(scope="module")
def summary_of(folder_of):
    """A function from a search's name to its summary."""
    return lambda name: read_json(folder_of(name).final / "summary.json")


def test_a_search_with_a_recipe_is_the_same_in_one_process(folder_of, tmp_path):
    theirs = folder_of("balanced")
    assert_same_training(theirs, search_in_one_process(theirs, tmp_path, SEARCHES["balanced"]))


def test_the_rate_follows_the_schedule_over_a_search(folder_of):
    """The rate of the last batch is in the file of a network."""

    def rate(model):
        return float(read_candidate(model, read_record(model)).state[1])

    folder, peak = folder_of("balanced"), 0.1
    models = sorted(folder.root.glob("generation01/**/*.keras"))
    within = {rate(model) for model in models}
    warm_up, last = rate(folder.model(0, "warm-up")), rate(folder.final / "network.keras")
    assert len(within) == 1  # all candidates of a generation compete at the same rate
    assert peak > warm_up > within.pop() > last > peak / 10


@pytest.mark.parametrize("mode", ["balanced", "random"])
def test_other_modes_run_to_the_end(mode, summary_of):
    summary = summary_of(mode)
    assert summary["mode"] == mode
    assert summary["epochs_spent"] <= 14
    assert summary["generations"] >= 1
    assert summary["test_score"] == summary["test_loss"]


def test_a_baseline_has_the_same_summary(summary_of):
    summary = summary_of("baseline")
    assert set(summary) == set(summary_of("balanced"))
    assert summary["algorithm"] == "baseline"
    assert summary["epochs_spent"] == summary["epochs_trained"] == 3
    assert summary["start_parameters"] == summary["parameters"] == 760


def test_searches_without_a_usable_network_fail_and_others_go_on(ended, folder_of):
    folder, done = ended
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "results/diverging/seed0: training diverged: loss is not finite after epoch 1" in said
    # its learning rate is so high that nothing improves
    assert "results/backtracking/seed0: the final network predicts the same for each of" in said
    assert "Traceback" not in said
    left = {name for name in SEARCHES if not (folder_of(name).final / "summary.json").exists()}
    assert left == {"diverging", "backtracking"}
    assert not list((folder / "results/diverging").rglob("*.keras"))


LOAD_TABLE = """
import json, sys
import keras, numpy as np, pandas as pd
frame = pd.read_csv("houses.csv")
model = keras.models.load_model(sys.argv[1])
predicted = model({name: frame[name].to_numpy() for name in ("size", "place")})
print(json.dumps(float(np.abs(np.ravel(predicted) - frame["price"]).mean())))
"""


def test_a_regression_is_scored_by_its_loss(folder_of, summary_of):
    summary = summary_of("regression")
    assert (summary["objective"], summary["test_accuracy"]) == ("val_loss", None)
    assert summary["test_score"] == summary["test_loss"] == summary["test_metrics"]["loss"]
    assert summary["test_metrics"]["r2"] > 0.8
    record = read_json(folder_of("regression").record(0, "warm-up"))
    assert summary["val_score"] < record["history"][0]["val_loss"]


def test_the_model_of_a_table_takes_raw_rows(folder_of, tmp_path):
    final, price = folder_of("regression").final, houses(tmp_path / "houses.csv")
    alone = [sys.executable, "-I", "-c", LOAD_TABLE, str(final / "model.keras")]
    done = subprocess.run(alone, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert float(done.stdout.splitlines()[-1]) < 0.5 * price.std()
    assert read_json(final / "preprocessing.json")["columns"][1]["levels"] == ["coast", "town"]


def test_the_surgeon_never_exceeds_its_budget(summary_of):
    summary = summary_of("tight")
    assert summary["budget"] == 8
    assert summary["epochs_spent"] <= 8
    assert summary["epochs_trained"] == 6 or summary["epochs_spent"] == 8


def test_an_analysis_of_samples_is_the_same_in_one_process(folder_of, tmp_path):
    theirs = folder_of("samples")
    top = {"datasets": {"houses": TABLE}}
    houses(tmp_path / "houses.csv")
    mine = search_in_one_process(theirs, tmp_path, SEARCHES["samples"], top)
    assert_same_training(theirs, mine)
    layers = read_json(theirs.singular_values(1))["g00c00"]
    assert all(layer["components"] for layer in layers[:-1])
    assert "identity" in layers[-1]["bic"]
    assert "r2" in read_json(theirs.final / "summary.json")["objective"]


def test_a_random_walk_has_one_operation_per_decision(summary_of):
    summary = summary_of("walk")
    assert summary["generations"] == 2
    assert summary["candidates"] == 3
    assert summary["epochs_spent"] == summary["epochs_trained"] == 6


def test_backtracking_returns_to_the_earlier_branches(folder_of):
    folder = folder_of("backtracking")
    plans = folder.generations()
    rejected = [plan for plan in plans if not plan.accepted]
    for plan in rejected:
        after = read_json(folder.winners(plan.generation))["parents"]
        assert [p["record"]["candidate"] for p in after] == [p.candidate for p in plan.parents]
    tried = [modification_of(child) for plan in plans for child in plan.offspring]
    assert len(tried) == len(set(tried))


def test_the_report_shows_every_variant(finished):
    html_report.write_report(finished / "results", finished / "report.html")
    page = (finished / "report.html").read_text()
    assert all(f"{name}" in page for name in SEARCHES)
