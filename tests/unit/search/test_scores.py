"""Scores of candidates (ECToNAS eq. 2)."""

import math

import pytest

from netsurgery.search import scores
from tests.support.factories import history, start


def child(score, parameters=100, **fields):
    known = {"parent_score": 0.8, "parent_parameters": 100, "history": history(score or 0.0)}
    return start(score=score, parameters=parameters, **(known | fields))


def test_a_score_is_the_mean_of_the_last_three_epochs():
    record = start(history=history(0.1, 0.5, 0.6, 0.7))
    assert scores.windowed_mean(record, "val_accuracy", 3) == pytest.approx(0.6)
    fresh = start(history=history(0.4, 0.6))
    assert scores.windowed_mean(fresh, "val_accuracy", 3) == pytest.approx(0.5)
    assert scores.windowed_mean(start(history=()), "val_accuracy", 3) is None


@pytest.mark.parametrize(
    ("metric", "score", "expected"),
    [("val_accuracy", 0.9, 0.5 * 0.125 - 0.5 * 0.5), ("val_loss", 0.6, 0.5 * 0.25 - 0.5 * 0.5)],
)
def test_fitness_weighs_relative_gain_against_growth(metric, score, expected):
    record = child(score, parameters=150)
    assert scores.ectonas_fitness(record, metric, 0.5) == pytest.approx(expected)


def test_fitness_of_a_failed_candidate_is_below_all():
    assert scores.ectonas_fitness(child(None, status="diverged"), "val_accuracy", 0.5) == -math.inf


@pytest.mark.parametrize(
    ("accuracy", "gain", "fraction", "expected"),
    [
        (0.6023, 0.0274, 0.9977, 0.9812),
        (0.6016, 0.0268, 1.0000, 0.9795),
        (0.5829, 0.0081, 0.9997, 0.9539),
        (0.5773, 0.0025, 1.0030, 0.9450),
        (0.5678, -0.0070, 2.6544, 0.6377),
    ],
)
def test_surgeon_scores_of_the_papers_table_1(accuracy, gain, fraction, expected):
    record = child(
        accuracy,
        parent_score=accuracy - gain,
        parent_parameters=10_000,
        parameters=round(fraction * 10_000),
    )
    # the table's own figures are rounded to four places
    assert scores.surgeon_score(record) == pytest.approx(expected, abs=1e-4)


def test_size_may_count_less_in_the_surgeons_score():
    larger = child(0.61, parent_score=0.6, parent_parameters=1000, parameters=2000)
    same = child(0.6, parent_score=0.6, parent_parameters=1000, parameters=1000)
    assert scores.rank_by_surgeon_score([larger, same], 1) == [1, 0]
    assert scores.rank_by_surgeon_score([larger, same], 1, size_weight=0) == [0, 1]
    for weight in (0, 0.5, 1, 3):
        expected = 0.61 + math.exp(0.01) / math.exp(2 * weight)
        assert scores.surgeon_score(larger, weight) == pytest.approx(expected)


def test_a_poor_start_of_a_regression_has_a_score():
    found = scores.surgeon_score(child(0.5, parent_score=-1e9, parent_parameters=9, parameters=9))
    assert found == pytest.approx(0.5 + math.exp(1) / math.exp(1))


def test_the_two_best_of_table_1_rank_first():
    rows = [
        (0.5678, -0.0070, 26544),
        (0.6016, 0.0268, 10000),
        (0.5773, 0.0025, 10030),
        (0.6023, 0.0274, 9977),
    ]
    records = [
        child(a, parent_score=a - gain, parent_parameters=10_000, parameters=size)
        for a, gain, size in rows
    ]
    assert scores.rank_by_surgeon_score(records, 1)[:2] == [3, 1]


def test_failed_candidates_rank_last():
    failed = child(0.9, status="diverged")
    assert scores.rank_by_surgeon_score([failed, child(0.1)], 1) == [1, 0]
