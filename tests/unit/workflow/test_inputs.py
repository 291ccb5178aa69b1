"""Inputs of jobs."""

import pytest

from netsurgery.workflow.inputs import Inputs, no_files
from tests.support.tracked_search import example
from tests.support.workflow_searches import make_searches, wildcards


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return example(tmp_path_factory.mktemp("made") / "results")


@pytest.fixture
def inputs(made):
    return Inputs(make_searches(made.results))


def test_samples_are_the_prepared_dataset_and_the_split(inputs, made):
    samples = inputs.samples(wildcards())
    assert samples["x"] == f"{made.results}/_data/digits/x.npy"
    assert samples["split"] == str(made.folder.root / "split.npz")
    assert samples.keys() == {"data", "x", "y", "split"}
    assert inputs.prepared_data(wildcards()).keys() == {"data", "x", "y"}


@pytest.mark.parametrize("data_is_made", [False, True])
def test_data_files_are_inputs_where_other_rules_make_them(tmp_path, data_is_made):
    (tmp_path / "x.npz").touch()
    top = {"datasets": {"mine": {"source": "npz", "path": str(tmp_path / "x.npz")}}}
    inputs = Inputs(make_searches(tmp_path / "results", **top), data_is_made=data_is_made)
    expected = [str(tmp_path / "x.npz")] if data_is_made else []
    assert inputs.dataset_files(wildcards(dataset="mine")) == expected


def test_inputs_of_a_planned_generation(inputs, made):
    job = wildcards(generation="02")
    assert inputs.previous_winners(job) == str(made.folder.winners(1))
    assert len(inputs.generation_records(job)) == 4
    assert inputs.generation_log_inputs(job)[-1] == str(made.folder.winners(2))
    child = wildcards(generation="02", candidate="g02c00")
    assert inputs.plan_of_candidate(child) == str(made.folder.plan(2))
    match = wildcards(generation="02", slot="phase1/identity/round1/slot0")
    assert len(inputs.contenders(match)["models"]) == 1


def test_inputs_of_the_end_of_a_search(inputs, made):
    assert inputs.final_plan(wildcards()) == [str(made.folder.plan(3))]
    assert inputs.decision_files(wildcards())[-1] == str(made.folder.plan(3))
    assert len(inputs.tracked_generations(wildcards())) == 3


def test_the_last_input_function_waits_for_no_plan():
    assert no_files(wildcards()) == []
