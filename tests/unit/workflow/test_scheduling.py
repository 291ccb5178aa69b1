"""Priorities and resources of jobs."""

import pytest

from netsurgery.search.arbor.plans import FreshPlan, Part
from netsurgery.search.plans import FreshNetwork
from netsurgery.search.steps import fresh_step
from netsurgery.workflow.arbor_jobs import ArborJobs
from netsurgery.workflow.parameters import Parameters
from netsurgery.workflow.scheduling import Scheduling, per_attempt
from tests.support.tracked_search import example
from tests.support.workflow_searches import make_searches, plan_first_generation, wildcards

TWO = {
    name: {
        "algorithm": "ectonas",
        "dataset": "digits",
        "topology": "ff-small",
        "seeds": [0],
        "time_limit": 50,
    }
    for name in ("s", "t")
}


def scheduling(results, given=None, cores=2, **top):
    searches = make_searches(results, given, **top)
    return Scheduling(searches, Parameters(searches), cores)


def test_a_retry_gets_more_of_a_resource():
    assert [per_attempt(2000)(wildcards(), attempt) for attempt in (1, 2, 3)] == [2000, 4000, 6000]


def test_every_job_of_an_earlier_search_goes_first(tmp_path):
    scheduled = scheduling(tmp_path, TWO)
    plan = plan_first_generation(scheduled.searches)
    match = next(iter(plan.contenders))
    born = plan.contenders[match][0].removeprefix("recuperation/")
    steps = [
        wildcards("s", generation="01", candidate=born),
        wildcards("s", generation="01", slot=match),
        wildcards("s", generation="05", slot=match),  # not planned
    ]
    priorities = [scheduled.priority(step) for step in steps]
    assert priorities == sorted(priorities, reverse=True)
    assert len(set(priorities)) == 3
    assert scheduled.priority(wildcards("s")) == 0
    assert scheduled.priority(wildcards("t")) < priorities[-1]


def test_resources_of_a_training_job_are_those_of_its_rounds(tmp_path):
    made = example(tmp_path / "results")
    scheduled = scheduling(made.results, TWO, use_gpu=1)
    resources = scheduled.training_resources(minutes=60)
    job = wildcards(generation="01", candidate="g01c00")
    assert resources["runtime"](job, attempt=2) == 120
    assert scheduled.time_limit(job, output=[]) == 50
    assert resources["gpu"] == 1
    scheduled.parameters.later_rounds = lambda _: ["a", "b"]
    assert resources["runtime"](job, attempt=1) == 180
    assert scheduled.time_limit(job, output=[]) == 150


@pytest.mark.parametrize(
    ("parts", "cores", "seeds", "threads"),
    [
        (2, 1, 1, 1),
        ("auto", 2, 1, 2),
        (2, 2, 1, 2),
        (2, 16, 1, 2),
        (4, 3, 1, 3),
        (2, None, 5, 2),  # a cluster
        (2, 2, 2, 1),  # the other seed trains beside it
        (2, 4, 2, 2),
        (1, 16, 1, 1),
        (1, None, 1, 1),
    ],
)
def test_a_lone_training_has_a_core_per_part(tmp_path, parts, cores, seeds, threads):
    given = {"s": TWO["s"] | {"batch_parts": parts, "seeds": list(range(seeds))}}
    assert scheduling(tmp_path, given, cores).threads(wildcards()) == threads


@pytest.mark.parametrize(
    ("costs", "teacher", "beside"),
    [
        ([1.0, 0.1], None, [1, 2]),
        ([1.0, 1.0, 1.0], None, [3, 3, 3]),
        ([1.0, 0.1, 0.3], None, [1, 3, 2]),
        ([1.0, 0.1], "g04c00", [1, 1]),
        ([1.0, 0.1, 0.3], "g04c00", [1, 2, 1]),
    ],
)
def test_a_small_network_leaves_larger_ones_beside_it_their_cores(
    costs, teacher, beside, monkeypatch
):
    networks = tuple(
        FreshNetwork(
            *(f"g04c0{number}", 4, None, "template", {}, 100, "float32", cost),
            teacher=teacher if number else None,
        )
        for number, cost in enumerate(costs)
    )
    plan = FreshPlan(
        generation=4,
        parents=(),
        offspring=(),
        contenders={},
        winners=(),
        part=Part.FINAL,
        networks=networks,
    )
    monkeypatch.setattr(ArborJobs, "fresh_plan", lambda _, generation: plan)
    jobs = ArborJobs.__new__(ArborJobs)
    assert [jobs.trained_beside(4, fresh_step(each.candidate)) for each in networks] == beside
