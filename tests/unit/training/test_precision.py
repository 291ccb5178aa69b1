"""Bfloat16 is chosen where it is measured to be enough faster."""

import pytest

from netsurgery.training import onednn, precision
from netsurgery.training.precision import REPETITIONS, Measured, can_gain, measure


@pytest.mark.parametrize(
    ("float32", "bfloat16", "faster"),
    [(2.0, 1.0, "bfloat16"), (1.11, 1.0, "bfloat16"), (1.05, 1.0, "float32"), (1, 2, "float32")],
)
def test_bfloat16_must_bring_a_tenth(float32, bfloat16, faster):
    assert Measured(float32, bfloat16).faster == faster


def test_precisions_are_measured_in_turns_and_the_shortest_time_counts():
    turns = []

    class Loop:
        def __init__(self, name):
            self.name = name

        def seconds(self, batches):
            turns.append(self.name)
            slow = 100 if turns.count(self.name) < 4 else 1
            return batches * slow * (3 if self.name == "float32" else 2)

    assert measure(Loop) == Measured(3, 2)
    assert turns == ["float32", "bfloat16"] * (REPETITIONS + 1)


@pytest.mark.parametrize(
    ("shape", "able", "gains"),
    [((32, 32, 3), True, True), ((32, 32, 3), False, False), ((8, 8, 1), True, False)],
)
def test_small_samples_and_other_processors_gain_nothing(shape, able, gains, monkeypatch):
    monkeypatch.setattr(onednn, "has_bfloat16", lambda: able)
    assert can_gain(shape) == gains


def test_gpus_may_gain(monkeypatch):
    monkeypatch.setattr(precision.tf.config, "list_physical_devices", lambda kind: [kind])
    assert can_gain((8, 8, 1))
