"""Measured latencies."""

import pytest

from netsurgery.training import latency


@pytest.mark.parametrize(
    ("durations", "expected"),
    [
        ([9.0, 1.0, 3.0, 2.0], 2.0),  # a slow network: as few calls as possible, the first no part
        ([9.0, *[0.0005] * 6], 0.0005),  # until the time is used up
        ([9.0, *[1e-6] * 30], 1e-6),  # a fast one: no more calls than useful
        ([0.0, 0.0123456, 0.0123456, 0.0123456], 0.0123),
    ],
)
def test_the_median_of_a_bounded_number_of_calls(durations, expected, monkeypatch):
    now, left = [0.0], iter(durations)
    monkeypatch.setattr(latency, "BUDGET", 0.003)
    monkeypatch.setattr(latency.time, "perf_counter", lambda: now[0])

    def predict():
        now[0] += next(left)

    assert latency.median_seconds(predict) == pytest.approx(expected)
    assert list(left) == []
