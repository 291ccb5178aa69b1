"""What is left of a budget, in epochs or in time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks.topology import Topology
from netsurgery.search.account import Account
from netsurgery.search.speed import Speed
from netsurgery.search.times import seconds_of, text_of
from netsurgery.search.winners import Winners
from tests.support.factories import start, winners

SPEED = Speed(
    {"float32": {"batch": 0.5, "parameters": 1e-4}, "scoring": {"batch": 3.0}}, 2.0, measuring=7.0
)
RECORD = start("ff-small", (8, 8, 1), batches_per_epoch=10, speed=SPEED)
TOPOLOGY = Topology.from_json(RECORD.topology)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("20min", 1200), ("1.5h", 5400), ("0.5s", 0.5)]
)
def test_times_are_read(text, seconds):
    assert seconds_of(text) == seconds == seconds_of(text_of(seconds))


@pytest.mark.parametrize("text", ["20 minutes", "-5min", "20", "", "min", "1e3s", "2d", "3s\n"])
def test_other_texts_are_no_times(text):
    with pytest.raises(ValueError, match=r"is no time such as 90s, 20min or 1\.5h"):
        seconds_of(text)


def test_epochs_count_batches_whatever_they_take():
    account = Account.of(12.55, winners(RECORD, spent=20))
    assert (account.total, account.left) == (125, 105)
    assert account.cost(TOPOLOGY, 7) == account.batches(TOPOLOGY, 7) == 7
    assert account.part(0.29, 100) == 29
    assert account.in_batches([TOPOLOGY]) == (105, 0)


def test_the_first_training_and_the_measurement_are_spent():
    first = Winners.first(RECORD)
    taken = 2 + 100 * (0.5 + 1e-4 * TOPOLOGY.parameters) + 10 * 3
    assert first.seconds_spent == pytest.approx(7 + taken)
    assert Account.of("20min", first).left == pytest.approx(1200 - 7 - taken)
    later = first.followed_by((), [RECORD, RECORD])
    assert later.seconds_spent == pytest.approx(7 + 3 * taken)
    assert later.parents == first.parents
    assert Winners.from_json(later.to_json()) == later


@given(st.floats(0, 1e4), st.integers(1, 50))
def test_no_step_costs_more_than_it_may(seconds, per_epoch):
    account = Account(1e4, 0, per_epoch, SPEED)
    batches = account.batches(TOPOLOGY, seconds)
    if batches:
        assert account.cost(TOPOLOGY, batches) <= seconds * (1 + 1e-9)
        more = batches + 1 + per_epoch  # an epoch more for the rounding of scores
        assert account.cost(TOPOLOGY, more) > seconds
