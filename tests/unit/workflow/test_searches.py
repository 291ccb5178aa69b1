"""From a rule's wildcards to the search that a job belongs to."""

import pytest

from netsurgery.workflow.baseline_jobs import BaselineJobs
from netsurgery.workflow.ectonas_jobs import EctonasJobs
from tests.support.workflow_searches import make_searches, wildcards

BASELINE = {"algorithm": "baseline", "dataset": "digits", "topology": "ff-small", "epochs": 1}
ECTONAS = {"algorithm": "ectonas", "dataset": "digits", "topology": "ff-small"}


@pytest.fixture
def searches(tmp_path):
    return make_searches(tmp_path, {"b": BASELINE, "e": ECTONAS})


def test_a_job_belongs_to_the_search_and_seed_of_its_wildcards(searches, tmp_path):
    jobs = searches.of(wildcards("e", "3"))
    assert isinstance(jobs, EctonasJobs)
    assert (jobs.search.name, jobs.seed) == ("e", 3)
    assert jobs.folder.root == tmp_path / "e" / "seed3"


def test_files_are_checked_before_any_is_named(tmp_path):
    checked = []
    searches = make_searches(tmp_path, before_files=lambda: checked.append(True))
    assert not checked
    searches.jobs("s", 0)
    assert checked


def test_searches_are_found_by_their_algorithm(searches):
    assert searches.of_algorithm("ectonas") == ["e"]
    assert searches.of_algorithm("surgeon") == []


def test_a_baseline_plans_nothing(searches):
    jobs = searches.of(wildcards("b"))
    assert isinstance(jobs, BaselineJobs)
    assert list(jobs.plans()) == []
    assert jobs.final_plan() is None
    assert jobs.final_plan_file() == []
    assert jobs.remaining_batches() == 0
    assert jobs.finalists() == [str(jobs.folder.model(0, "warm-up"))]
    assert jobs.tracked_generations([]) == []
    assert len(jobs.decision_files()) == 2
    with pytest.raises(LookupError):
        jobs.plan(1)
    with pytest.raises(LookupError):
        jobs.plan_with(1, "g01c00")
