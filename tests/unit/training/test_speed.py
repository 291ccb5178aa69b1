"""How long networks take is measured in turns; small samples have nothing to gain from bfloat16."""

import numpy as np
import pytest

from netsurgery.training import onednn, speed
from netsurgery.training.speed import REPETITIONS, can_gain, measure


class Loop:
    """A training whose batches take the same time, except for hiccups at first."""

    def __init__(self, name, turns):
        self.name, self.turns, self.evaluation = name, turns, self
        self.samples = 10

    def seconds(self, batches):
        self.turns.append((self.name, batches))
        slow = 100 if len(self.turns) < 8 else 1
        return slow * batches * {"float32": 3.0, "bfloat16": 2.0}[self.name]

    def sums(self, positions):
        self.scored = positions


def test_precisions_take_turns_and_the_shortest_time_counts():
    turns = []
    found = measure(lambda name: Loop(name, turns), ["float32", "bfloat16"])
    assert found == {"float32": 3, "bfloat16": 2}
    in_turns = [name for name, _ in turns[-2 * REPETITIONS :]]
    assert in_turns == ["float32", "bfloat16"] * REPETITIONS


def test_scoring_is_measured_with_a_part_of_the_samples(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(speed, "clock", lambda: next(clock))
    loop = Loop("float32", [])
    found = measure(lambda name: loop, ["float32"], scored=1000)
    assert found["scoring"] == 1000 / len(loop.scored)
    assert np.array_equal(np.unique(loop.scored), np.arange(loop.samples))


@pytest.mark.parametrize(
    ("shape", "able", "gains"),
    [((32, 32, 3), True, True), ((32, 32, 3), False, False), ((8, 8, 1), True, False)],
)
def test_small_samples_and_other_processors_gain_nothing(shape, able, gains, monkeypatch):
    monkeypatch.setattr(onednn, "has_bfloat16", lambda: able)
    assert can_gain(shape) == gains


def test_gpus_may_gain(monkeypatch):
    monkeypatch.setattr(speed.tf.config, "list_physical_devices", lambda kind: [kind])
    assert can_gain((8, 8, 1))
