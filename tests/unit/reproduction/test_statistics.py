"""Means, and paired differences with their intervals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.reproduction.statistics import mean_and_sd, paired_difference

NUMBERS = st.floats(-1e6, 1e6)


def test_a_mean_counts_missing_values():
    found = mean_and_sd([1.0, None, 3.0])
    assert (found.mean, found.count, found.requested, found.count_text) == (2, 2, 3, "2 of 3")
    assert found.deviation == pytest.approx(math.sqrt(2))
    assert math.isnan(mean_and_sd([None]).mean)
    assert math.isnan(mean_and_sd([1.0]).deviation)


def test_the_interval_of_differences_is_students_t():
    # differences 1, 2, 3: mean 2, standard error 1/sqrt(3), t(0.975, 2) = 4.302653
    found = paired_difference(
        {"a": 2.0, "b": 4.0, "c": 6.0, "d": 1.0}, {"a": 1.0, "b": 2.0, "c": 3.0, "e": 0}
    )
    assert (found.mean, found.pairs) == (2, 3)
    assert found.low == pytest.approx(2 - 4.302653 / math.sqrt(3), abs=1e-5)
    assert found.high == pytest.approx(2 + 4.302653 / math.sqrt(3), abs=1e-5)


@given(st.dictionaries(st.integers(0, 9), NUMBERS, min_size=2), NUMBERS)
def test_a_constant_difference_has_no_interval(values, shift):
    found = paired_difference({k: v + shift for k, v in values.items()}, values)
    assert found.mean == pytest.approx(shift, abs=1e-3)
    assert found.high - found.low <= 1e-2


def test_pairs_need_both_sides():
    assert paired_difference({1: None, 2: 3.0}, {1: 2.0, 2: None}).pairs == 0
    assert math.isnan(paired_difference({1: 5.0}, {1: 2.0}).low)
