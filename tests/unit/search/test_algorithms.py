"""The registry of algorithms, and what each says of itself."""

import pytest

from netsurgery.objectives.tasks import TASKS
from netsurgery.search import methods
from netsurgery.search.algorithm import UnsuitableSettingError
from netsurgery.search.algorithms import ALGORITHMS, algorithm_of, planned_by
from netsurgery.search.ectonas.planning import plan_generation
from netsurgery.search.ectonas.plans import GenerationBudget
from netsurgery.search.selection import SelectionMode
from netsurgery.workflow.searches import JOBS
from tests.support.factories import rules, schema, search, start, winners

CONV, DENSE = {"conv_cell": {"channels": 3}}, {"dense": {"units": 10}}


def settings(algorithm, **changed):
    topology = "surgeon-small" if algorithm == "surgeon" else "ff-small"
    return search(algorithm=algorithm, topology=topology, **changed).settings


def test_schema_and_workflow_know_the_registered_algorithms():
    assert ALGORITHMS.keys() == JOBS.keys() == {"arbor", "ectonas", "surgeon", "baseline"}
    assert all(name in schema()["$defs"] for name in ALGORITHMS)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_an_algorithm_is_found_by_its_name(name):
    algorithm = algorithm_of({"algorithm": name})
    assert algorithm.name == name
    assert algorithm.title
    assert algorithm.description


@pytest.mark.parametrize("name", ALGORITHMS)
def test_epoch_settings_are_settings_of_the_algorithm(name):
    known = schema()["$defs"][name]["properties"]
    assert set(ALGORITHMS[name].epoch_settings) <= known.keys()


def test_a_plan_says_which_algorithm_made_it():
    plan = plan_generation(winners(start()), 1, GenerationBudget(), rules(), 0)
    assert planned_by(plan) is ALGORITHMS["ectonas"]


def test_only_a_baseline_does_not_search():
    assert [name for name, each in ALGORITHMS.items() if not each.searches] == ["baseline"]


@pytest.mark.parametrize(
    ("algorithm", "changed", "method"),
    [
        ("ectonas", {}, methods.GREEDY),
        ("ectonas", {"mode": "random"}, methods.RANDOM),
        ("ectonas", {"mode": "balanced", "greediness": 0.5}, "alpha 0.5"),
        ("surgeon", {}, methods.SURGEON),
        ("surgeon", {"mode": "random"}, methods.RANDOM_WALK),
        ("arbor", {}, "Arbor"),
        ("baseline", {}, methods.BASELINE),
    ],
)
def test_methods_have_names(algorithm, changed, method):
    assert ALGORITHMS[algorithm].method(settings(algorithm, **changed)) == method


@pytest.mark.parametrize(
    ("algorithm", "changed", "epochs"),
    [
        ("ectonas", {"warm_up_epochs": 10, "budget": 100}, 10),
        ("ectonas", {"warm_up_epochs": 10, "budget": 4.5}, 4),
        ("surgeon", {"warm_up_epochs": 10, "epochs": 100}, 10),
        ("surgeon", {"warm_up_epochs": 10, "epochs": 7}, 7),
        ("surgeon", {"warm_up_epochs": 10, "epochs": 100, "budget": 3}, 3),
        ("arbor", {"budget": 100, "warm_up_epochs": 4}, 4),
        ("arbor", {"budget": 10, "warm_up_epochs": 4}, 2),
        ("arbor", {"budget": 1}, 1),
        ("baseline", {"epochs": 25}, 25),
    ],
)
def test_the_first_training_is_within_all_limits(algorithm, changed, epochs):
    assert ALGORITHMS[algorithm].initial_epochs(settings(algorithm, **changed)) == epochs


@pytest.mark.parametrize(
    ("algorithm", "changed", "expected"),
    [
        ("ectonas", {"budget": 100}, 100),
        ("ectonas", {"budget": 20}, 30),  # exceeded
        ("surgeon", {"epochs": 60}, 90),  # three epochs over all candidates for each of the best
        ("surgeon", {"epochs": 60, "budget": 70}, 70),
        ("arbor", {"budget": 60}, 60),
        ("baseline", {"epochs": 25}, 25),
    ],
)
def test_expected_epochs_after_thirty_of_them(algorithm, changed, expected):
    found = ALGORITHMS[algorithm].expected_epochs(settings(algorithm, **changed), 30, 20)
    assert found == expected


def test_the_surgeon_selects_by_its_score_ectonas_by_its_mode():
    assert ALGORITHMS["surgeon"].final_mode(settings("surgeon")) is SelectionMode.SURGEON_SCORE
    drawn = settings("ectonas", mode="random")
    assert ALGORITHMS["ectonas"].final_mode(drawn) is SelectionMode.RANDOM


def test_the_surgeon_refuses_convolutions_and_takes_every_task():
    with pytest.raises(UnsuitableSettingError, match="Surgeon") as refused:
        ALGORITHMS["surgeon"].check([CONV, DENSE], "classification")
    assert refused.value.key == "topology"
    ALGORITHMS["ectonas"].check([CONV, DENSE], "classification")
    for task in TASKS:
        ALGORITHMS["surgeon"].check([DENSE], task)
