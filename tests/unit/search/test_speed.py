"""Figures of a machine: what they predict, and how they are fitted to times."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from netsurgery.networks import topologies
from netsurgery.networks.work import KINDS, PER_SAMPLE, work_of
from netsurgery.search.speed import Speed, precision_for
from netsurgery.search.speed_fit import REFERENCE, Timing, fit
from tests.support.random_networks import branched, varied

BATCH = 64


def networks(count, seed=0):
    rng = np.random.default_rng(seed)
    made = [(varied if i % 2 else branched)(rng) for i in range(count)]
    return [getattr(each, "topology", each) for each in made]


def by_reference(topology, name, factor=1.0):
    """What the reference machine takes, times a factor."""
    work = work_of(topology)
    units = {
        kind: each * (BATCH if kind in PER_SAMPLE else 1) for kind, each in REFERENCE[name].items()
    }
    return factor * sum(units[kind] * work[kind] for kind in units)


@pytest.mark.parametrize(
    ("float32", "bfloat16", "chosen"),
    [(2.0, 1.0, "bfloat16"), (1.11, 1.0, "bfloat16"), (1.05, 1.0, "float32"), (1, 2, "float32")],
)
def test_bfloat16_must_bring_a_tenth(float32, bfloat16, chosen):
    speed = Speed({"float32": {"batch": float32}, "bfloat16": {"batch": bfloat16}})
    (topology,) = networks(1)
    assert speed.precision(topology) == chosen
    assert speed.batch(topology) == (bfloat16 if chosen == "bfloat16" else float32)


@pytest.mark.parametrize("only", ["float32", "bfloat16"])
def test_a_search_in_one_precision_stays_with_it(only):
    (topology,) = networks(1)
    assert Speed({only: {"batch": 1.0}, "scoring": {}}).precision(topology) == only
    assert precision_for(topology, None, only) == only


def test_records_keep_the_figures_exactly():
    speed = Speed({"float32": {"batch": 0.1 + 0.2}, "scoring": {"layers": 1 / 3}}, 0.7, 1e-17)
    assert Speed.from_json(json.loads(json.dumps(asdict(speed)))) == speed
    assert Speed.from_json(None) is None


def test_a_step_takes_its_start_its_batches_and_scores():
    speed = Speed({"float32": {"batch": 2.0}, "scoring": {"batch": 10.0}}, start=100.0)
    (topology,) = networks(1)
    assert speed.step(topology, batches=7, per_epoch=3) == 100 + 7 * 2 + 3 * 10


@pytest.mark.parametrize("factor", [0.1, 1.0, 30.0])
def test_a_machine_of_another_speed_is_fitted_exactly(factor):
    names = {"float32": BATCH, "bfloat16": BATCH}
    probes, others = networks(6), networks(10, seed=1)
    timings = [
        Timing(each, {name: by_reference(each, name, factor) for name in names}) for each in probes
    ]
    speed = Speed(fit(timings, names))
    for topology in others:
        for name in names:
            assert speed.seconds(topology, name) == pytest.approx(
                by_reference(topology, name, factor)
            )


def test_a_fit_follows_what_differs_from_the_reference():
    """Networks of some widths, on a machine that is twice as slow in convolutions only."""
    probes = [
        topologies.build([{"conv_cell": {"channels": 8 * width}}] * 3, (32, 32, 3), 10)
        for width in range(1, 9)
    ]

    def seconds(topology):
        convolutions = (
            REFERENCE["float32"]["convolutions"] * BATCH * work_of(topology)["convolutions"]
        )
        return by_reference(topology, "float32") + convolutions

    speed = Speed(
        fit([Timing(each, {"float32": seconds(each)}) for each in probes], {"float32": BATCH})
    )
    fitted = [speed.seconds(each, "float32") / seconds(each) - 1 for each in probes]
    by_factor = [seconds(each) / by_reference(each, "float32") for each in probes]
    plain = np.array(by_factor) / np.median(by_factor) - 1
    assert np.square(fitted).mean() < 0.2 * np.square(plain).mean()


def test_every_kind_of_work_has_a_figure():
    assert all(figures.keys() == set(KINDS) for figures in REFERENCE.values())
    assert all(value > 0 for figures in REFERENCE.values() for value in figures.values())
