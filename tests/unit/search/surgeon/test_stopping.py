"""Early stopping of the Surgeon."""

import pytest

from netsurgery.networks import topologies
from netsurgery.search.surgeon.stopping import (
    points_without_improvement,
    reason_to_stop,
    reversals,
    similar,
    state_of,
)


def test_a_state_is_the_hidden_layers_units():
    built = topologies.build(topologies.named("surgeon-large"), (32, 32, 3), 10, "linear")
    assert state_of(built) == (300, 100, 100)


@pytest.mark.parametrize(
    ("best", "points"),
    [([0.5], 0), ([0.5, 0.6], 0), ([0.5, 0.6, 0.6], 1), ([0.5, 0.7, 0.6, 0.65], 2)],
)
def test_decision_points_without_improvement(best, points):
    assert points_without_improvement(best) == points


def test_states_are_similar_up_to_the_smallest_addition():
    assert similar((10, 10), (12, 9))
    assert not similar((10, 10), (13, 10))
    assert similar((300,), (330,))
    assert not similar((300,), (331,))
    assert not similar((10,), (10, 10))


@pytest.mark.parametrize(
    ("states", "count"),
    [
        ([(10,)] * 5, 0),  # it stays
        ([(10,), (12,), (14,), (16,), (18,)], 0),  # it grows
        ([(10,), (10, 10), (10,)], 1),
        ([(10,), (10, 10), (10,), (10, 10), (11,)], 3),
        ([(10,), (10, 10), (10,), (10,), (10, 10)], 2),  # to stay ends no row
        ([(10,), (10, 10), (10,), (30,)], 0),  # something new does
    ],
)
def test_returns_to_states_seen_before(states, count):
    assert reversals(states) == count


def test_a_search_stops_for_either_reason():
    best = [0.5, 0.6, 0.6, 0.6]
    states = [(10,), (10, 10), (10,), (10, 10)]
    assert reason_to_stop(best, states, {}) is None
    assert reason_to_stop(best, states, {"patience": 3, "max_reversals": 3}) is None
    assert reason_to_stop(best, states, {"patience": 2}) == "no improvement for 2 decision points"
    reason = reason_to_stop(best, states, {"patience": 3, "max_reversals": 2})
    assert reason == "returned to an earlier state 2 times in a row"
