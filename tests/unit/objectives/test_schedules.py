"""Learning rates are functions of the position in training and of its length alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.objectives.schedules import SCHEDULES, rates, read_schedule, without_defaults
from netsurgery.objectives.step_rates import Along, Ramp, from_json, rates_of_step, to_json

SETTINGS = (
    *SCHEDULES,
    {"cosine": {"warm_up": 0.1, "final": 0.01}},
    {"one_cycle": {"warm_up": 0.5}},
    {"warmup_stable_decay": {"warm_up": 0, "decay": 1}},
    {"steps": {"at": [0.3], "factor": 0.5}},
)


def of(setting, position, count, total, peak=0.1):
    return rates(read_schedule(setting), peak, position, count, total)


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@given(total=st.integers(1, 300), data=st.data())
def test_pieces_of_training_have_the_rates_of_the_whole(setting, total, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, total), max_size=4)))
    pieces = [of(setting, a, b - a, total) for a, b in zip([0, *cuts], [*cuts, total], strict=True)]
    whole = of(setting, 0, total, total)
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    assert ((whole > 0) & (whole <= np.float32(0.1))).all()


@pytest.mark.parametrize(
    ("setting", "shares", "factors"),
    [
        ("constant", [0, 0.5, 1], [1, 1, 1]),
        ("cosine", [0, 0.5, 1], [1, 0.5, 0]),
        ({"cosine": {"warm_up": 0.2, "final": 0.1}}, [0.1, 0.2, 0.6, 1], [0.5, 1, 0.55, 0.1]),
        ("one_cycle", [0, 0.125, 0.25, 0.625, 1], [0, 0.5, 1, 0.5, 0]),
        ("warmup_stable_decay", [0.025, 0.05, 0.7, 0.85, 1], [0.5, 1, 1, 0.5, 0]),
        ("steps", [0.49, 0.5, 0.74, 0.75, 1], [1, 0.1, 0.1, 0.01, 0.01]),
    ],
    ids=str,
)
def test_a_schedule_has_its_shape(setting, shares, factors):
    found = read_schedule(setting).factors(np.array(shares, float))
    np.testing.assert_allclose(found, factors, atol=1e-12)


def test_the_rate_stays_as_it_was_after_the_end():
    late = of({"cosine": {"final": 0.1}}, 200, 3, total=100)
    np.testing.assert_allclose(late, 0.01, rtol=1e-6)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("cosin", "unknown schedule 'cosin'; did you mean cosine?"),
        ({"cosine": {"warmup": 0.1}}, "cosine has no argument 'warmup'"),
        ({"cosine": {"final": 2}}, "final of cosine is 2; it must be 0 to 1"),
        ({"cosine": {"final": "1e-2"}}, "final of cosine is '1e-2'; it must be a number"),
        ({"warmup_stable_decay": {"warm_up": 0.8}}, "are 0.8 and 0.3; at most 1 together"),
        ({"steps": {"at": [0.5, 0.2]}}, "at of steps is [0.5, 0.2]; it must rise between 0 and 1"),
        ({"steps": {"at": ["half"]}}, "at of steps is ['half']; it must be a list of numbers"),
    ],
    ids=str,
)
def test_an_invalid_schedule_is_named(setting, message):
    with pytest.raises(ValueError, match=r".") as error:
        read_schedule(setting)
    assert message in str(error.value)


def test_arguments_as_by_default_are_left_out():
    assert without_defaults({"one_cycle": {"warm_up": 0.25, "final": 0}}) == "one_cycle"
    assert without_defaults({"steps": {"at": [0.5, 0.75]}}) == "steps"
    assert without_defaults({"steps": {"at": [0.5]}}) == {"steps": {"at": [0.5]}}


def test_a_step_can_have_rates_of_its_own():
    rates = rates_of_step(Ramp(0.2, 0.0), read_schedule("constant"), 9.0, 77, 4, 10)
    np.testing.assert_allclose(rates, [0.175, 0.125, 0.075, 0.025])
    cosine = Ramp(0.2, 0.1, "cosine").of_step(1001)
    np.testing.assert_allclose(cosine[[0, 500, 1000]], [0.2, 0.15, 0.1], atol=1e-5)


def test_a_step_can_begin_elsewhere_in_the_schedule():
    schedule = read_schedule("cosine")
    whole = rates(schedule, 0.1, 0, 20, 20)

    def piece(step):
        return rates_of_step(step, schedule, 0.1, 4, 5, 10)

    np.testing.assert_array_equal(piece(Along(2)), whole[4:9])
    np.testing.assert_array_equal(piece(Along(2, start=12)), whole[12:17])
    np.testing.assert_array_equal(piece(Along(2, start=12, hold=True)), whole[[12] * 5])
    np.testing.assert_array_equal(piece(None), np.full(5, 0.1, np.float32))


@pytest.mark.parametrize("step", [None, Ramp(0.1, 0.2, "cosine"), Along(3.5), Along(3, 7, True)])
def test_rates_of_a_step_are_plain_values_in_a_command(step):
    assert from_json(to_json(step)) == step
