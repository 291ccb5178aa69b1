"""A timer sums wall time by phase."""

import pytest

from netsurgery.storage import timer
from netsurgery.storage.timer import Timer


def test_seconds_add_up_by_phase_despite_an_error(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(timer.time, "perf_counter", lambda: now[0])
    measured = Timer()

    def spend(phase, seconds):
        with measured(phase):
            now[0] += seconds

    spend("build", 1)
    spend("training", 2)
    with pytest.raises(TypeError):
        spend("training", None)
    spend("training", 3)
    now[0] += 4
    assert measured.seconds == {"build": 1, "training": 5}
    assert measured.elapsed == 10
