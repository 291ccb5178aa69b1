"""Time and memory of operations."""

import numpy as np
import pytest

from netsurgery.networks import topologies
from netsurgery.reproduction.studies import timing


def test_cost_has_cpu_time_and_peak_memory():
    held = []
    spent = timing.measure_cost(lambda: held.append(np.ones(10**6)))
    assert spent["peak"] == pytest.approx(8e6, rel=0.01)
    assert 0 < spent["processor"] < 1


def test_timed_networks_have_the_stated_size():
    for (millions, _), shape in timing.NETWORKS.items():
        hidden = [{"conv_cell": {"channels": c}} for c in shape[0]]
        hidden += [{"dense": {"units": u}} for u in shape[1]]
        parameters = topologies.build(hidden, shape[2], 10).parameters
        assert parameters == pytest.approx(1e6 * millions, rel=0.03)
