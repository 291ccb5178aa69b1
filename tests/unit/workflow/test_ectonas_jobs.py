"""The jobs of a search of ECToNAS, from the plans that its results folder has."""

import pytest

from netsurgery.search.ectonas.priorities import HIGHEST
from netsurgery.search.plans import FinalPlan
from netsurgery.storage.files import read_json
from tests.support.tracked_search import example
from tests.support.workflow_searches import IncompleteError, make_searches, plan_first_generation


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished search: two generations, of three and two offspring."""
    return example(tmp_path_factory.mktemp("made") / "results")


@pytest.fixture(scope="module")
def jobs(made):
    return make_searches(made.results).jobs("s", 0)


def inside(made, files):
    """Paths relative to the folder of the search."""
    return [file.removeprefix(f"{made.folder.root}/") for file in files]


def test_plans_end_with_the_final_one(jobs):
    assert [plan.generation for plan in jobs.plans()] == [1, 2, 3]
    assert isinstance(jobs.final_plan(), FinalPlan)


def test_plans_wait_for_one_that_is_missing(made):
    copy = made.copied("waiting")
    copy.folder.plan(2).unlink()
    found = make_searches(copy.results).jobs("s", 0).plans()
    assert next(found).generation == 1
    with pytest.raises(IncompleteError, match="generation02"):
        next(found)


def test_decision_files_are_all_there_and_in_order(made, jobs):
    files = inside(made, jobs.decision_files())
    assert files[:3] == [
        "generation00/warm-up.json",
        "generation00/winners.json",
        "generation01/plan.json",
    ]
    assert files[-1] == "generation03/plan.json"
    assert len(files) == len(set(files)) == 2 + (1 + 6 + 1) + (1 + 4 + 1) + 1
    assert all((made.folder.root / file).exists() for file in files)
    assert jobs.decision_reports() == []


def test_an_offspring_is_in_the_plan_of_its_generation(made, jobs):
    plan, file = jobs.plan_with(2, "g02c01")
    assert (plan.generation, file) == (2, str(made.folder.plan(2)))
    assert jobs.offspring(2, "g02c01").candidate == "g02c01"


def test_contenders_are_models_and_records_of_the_feeding_steps(made, jobs):
    step = "phase1/identity/round1/slot0"
    found = jobs.contenders(1, step)
    assert inside(made, found["models"]) == ["generation01/recuperation/g01c00.keras"]
    assert inside(made, found["records"]) == ["generation01/recuperation/g01c00.json"]
    assert jobs.selection_mode(1, step) == jobs.search.settings["mode"]


def test_a_generation_outputs_all_records_and_last_models(made, jobs):
    outputs = jobs.generation_outputs(2)
    assert len(outputs["records"]) == 4
    assert inside(made, outputs["models"]) == [
        "generation02/phase1/identity/round1/slot0.keras",
        "generation02/phase1/add_dense/round1/slot1.keras",
    ]


def test_the_step_with_most_work_behind_it_goes_first(tmp_path):
    searches = make_searches(tmp_path)
    plan, jobs = plan_first_generation(searches), searches.jobs("s", 0)
    priority = {step: jobs.step_priority(1, step) for step in plan.steps}
    assert max(priority.values()) == HIGHEST
    assert all(each > 0 for each in priority.values())
    for step, contenders in plan.contenders.items():
        assert all(priority[each] > priority[step] for each in contenders)


def test_a_step_covers_its_byes(tmp_path):
    searches = make_searches(tmp_path)
    plan, jobs = plan_first_generation(searches), searches.jobs("s", 0)
    later = {step: jobs.later_rounds(1, step) for step in plan.steps}
    assert any(later.values())
    for step, rounds in later.items():
        assert plan.rounds_of(step) == (step, *rounds)
    assert jobs.round_epochs(1) == jobs.search.settings["round_epochs"]


def test_a_step_of_an_unplanned_generation_goes_last(jobs):
    assert jobs.step_priority(9, "phase1/identity/round1/slot0") == 0


def test_generations_are_logged_one_after_the_other(made, jobs):
    assert inside(made, jobs.generation_log_inputs(0)) == [
        "generation00/warm-up.json",
        "generation00/winners.json",
    ]
    files = inside(made, jobs.generation_log_inputs(2))
    assert files[:2] == ["generation01/tracked.json", "generation02/plan.json"]
    assert files[-1] == "generation02/winners.json"
    assert len(files) == 2 + 4 + 1


def test_the_final_plan_names_finalists_and_batches(made, jobs):
    assert jobs.finalists() == []  # the made plan has no parents
    assert jobs.remaining_batches() == 0
    assert inside(made, jobs.final_plan_file()) == ["generation03/plan.json"]


def test_a_generous_budget_is_no_part_of_a_generation(jobs):
    assert jobs.generation_budget(1) == "full"


def test_a_nearly_spent_budget_is_part_of_a_generation(made):
    spent = read_json(made.folder.winners(1))["batches_spent"] / 10
    given = {"algorithm": "ectonas", "dataset": "digits", "topology": "ff-small"}
    searches = make_searches(made.results, {"s": given | {"budget": spent + 1}})
    assert searches.jobs("s", 0).generation_budget(2) == "10"
