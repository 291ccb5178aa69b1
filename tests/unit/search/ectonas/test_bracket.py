"""Knockout brackets, as plain arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.search.ectonas.bracket import group, knockout
from netsurgery.search.steps import Step, recuperation_step


def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize(
    ("competitors", "winners", "round_", "sizes"),
    [
        (1, 1, 1, [1]),
        (2, 1, 1, [2]),
        (3, 1, 1, [2, 1]),  # a lucky ticket
        (9, 1, 1, [3, 2, 2, 2]),  # four groups: one is left over and makes three
        (10, 1, 1, [3, 3, 2, 2]),
        (9, 2, 1, [2, 2, 2, 2, 1]),
        (5, 2, 2, [2, 2, 1]),
        (3, 2, 3, [2, 1]),
        (4, 3, 1, [2, 1, 1]),
        (2, 2, 1, [1, 1]),  # no more competitors than winners: each is its own group
    ],
)
def test_group_sizes(competitors, winners, round_, sizes):
    groups = group(competitors, winners, round_, 3, rng())
    assert [len(members) for members in groups] == sizes
    assert sorted(i for members in groups for i in members) == list(range(competitors))


def test_competitors_are_shuffled_by_the_generator_alone():
    drawn = [group(8, 1, 1, 3, np.random.default_rng(seed)) for seed in range(20)]
    assert len({str(groups) for groups in drawn}) > 1
    assert drawn[7] == group(8, 1, 1, 3, np.random.default_rng(7))


@given(st.integers(1, 60), st.integers(1, 4), st.integers(0, 1000))
def test_every_slot_follows_its_contenders(n, winners, seed):
    entrants = [(recuperation_step(f"g01c{i:02d}"),) for i in range(n)]
    bracket = knockout(entrants, winners, 3, "phase1/x", np.random.default_rng(seed))
    assert len(bracket.winners) == min(n, winners)
    known = {name for contenders in entrants for name in contenders}
    fed: list[str] = []
    for slot, contenders in bracket.slots.items():  # rounds in order
        assert set(contenders) <= known
        fed += contenders
        known.add(slot)
    fed += [name for contenders in bracket.winners for name in contenders]
    assert sorted(fed) == sorted(known)  # everyone competes exactly once, and the last ones win


@pytest.mark.parametrize(("competitors", "jobs"), [(1, 3), (2, 4), (3, 6)])
def test_training_jobs_of_a_phase_1_bracket(competitors, jobs):
    entrants = [(f"recuperation/{i}",) for i in range(competitors)]
    assert len(knockout(entrants, 1, 3, "p", rng()).slots) == jobs


@given(st.integers(1, 40), st.integers(1, 4), st.integers(1, 20), st.integers(0, 1000))
def test_contenders_train_earlier_than_their_slot(n, winners, rounds, seed):
    entrants = [(recuperation_step(f"g01c{i:02d}"),) for i in range(n)]
    generator = np.random.default_rng(seed)
    first = knockout(entrants, winners, rounds, "phase1/add_units", generator)
    second = knockout(first.winners, winners, rounds, "phase2", generator)
    for slot, contenders in (first.slots | second.slots).items():
        later = Step.parse(slot).order
        assert all(Step.parse(each).order < later for each in contenders)


def test_slots_are_named_by_their_files():
    bracket = knockout([("a",), ("b",)], 1, 3, "phase1/add_units", rng())
    assert list(bracket.slots) == [
        "phase1/add_units/round1/slot0",
        "phase1/add_units/round1/slot1",
        "phase1/add_units/round2/slot0",
        "phase1/add_units/round3/slot0",
    ]
    assert bracket.winners == (("phase1/add_units/round3/slot0",),)
