"""The jobs of a search of the Surgeon, from the plans that its results folder has."""

import pytest

from netsurgery.search.layout import SearchFolder
from netsurgery.search.plans import FinalPlan, Parent
from netsurgery.search.surgeon.plans import RecommendedOffspring, TryPlan, Verdict
from netsurgery.storage.files import write_json
from netsurgery.surgery import Mutation
from netsurgery.surgery.operations import by_name
from tests.support.factories import start, winners
from tests.support.workflow_searches import IncompleteError, make_searches

PARENT = Parent("g00c00", "generation00/warm-up.keras")
SURGEON = {"algorithm": "surgeon", "dataset": "digits", "topology": "surgeon-medium"}


def offspring(candidate):
    return RecommendedOffspring(
        candidate=candidate,
        generation=1,
        parent="g00c00",
        mutation=Mutation(by_name("add_units"), 1),
        parameters=100,
        batches=3,
        recommendation=0.5,
        drawn=False,
    )


def try_plan(attempt, *candidates):
    steps = tuple(f"recuperation/{candidate}" for candidate in candidates)
    return TryPlan(
        generation=1,
        parents=(PARENT,),
        attempt=attempt,
        step_batches=9,
        offspring=tuple(map(offspring, candidates)),
        contenders={f"try{attempt}/slot0": steps},
    )


@pytest.fixture
def folder(tmp_path):
    """Plans of a decision point with two tries, and the final plan after it."""
    folder = SearchFolder(tmp_path / "results" / "s" / "seed0")
    plans = [try_plan(1, "g01c00", "g01c01"), try_plan(2, "g01c02")]
    for plan in plans:
        write_json(folder.try_plan(1, plan.attempt), plan.to_json())
    verdict = Verdict(
        generation=1, attempt=3, accepted=True, reason="better", winners=("try2/slot0",)
    )
    write_json(folder.try_plan(1, 3), verdict.to_json())
    final = FinalPlan(
        generation=2,
        parents=(Parent("g01c02", "generation01/try2/slot0.keras"),),
        remaining_batches=7,
        reason="over",
    )
    write_json(folder.try_plan(2, 1), final.to_json())
    return folder


@pytest.fixture
def jobs(folder):
    results = folder.root.parents[1]
    return make_searches(results, {"s": SURGEON | {"epochs": 30}}).jobs("s", 0)


def inside(jobs, files):
    return [file.removeprefix(f"{jobs.folder.root}/") for file in files]


def test_the_tries_of_a_decision_point_are_one_plan(jobs):
    plan = jobs.generation(1)
    assert [child.candidate for child in plan.offspring] == ["g01c00", "g01c01", "g01c02"]
    assert plan.winners == (("try2/slot0",),)
    assert inside(jobs, jobs.try_files(1)) == [
        f"generation01/try{number}/plan.json" for number in (1, 2, 3)
    ]


def test_a_try_waits_for_its_plan(jobs):
    with pytest.raises(IncompleteError, match="generation03/try1"):
        jobs.generation(3)


def test_an_offspring_is_in_the_plan_of_its_try(jobs):
    plan, file = jobs.plan_with(1, "g01c02")
    assert (plan.attempt, file) == (2, str(jobs.folder.try_plan(1, 2)))
    assert inside(jobs, [jobs.parent_model(1, "g01c02")]) == ["generation00/warm-up.keras"]
    with pytest.raises(LookupError, match="g01c09 is in no try of decision point 1"):
        jobs.plan_with(1, "g01c09")


def test_all_candidates_of_a_try_are_ranked(jobs):
    found = jobs.try_candidates(1, 1)
    assert inside(jobs, found["models"]) == [
        "generation01/recuperation/g01c00.keras",
        "generation01/recuperation/g01c01.keras",
    ]
    assert jobs.try_plan(1, 1).step_batches == 9


def test_branches_are_the_last_winners_that_there_are(jobs):
    assert inside(jobs, jobs.branch_models(1)) == ["generation00/warm-up.keras"]
    assert inside(jobs, jobs.branch_models(2)) == ["generation01/try2/slot0.keras"]


def test_an_analysis_reads_samples_if_the_search_asks_for_them(folder):
    results = folder.root.parents[1]
    plain, asking = (
        make_searches(results, {"s": SURGEON | settings}).jobs("s", 0).analysis_settings
        for settings in ({"missing_values": "count"}, {"tie_break": "bic"})
    )
    assert plain == {}
    assert asking["tie_break"] == "bic"
    assert {"calibration_samples", "growth", "absolute_threshold"} < set(asking)


def test_a_try_is_planned_from_all_earlier_ones(jobs):
    inputs = jobs.try_inputs(1, 2)
    assert inside(jobs, inputs["tries"]) == ["generation01/try1/plan.json"]
    assert inside(jobs, inputs["records"]) == [
        "generation01/recuperation/g01c00.json",
        "generation01/recuperation/g01c01.json",
        "generation01/try1/slot0.json",
    ]
    assert inside(jobs, [inputs["singular_values"]]) == ["generation01/singular_values.json"]


def test_after_the_last_epoch_no_singular_values_are_needed(folder):
    results = folder.root.parents[1]
    settings = {"epochs": 20, "warm_up_epochs": 10, "decision_epochs": 10}
    jobs = make_searches(results, {"s": SURGEON | settings}).jobs("s", 0)
    assert "singular_values" in jobs.try_inputs(1, 1)
    assert "singular_values" not in jobs.try_inputs(2, 1)


def test_decision_reports_are_those_of_decided_points(jobs):
    reports = inside(jobs, jobs.decision_reports())
    assert "generation01/layers.csv" in reports
    assert {report.partition("/")[0] for report in reports} == {"generation01"}


def test_the_final_plan_is_in_the_place_of_a_try(jobs):
    assert inside(jobs, jobs.finalists()) == ["generation01/try2/slot0.keras"]
    assert jobs.remaining_batches() == 7
    assert jobs.later_rounds(1, "recuperation/g01c00") == []
    assert jobs.round_epochs(1) == 0


@pytest.mark.parametrize(
    ("epochs", "budget", "left"), [(30, None, 10), (45, None, 25), (45, 33, 3)]
)
def test_a_final_plan_without_batches_takes_what_is_left(epochs, budget, left, folder):
    final = FinalPlan(generation=2, parents=(), remaining_batches=None, reason="all are tried")
    write_json(folder.try_plan(2, 1), final.to_json())
    record = start("surgeon-small", (8, 8, 1), batches_per_epoch=100)
    for generation, spent in ((0, 1000), (1, 3000)):
        write_json(folder.winners(generation), winners(record, spent=spent).to_json())
    settings = {"epochs": epochs} | ({"budget": budget} if budget else {})
    jobs = make_searches(folder.root.parents[1], {"s": SURGEON | settings}).jobs("s", 0)
    assert jobs.remaining_batches() == left * 100
