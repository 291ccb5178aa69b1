"""Simulated runs compared with arithmetic, and with a recorded run."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.analysis.simulation import Cluster, Search, Step, simulate
from netsurgery.analysis.timelines import StepTiming, peak_concurrency
from netsurgery.cli import main
from netsurgery.cli.arguments import RUN_FOLDER
from tests.support.factories import start


def search(*steps, overhead=0.0, decision=0.0):
    """From seconds and feeders."""
    listed = tuple(
        Step(seconds, tuple(depends_on), after_decision=False) for seconds, *depends_on in steps
    )
    return Search(listed, overhead, decision, 1, 0.0)


# a bracket of two pairs and a final, run twice
BRACKET = search((4,), (2,), (3,), (3,), (5, 0, 1), (1, 2, 3), (2, 4, 5))


@pytest.mark.parametrize(("workers", "seconds"), [(1, 20), (2, 12), (4, 11), (1000, 11)])
def test_run_time_is_bounded_by_workers_and_critical_path(workers, seconds):
    outcome = simulate([BRACKET], workers)
    assert outcome.seconds == seconds
    assert outcome.training_share == pytest.approx(20 / (workers * seconds))


def test_each_step_has_overhead_and_each_generation_a_decision():
    steps = (Step(2.0, (), after_decision=False), Step(3.0, (0,), after_decision=True))
    outcome = simulate([Search(steps, 0.5, 10.0, 1, 0.0)], 1)
    assert outcome.seconds == 2 + 3 + 2 * 0.5 + 10
    assert outcome.starting == 1.0
    assert outcome.idle_share == pytest.approx(10 / 16)


def test_steps_in_a_job_share_its_start_up_and_end_together():
    wave = search(*[(1.0,)] * 4)
    alone = simulate([wave], 2, Cluster(wait=3.0, start_up=5.0))
    shared = simulate([wave], 2, Cluster(wait=3.0, start_up=5.0, steps_per_job=2))
    assert (alone.jobs, alone.seconds) == (4, 3 + 2 * 6)
    assert (shared.jobs, shared.seconds) == (2, 3 + 5 + 2)


def test_searches_as_single_jobs_run_independently():
    cluster = Cluster(wait=1.0, start_up=2.0, cores_per_search=2)
    alone = simulate([BRACKET], 2).seconds
    assert simulate([BRACKET] * 6, 4, cluster).seconds == 3 * (1 + 2 + alone)
    assert simulate([BRACKET] * 6, 12, cluster).seconds == 1 + 2 + alone
    with pytest.raises(ValueError, match="1 workers are fewer than the 2"):
        simulate([BRACKET], 1, cluster)


@pytest.mark.parametrize(("workers", "seconds"), [(1, 4 + 6 + 2), (2, 2 + 3 + 2), (3, 2 + 3)])
def test_a_step_on_two_cores_takes_two_workers(workers, seconds):
    steps = (
        Step(2.0, (), after_decision=False, cores=2),
        Step(3.0, (0,), after_decision=False, cores=2),
        Step(2.0, (0,), after_decision=False),
    )
    outcome = simulate([Search(steps, 0.0, 0.0, 2, 0.0)], workers)
    assert outcome.seconds == seconds
    assert outcome.training == 2 * 2 + 2 * 3 + 2


@st.composite
def searches(draw):
    steps = []
    for i in range(draw(st.integers(1, 12))):
        depends_on = draw(st.sets(st.integers(0, i - 1), max_size=3)) if i else ()
        steps.append((draw(st.integers(1, 9)), *depends_on))
    return search(*steps, overhead=draw(st.integers(0, 2)), decision=0.0)


@given(searches(), st.integers(1, 8), st.integers(1, 3))
def test_run_time_lies_between_the_lower_and_grahams_bound(one, workers, times):
    outcome = simulate([one] * times, workers)
    work = times * (one.total + one.overhead * len(one.steps))
    chain = one.critical_path
    assert outcome.seconds >= max(chain, work / workers) - 1e-9
    assert outcome.seconds <= work / workers + chain + 1e-9  # Graham's bound
    assert outcome.training == pytest.approx(times * one.total)
    assert outcome.training_share + outcome.starting_share <= 1 + 1e-9


def job(name, began, seconds, *depends_on, after_decision=False):
    return StepTiming(
        name, replace(start(), began=began, wall_seconds=seconds), depends_on, after_decision
    )


# two workers, half a second to start a step, three to decide
RUN = [
    job("warm-up", 100.0, 4.0),
    job("1/a", 107.5, 2.0, "warm-up", after_decision=True),
    job("1/b", 107.5, 4.0, "warm-up", after_decision=True),
    job("1/c", 110.0, 3.0, "warm-up", after_decision=True),
    job("1/d", 113.5, 2.0, "1/a", "1/b", "1/c"),
]


def test_gaps_between_steps_are_estimated_from_a_run():
    found = Search.from_timings(RUN)
    assert (found.workers, peak_concurrency(RUN)) == (2, 2)
    doubled = replace(RUN[0], record=replace(RUN[0].record, provenance={"cores": "3"}))
    assert Search.from_timings([doubled, *RUN[1:]]).workers == 3
    assert found.measured == 15.5
    assert found.overhead == pytest.approx(0.5)
    assert found.decision == pytest.approx(3.0)
    assert simulate([found], 2).seconds == pytest.approx(found.measured + found.overhead)


def test_the_step_with_the_longest_critical_path_goes_first():
    critical_paths = {"1/a": 5.0, "1/b": 7.0, "1/c": 6.0, "1/d": 2.0}
    found = Search.from_timings(
        [replace(each, critical_path=critical_paths.get(each.name, 0.0)) for each in RUN]
    )
    assert [step.seconds for step in found.steps] == [4, 4, 3, 2, 2]  # warm-up, b, c, a, d
    assert found.steps[-1].depends_on == (3, 1, 2)


def output_of(capsys, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["netsurgery", "simulate", *map(str, arguments)])
        try:
            main.main()
        except SystemExit as end:
            return str(end.code)
    return capsys.readouterr().out


def test_an_unfinished_search_gives_one_line(tmp_path, capsys):
    line = output_of(capsys, tmp_path)
    assert line == f"{tmp_path}: no finished search; give the {RUN_FOLDER}"


def test_the_command_prints_a_table_or_json_and_plots(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("netsurgery.cli.simulate.read", lambda _: Search.from_timings(RUN))
    table = output_of(capsys, "s", "--workers", 2, 1).splitlines()
    assert [line.split()[0] for line in table[-2:]] == ["1", "2"]
    found = json.loads(
        output_of(capsys, "s", "--workers", 2, "--json", "--plot", tmp_path / "p.svg")
    )
    assert found[0]["seconds"] == pytest.approx(16.0)
    assert (tmp_path / "p.svg").stat().st_size > 1000
    assert "--workers: 1 is less than" in output_of(
        capsys, "s", "--workers", 1, "--cores-per-search", 2
    )
