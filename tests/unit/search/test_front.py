"""The networks that no smaller one beats."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.search.front import front_table, on_front
from netsurgery.search.records import Status
from tests.support.factories import start

POINTS = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=9)


def records(points):
    return [
        start(candidate=f"g01c{i:02d}", parameters=size, score=score / 10)
        for i, (size, score) in enumerate(points)
    ]


@given(POINTS, st.sampled_from(["val_accuracy", "val_loss"]))
def test_the_front_is_what_nothing_as_small_beats(points, metric):
    sign = -1 if metric == "val_loss" else 1
    listed = records(points)
    best = on_front(listed, metric)
    for one in listed:
        rivals = [each for each in listed if each.parameters <= one.parameters]
        beaten = any(
            (sign * each.score, -each.parameters) > (sign * one.score, -one.parameters)
            for each in rivals
        )
        if one.candidate in best:
            assert not beaten
        elif not beaten:  # an equal one is there instead
            equals = [
                each.candidate
                for each in rivals
                if (each.score, each.parameters) == (one.score, one.parameters)
            ]
            assert best & set(equals)


def test_a_candidate_has_its_last_network_in_the_table():
    early = start(candidate="g01c00", score=0.5)
    late, failed = replace(early, score=0.7), replace(early, candidate="g01c01")
    models = {"a": early, "b": late, "c": replace(failed, status=Status.DIVERGED, score=None)}
    (row,) = front_table(models, "val_accuracy")
    assert (row["model"], row["val_score"], row["on_front"]) == ("b", 0.7, True)


@pytest.mark.parametrize("metric", ["val_accuracy", "val_loss"])
def test_the_table_lists_the_smallest_first(metric):
    sizes = [30, 10, 20]
    models = {str(i): each for i, each in enumerate(records([(size, 1) for size in sizes]))}
    assert [row["parameters"] for row in front_table(models, metric)] == [10, 20, 30]
