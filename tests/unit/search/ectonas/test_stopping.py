"""Early stopping by the rule of the mode."""

from __future__ import annotations

import pytest

from netsurgery.jobs.ectonas import generation_budget
from netsurgery.search.ectonas.budget import allow_generation
from netsurgery.search.ectonas.planning import plan_generation
from netsurgery.search.ectonas.plans import GenerationBudget
from netsurgery.search.ectonas.settings import EctonasSettings, SelectionSettings
from netsurgery.search.ectonas.stopping import generations_without_progress, reason_to_stop
from netsurgery.search.layout import SearchFolder
from netsurgery.search.plans import FinalPlan
from netsurgery.search.records import Status
from netsurgery.storage.files import write_json
from netsurgery.storage.settings import from_settings
from tests.support.factories import search, start, winners

STALE = "generations in a row without progress: {}"


def settings(mode="greedy", **given) -> EctonasSettings:
    given = {"algorithm": "ectonas", "topology": "ff-small", "mode": mode} | given
    return from_settings(EctonasSettings, search(**given).settings)


def selection(mode="greedy", **given) -> SelectionSettings:
    return settings(mode, **given).selection


def parents(*pairs):
    """The best parent of each generation, with its score and its number of parameters."""
    return [
        [start(candidate=f"g{i:02}c00", score=score, parameters=size)]
        for i, (score, size) in enumerate(pairs)
    ]


@pytest.mark.parametrize(
    ("pairs", "count"),
    [
        ([(0.5, 100)], 0),
        ([(0.5, 100), (0.6, 100), (0.7, 300)], 0),
        ([(0.5, 100), (0.6, 100), (0.6, 50), (0.59, 100)], 2),  # equal is no progress, nor is less
        ([(0.5, 100), (0.4, 100), (0.6, 100)], 0),
    ],
)
def test_greedy_search_makes_progress_by_score(pairs, count):
    assert generations_without_progress(parents(*pairs), selection()) == count


@pytest.mark.parametrize(
    ("pairs", "alpha", "count"),
    [
        # worse on purpose: half the size for a tenth of the score
        ([(0.5, 1000), (0.45, 500), (0.42, 250), (0.4, 125)], 0.5, 0),
        # a score that gains less than the size grows
        ([(0.5, 1000), (0.51, 1500), (0.52, 2000)], 0.5, 2),
        # size alone
        ([(0.5, 1000), (0.1, 999), (0.1, 998)], 0, 0),
        ([(0.5, 1000), (0.9, 1000), (0.95, 1000)], 0, 2),
        # back and forth between two networks is progress once
        ([(0.5, 1000), (0.45, 500), (0.5, 1000), (0.45, 500)], 0.5, 2),
    ],
)
def test_balanced_search_makes_progress_by_what_it_selects(pairs, alpha, count):
    chosen = selection("balanced", greediness=alpha)
    assert generations_without_progress(parents(*pairs), chosen) == count


def test_losses_make_progress_by_falling():
    chosen = selection(objective="val_loss")
    assert generations_without_progress(parents((0.5, 10), (0.4, 10), (0.45, 10)), chosen) == 1


def test_random_mode_and_failed_starts_do_not_stop():
    stale = parents((0.5, 10), (0.4, 10), (0.3, 10))
    assert reason_to_stop(stale, selection(), {"patience": 2}) == STALE.format(2)
    assert reason_to_stop(stale, selection(), {"patience": 3}) is None
    assert reason_to_stop(stale, selection(), {}) is None
    assert reason_to_stop(stale, selection("random"), {"patience": 1}) is None
    failed = [[start(status=Status.DIVERGED, score=None)]] * 3
    assert reason_to_stop(failed, selection(), {"patience": 1}) is None


def test_a_search_that_stops_ends_with_its_parents(tmp_path):
    given = settings(early_stopping={"patience": 1})
    known = [winners(*each) for each in parents((0.5, 100), (0.5, 100))]
    allowed = allow_generation(known, given, 0)
    assert GenerationBudget.parse(str(allowed)) == allowed
    plan = plan_generation(known[-1], 2, allowed, given.generation, 0)
    assert isinstance(plan, FinalPlan)
    assert [parent.candidate for parent in plan.parents] == ["g01c00"]
    assert (plan.remaining_batches, plan.reason) == (0, STALE.format(1))
    assert allow_generation(known, settings(), 0) == GenerationBudget()
    # the job reads the same from the files of all generations
    folder = SearchFolder(tmp_path)
    for number, each in enumerate(known):
        write_json(folder.winners(number), each.to_json())
    values = {"early_stopping": {"patience": 1}, "algorithm": "ectonas", "topology": "ff-small"}
    assert generation_budget(folder, 2, dict(search(**values).settings), 0) == allowed
