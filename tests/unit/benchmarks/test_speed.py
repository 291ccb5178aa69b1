"""The benchmark of run times: its breakdown, lower bounds, pauses and report."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from benchmarks.speed import report, time_breakdown, training_only
from benchmarks.speed.pause_search import PAUSES, Pauses
from benchmarks.speed.time_breakdown import StepTiming

from netsurgery.networks.topologies import build, named
from netsurgery.search.records import Record
from tests.support.factories import prepare_digits


def job(name, began, seconds, *feeders, topology="a", batches=10, training=None):
    record = Record(
        candidate=name,
        parent=None,
        operation=None,
        position=None,
        generation=1,
        step=name,
        topology={"layers": [topology]},
        parameters=10,
        batches_per_epoch=10,
        batches_spent=batches,
        wall_seconds=seconds,
        seconds={"training": seconds / 2 if training is None else training, "files": seconds / 8},
        began=began,
    )
    return StepTiming(name, record, feeders)


# two cores: 1/a and 1/b at the same time, then 1/c, because 1/d has to wait for it
JOBS = [
    job("1/a", 10.0, 4.0),
    job("1/b", 10.0, 2.0),
    job("1/c", 14.5, 3.0, "1/a", "1/b"),
    job("1/d", 18.0, 2.0, "1/c"),
]


def test_every_core_second_is_accounted_for_once():
    parts = time_breakdown.core_seconds(JOBS, 2, 7.0, 21.0)
    assert sum(parts.values()) == pytest.approx(2 * 14)
    assert parts["start-up"] == 6
    assert parts["training"] == 11 / 2
    assert parts["files"] == 11 / 8


def test_gaps_are_idle_time_or_overhead_of_the_workflow():
    parts = time_breakdown.core_seconds(JOBS, 2, 7.0, 21.0)
    # idle: next to a after the end of b, next to c, and next to d
    assert parts["idle"] == pytest.approx(2 + 3 + 2)
    # the workflow: both cores from a to c, from c to d, and after d
    assert parts["workflow"] == pytest.approx(2 * (0.5 + 0.5 + 1))


def test_the_bound_uses_the_best_speed_of_each_topology():
    slow, fast = job("1/a", 0, 9.0, training=8.0), job("1/b", 0, 9.0, training=4.0)
    other = job("1/c", 0, 9.0, topology="b", training=6.0)
    part = job("1/d", 0, 9.0, batches=5, training=1.0)  # too short to count as the best
    jobs = [slow, fast, other, part]
    best = time_breakdown.best_batch_seconds([jobs])
    assert sorted(best.values()) == [0.4, 0.6]
    assert time_breakdown.best_speed_bound(jobs, best, 2) == pytest.approx((4 + 4 + 6 + 1) / 2)
    assert time_breakdown.overheads([slow]) == [1.0]


def test_workloads_have_the_batches_of_each_topology():
    jobs = [
        job("1/a", 0, 9.0, topology="x", batches=10, training=5.0),
        job("1/b", 0, 9.0, topology="x", batches=30, training=2.0),
        job("1/c", 0, 9.0, topology="y", batches=20, training=4.0),
        job("1/d", 0, 9.0, topology="w", batches=10, training=0.0),  # it failed
    ]
    works = training_only.by_topology(job.record for job in jobs)
    known = [(work.topology["layers"][0], work.batches, work.seconds) for work in works]
    assert known == [("x", 40, 7.0), ("y", 20, 4.0)]


# a process and its child, which both write the time a hundred times a second
TICKING = """
import os, sys, time
name = "child" if os.fork() == 0 else "parent"
with open(sys.argv[1] + "/" + name, "w", buffering=1) as file:
    for _ in range(6000):
        print(time.time(), file=file)
        time.sleep(0.01)
"""


def test_a_paused_search_stops_and_resumes(tmp_path):
    pauses = Pauses()
    ticks = [tmp_path / name for name in ("parent", "child")]

    def written():
        return [len(path.read_text().splitlines()) if path.exists() else 0 for path in ticks]

    def wait_for_more(before):
        deadline = time.monotonic() + 60
        while any(new <= old for new, old in zip(written(), before, strict=True)):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    with subprocess.Popen(
        [sys.executable, "-c", TICKING, str(tmp_path)], start_new_session=True
    ) as process:
        try:
            wait_for_more([0, 0])
            with pauses.pause(process):
                time.sleep(0.1)  # a line may be on its way
                before = written()
                time.sleep(0.5)
                assert written() == before
            wait_for_more(before)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    (began, ended), *others = pauses.times
    assert ended - began >= 0.6
    assert not others


def test_pauses_are_subtracted_from_the_times(tmp_path):
    Pauses([(14.0, 114.0), (117.0, 217.0)]).write(tmp_path / PAUSES)
    pauses = Pauses.read(tmp_path / PAUSES)
    later = [
        replace(each, record=replace(each.record, began=each.began + shift))
        for each, shift in zip(JOBS, [0, 0, 100, 200], strict=True)
    ]
    assert pauses.without_pauses(later) == JOBS
    assert pauses.seconds_before(221.0) == 200
    assert pauses.seconds_before(64.0) == 50


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    prepare_digits(folder)
    return folder


def test_training_only_is_faster_than_a_slow_search(prepared):
    topology = build(named("ff-small"), (8, 8, 1), 10).to_json()
    slow = job("1/a", 0, 99.0, batches=40, training=90.0)  # slower than any machine
    records = [replace(slow.record, topology=topology)]
    settings = {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0, "loss": "crossentropy"}
    seconds = training_only.measure_passes(
        records, 1, prepared, prepared, settings | {"batch_size": 32}
    )
    assert len(seconds) == training_only.PASSES
    assert all(0 < each < 90 for each in seconds)


def test_the_report_shows_every_run(tmp_path):
    run = {
        "seconds": 14.0,
        "training_only": 7.0,
        "best_speed": 3.5,
        "parts": time_breakdown.core_seconds(JOBS, 2, 7.0, 21.0),
        "jobs": 4,
        "overhead": 0.25,
        "generations": time_breakdown.by_generation(JOBS, 2),
    }
    found = {"digits": {"epochs": 4.0, "script": 56.0, "cores": {2: run}}}
    report.write(json.loads(json.dumps(found)), tmp_path)
    text = (tmp_path / "speed.md").read_text()
    assert "| 4 | 4 | 14 s | 56 s | 4.0 | 7 s | 50% | 25% | 0.25 s |" in text
    assert (tmp_path / "speed.png").stat().st_size > 10_000
