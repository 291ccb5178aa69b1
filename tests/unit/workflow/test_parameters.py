"""Parameters of jobs."""

import inspect
import json

import pytest

from netsurgery.config import job_settings
from netsurgery.workflow.parameters import Parameters, step_of
from tests.support.tracked_search import example
from tests.support.workflow_searches import make_searches, wildcards

NARROW = {"algorithm": "ectonas", "dataset": "digits", "topology": "ff-small"}


@pytest.fixture
def parameters(tmp_path):
    return Parameters(make_searches(tmp_path / "results"))


def test_the_step_of_a_job_is_its_slot_or_its_candidate():
    assert step_of(wildcards(slot="phase2/round1/slot0")) == "phase2/round1/slot0"
    assert step_of(wildcards(candidate="g01c00")) == "recuperation/g01c00"
    assert step_of(wildcards(attempt="1", rank="0")) is None


def test_a_job_gets_the_settings_it_reads_and_no_others(parameters):
    text = parameters.settings(job_settings.INITIAL)(wildcards())
    assert {"learning_rate", "batch_size"} <= set(json.loads(text)) <= set(job_settings.INITIAL)
    assert parameters.settings(job_settings.INITIAL)(wildcards(seed="1")) is text


def test_only_a_split_knows_its_fold(tmp_path):
    searches = {"s": NARROW | {"folds": 2, "seeds": [0]}, "t": NARROW}
    split = Parameters(make_searches(tmp_path, searches)).split_settings
    given = json.loads(split(wildcards(seed="1")))
    assert given.pop("fold") == {"index": 1, "count": 2, "seed": 0}
    known = set(job_settings.SPLIT) - {"numbers"}  # of Arbor
    assert set(given) == known
    assert set(json.loads(split(wildcards(search="t", seed="42")))) == known - {"folds"}


def test_the_first_job_gets_the_limits_that_are_set(tmp_path):
    searches = {"s": NARROW | {"max_parameters": 10_000, "max_model_bytes": 90_000}, "t": NARROW}
    limits = Parameters(make_searches(tmp_path, searches)).limits
    given = json.loads(limits(wildcards(), None))
    assert given == {"max_parameters": 10_000, "max_model_bytes": 90_000}
    assert json.loads(limits(wildcards(search="t"), None)) == {}


def test_seeds_and_the_time_limit_change_no_result(tmp_path):
    texts = {
        Parameters(make_searches(tmp_path, {"s": NARROW | changed})).result_settings(wildcards())
        for changed in ({}, {"seeds": [0, 1]}, {"time_limit": 7})
    }
    assert len(texts) == 1
    assert "budget" in json.loads(texts.pop())


@pytest.mark.parametrize("name", ["folder", "tracking"])
def test_parameters_with_output_are_derived_for_snakemake(parameters, name):
    assert "output" in inspect.signature(getattr(parameters, name)).parameters


def test_jobs_outside_generations_have_no_later_rounds(parameters):
    assert parameters.later_rounds(wildcards()) == []


def test_parameters_of_a_planned_job(tmp_path):
    made = example(tmp_path / "results")
    parameters = Parameters(make_searches(made.results))
    job = wildcards(generation="01", candidate="g01c01")
    assert json.loads(parameters.offspring(job))["candidate"] == "g01c01"
    assert parameters.later_rounds(job) == []
    assert parameters.round_epochs(job) == 1
    match = wildcards(generation="01", slot="phase1/identity/round1/slot0")
    assert parameters.selection_mode(match) == "greedy"
    assert parameters.remaining_batches(wildcards()) == 0
    assert parameters.generation_budget(wildcards(generation="01")) == "full"


def test_a_lost_store_is_a_reason_to_log_again(parameters, tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    missing = parameters.tracking_revision(wildcards())
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "mlflow.db").touch()
    assert parameters.tracking_revision(wildcards()) != missing


def test_runs_of_one_search_share_a_lock(parameters, tmp_path):
    assert parameters.lock_file(wildcards()) == f"{tmp_path}/results/_runs/s/seed0.lock"
