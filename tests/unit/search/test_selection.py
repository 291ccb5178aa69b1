"""Selection: who wins a match in each mode."""

import numpy as np
import pytest

from netsurgery.search.selection import Comparison, SelectionMode, select_contender, select_winner
from netsurgery.storage.random_streams import random_stream
from tests.support.factories import history, start


def child(score, parameters=100, **fields):
    known = {"parent_score": 0.8, "parent_parameters": 100, "history": history(score or 0.0)}
    return start(score=score, parameters=parameters, **(known | fields))


def pick(records, mode="greedy", greediness=1.0, metric="val_accuracy", seed=0):
    rng = np.random.default_rng(seed)
    comparison = Comparison(metric, greediness, score_window=3)
    return select_winner(records, SelectionMode(mode), comparison, rng)


def test_greedy_takes_the_best_score_whatever_the_size():
    assert pick([child(0.8, 10), child(0.9, 10_000), child(0.85, 10)]) == 1


def test_a_falling_metric_is_better_low():
    assert pick([child(0.8), child(0.2), child(0.5)], metric="val_loss") == 1


def test_balanced_mode_prefers_small_networks():
    records = [child(0.9, 200), child(0.88, 50)]
    assert pick(records, "balanced", 0.5) == 1
    assert pick(records, "greedy", 0.5) == 0


def test_equal_scores_go_by_lower_validation_loss():
    tied = [
        child(0.9, history=history(0.9, loss=0.5)),
        child(0.9, history=history(0.9, loss=0.3)),
    ]
    assert pick(tied) == 1
    assert pick(tied[::-1]) == 0


@pytest.mark.parametrize("status", ["diverged", "degenerate"])
@pytest.mark.parametrize("mode", ["greedy", "balanced", "random"])
def test_failed_candidates_lose(status, mode):
    failed = child(0.99, status=status)
    for seed in range(10):
        assert pick([failed, child(0.1), failed], mode, 0.5, seed=seed) == 1


def test_a_match_of_failed_candidates_has_a_winner():
    failed = child(None, status="diverged")
    assert pick([failed, failed]) == 0
    assert pick([failed, failed], "random") in (0, 1)


def test_random_mode_depends_on_its_generator_alone():
    records = [child(0.1), child(0.9), child(0.5)]
    drawn = [pick(records, "random", seed=seed) for seed in range(50)]
    assert set(drawn) == {0, 1, 2}
    assert drawn == [pick(records, "random", seed=seed) for seed in range(50)]


def test_contenders_are_drawn_by_seed_step_and_names():
    records = [child(0.1, candidate=f"g01c0{i}") for i in range(3)]
    comparison = Comparison("val_accuracy", 1.0, 3)
    for seed in range(10):
        drawn = select_contender(records, SelectionMode.RANDOM, comparison, seed, "final")
        rng = random_stream(seed, "winner", "final", "g01c00", "g01c01", "g01c02")
        assert drawn == rng.choice(3)
