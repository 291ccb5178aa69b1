"""Loading: defaults, and the configurations that are shipped."""

import yaml

from netsurgery.config import loading
from tests.support.factories import ROOT, SCHEMA
from tests.unit.config.examples import BASE, load, load_surgeon


def test_defaults_of_ectonas_are_those_of_the_paper():
    settings = load().searches["s"].settings
    expected = {
        "mode": "greedy",
        "greediness": 1.0,
        "budget": 1000,
        "budget_mode": "strict",
        "warm_up_epochs": 10,
        "round_epochs": 5,
        "rounds": 3,
        "parents": 2,
        "score_window": 3,
        "units_change_fraction": 0.1,
        "min_units_change": 2,
        "channels_change": 3,
        "max_growth": 3.0,
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "batch_size": 32,
        "precision": "float32",
        "validation_fraction": 0.1,
        "test_fraction": 0.1,
        "objective": "val_accuracy",
        "pooling": "average",
    }
    assert settings.items() >= expected.items()
    assert settings["recuperation"] == {
        "identity": 0.1,
        "add_channels": 0.1,
        "add_dense": 0.1,
        "add_units": 0.1,
        "add_conv_cell": 0.25,
        "remove_channels": 1.0,
        "remove_conv_cell": 1.0,
        "remove_dense": 1.0,
        "remove_units": 1.0,
    }
    baseline = loading.load({"searches": {"b": BASE | {"algorithm": "baseline"}}}, SCHEMA).searches[
        "b"
    ]
    assert baseline.settings["epochs"] == baseline.first_epochs == 200


def test_one_recuperation_leaves_the_others_at_defaults():
    settings = load(recuperation={"identity": 0.5}).searches["s"].settings
    assert settings["recuperation"]["identity"] == 0.5
    assert settings["recuperation"]["add_conv_cell"] == 0.25


def test_defaults_of_the_surgeon_are_those_of_the_paper():
    expected = {
        "learning_rate": 0.005,
        "batch_size": 16,
        "optimizer": "sgd",
        "epochs": 100,
        "warm_up_epochs": 10,
        "decision_epochs": 10,
        "branches": 2,
        "max_redraws": 2,
        "recuperation_batches": 25,
        "recuperation_factors": {
            "identity": 1,
            "add_units": 1,
            "truncate": 1,
            "add_dense": 10,
            "remove_units": 10,
            "remove_dense": 10,
        },
        "relative_threshold": 0.005,
        "absolute_threshold": 0.3,
        "selection": "by_type",
        "add_random_candidate": True,
        "early_stopping": {},
    }
    search = load_surgeon().searches["s"]
    assert search.settings.items() >= expected.items()
    assert search.first_epochs == 10
    assert load_surgeon(epochs=4).searches["s"].first_epochs == 4


def test_the_default_configuration_is_valid():
    shipped = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    found = loading.load(shipped, SCHEMA)
    searches = {s.algorithm.name: s for s in found.searches.values()}
    assert set(searches) == {"arbor", "baseline"}
    assert all(search.settings["dataset"] == "digits" for search in searches.values())


def test_experiments_of_the_surgeon_are_those_of_the_paper():
    shipped = yaml.safe_load((ROOT / "config" / "papers" / "surgeon.yaml").read_text())
    found = loading.load(shipped, SCHEMA).searches.values()
    for search in found:
        assert set(search.seeds) > {6, 63, 72, 77, 97}  # the paper runs each of these three times
        assert len(set(search.seeds)) == 15
    paper = [search for search in found if "iclr" not in search.name]
    assert len(paper) == 2 * 7 * 3  # EMNIST in two versions
    for search in found:
        settings = search.settings
        assert (settings["learning_rate"], settings["batch_size"], settings["epochs"]) == (
            0.005,
            16,
            100,
        )
        assert search.output_activation == "linear"
