"""Scores and winners (ECToNAS eq. 2)."""

import math

import numpy as np
import pytest

from netsurgery.search import scores
from tests.support.factories import history, start


def child(score, parameters=100, **fields):
    known = {"parent_score": 0.8, "parent_parameters": 100, "history": history(score or 0.0)}
    return start(score=score, parameters=parameters, **(known | fields))


def pick(records, mode="greedy", greediness=1.0, metric="val_accuracy", seed=0):
    rng = np.random.default_rng(seed)
    return scores.winner(records, metric, mode, greediness, 3, rng)


def test_score_is_the_mean_of_the_last_three_epochs_since_surgery():
    record = start(history=history(0.1, 0.5, 0.6, 0.7))
    assert scores.windowed_mean(record, "val_accuracy", 3) == pytest.approx(0.6)
    fresh = start(history=history(0.4, 0.6))
    assert scores.windowed_mean(fresh, "val_accuracy", 3) == pytest.approx(0.5)
    assert scores.windowed_mean(start(history=()), "val_accuracy", 3) is None


def test_greedy_takes_the_best_score_whatever_the_size():
    assert pick([child(0.8, 10), child(0.9, 10_000), child(0.85, 10)]) == 1


def test_a_falling_metric_is_better_low():
    assert pick([child(0.8), child(0.2), child(0.5)], metric="val_loss") == 1


@pytest.mark.parametrize(
    ("metric", "score", "expected"),
    [("val_accuracy", 0.9, 0.5 * 0.125 - 0.5 * 0.5), ("val_loss", 0.6, 0.5 * 0.25 - 0.5 * 0.5)],
)
def test_balanced_fitness_weighs_relative_gain_against_relative_growth(metric, score, expected):
    record = child(score, parameters=150)
    assert scores.ectonas_fitness(record, metric, 0.5) == pytest.approx(expected)


def test_balanced_mode_prefers_the_small_at_a_small_loss_and_greedy_does_not():
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
def test_the_fallen_lose(status, mode):
    fallen = child(0.99, status=status)
    for seed in range(10):
        assert pick([fallen, child(0.1), fallen], mode, 0.5, seed=seed) == 1


def test_a_group_of_the_fallen_still_has_a_winner():
    fallen = child(None, status="diverged")
    assert pick([fallen, fallen]) == 0
    assert pick([fallen, fallen], "random") in (0, 1)


def test_random_mode_draws_every_one_and_only_from_its_generator():
    records = [child(0.1), child(0.9), child(0.5)]
    drawn = [pick(records, "random", seed=seed) for seed in range(50)]
    assert set(drawn) == {0, 1, 2}
    assert drawn == [pick(records, "random", seed=seed) for seed in range(50)]


def test_fitness_of_the_fallen_is_below_all():
    assert scores.ectonas_fitness(child(None, status="diverged"), "val_accuracy", 0.5) == -math.inf
