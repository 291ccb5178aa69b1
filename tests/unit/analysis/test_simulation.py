"""Simulated runs against arithmetic, and against a run that really was."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.analysis.simulation import Cluster, Search, Step, simulate
from netsurgery.analysis.timelines import StepTiming, slots_of
from netsurgery.cli import main
from tests.support.factories import start


def search(*steps, overhead=0.0, decision=0.0):
    """From seconds and feeders."""
    listed = tuple(Step(seconds, tuple(feeders), decided=False) for seconds, *feeders in steps)
    return Search(listed, overhead, decision, 1, 0.0)


# two pairs meet, and their winners meet
BRACKET = search((4,), (2,), (3,), (3,), (5, 0, 1), (1, 2, 3), (2, 4, 5))


@pytest.mark.parametrize(("slots", "seconds"), [(1, 20), (2, 12), (4, 11), (1000, 11)])
def test_a_bracket_takes_what_its_slots_and_its_longest_chain_allow(slots, seconds):
    outcome = simulate([BRACKET], slots)
    assert outcome.seconds == seconds
    assert outcome.use == pytest.approx(20 / (slots * seconds))


def test_overhead_is_paid_per_step_and_a_decision_where_one_is_made():
    steps = (Step(2.0, (), decided=False), Step(3.0, (0,), decided=True))
    outcome = simulate([Search(steps, 0.5, 10.0, 1, 0.0)], 1)
    assert outcome.seconds == 2 + 3 + 2 * 0.5 + 10
    assert outcome.starting == 1.0
    assert outcome.idle == pytest.approx(10 / 16)


def test_candidates_in_a_job_share_its_start_up_and_wait_for_each_other():
    wave = search(*[(1.0,)] * 4)
    alone = simulate([wave], 2, Cluster(wait=3.0, start_up=5.0))
    shared = simulate([wave], 2, Cluster(wait=3.0, start_up=5.0, candidates=2))
    assert (alone.jobs, alone.seconds) == (4, 3 + 2 * 6)
    assert (shared.jobs, shared.seconds) == (2, 3 + 5 + 2)


def test_searches_apart_do_not_wait_for_each_other():
    cluster = Cluster(wait=1.0, start_up=2.0, apart=2)
    alone = simulate([BRACKET], 2).seconds
    assert simulate([BRACKET] * 6, 4, cluster).seconds == 3 * (1 + 2 + alone)
    assert simulate([BRACKET] * 6, 12, cluster).seconds == 1 + 2 + alone
    with pytest.raises(ValueError, match="1 slots are less than the 2"):
        simulate([BRACKET], 1, cluster)


@st.composite
def searches(draw):
    steps = []
    for i in range(draw(st.integers(1, 12))):
        feeders = draw(st.sets(st.integers(0, i - 1), max_size=3)) if i else ()
        steps.append((draw(st.integers(1, 9)), *feeders))
    return search(*steps, overhead=draw(st.integers(0, 2)), decision=0.0)


@given(searches(), st.integers(1, 8), st.integers(1, 3))
def test_no_run_beats_its_longest_chain_or_its_slots_and_none_is_lazy(one, slots, times):
    outcome = simulate([one] * times, slots)
    work = times * (one.busy + one.overhead * len(one.steps))
    chain = one.critical_path
    assert outcome.seconds >= max(chain, work / slots) - 1e-9
    assert outcome.seconds <= work / slots + chain + 1e-9  # Graham's bound
    assert outcome.training == pytest.approx(times * one.busy)
    assert outcome.use + outcome.started <= 1 + 1e-9


def job(name, began, seconds, *feeders, decided=False):
    return StepTiming(name, replace(start(), began=began, wall_seconds=seconds), feeders, decided)


# on two slots, half a second to start a step, three to decide
RUN = [
    job("warm-up", 100.0, 4.0),
    job("1/a", 107.5, 2.0, "warm-up", decided=True),
    job("1/b", 107.5, 4.0, "warm-up", decided=True),
    job("1/c", 110.0, 3.0, "warm-up", decided=True),
    job("1/d", 113.5, 2.0, "1/a", "1/b", "1/c"),
]


def test_what_lies_between_steps_is_learnt_from_a_run():
    found = Search.from_jobs(RUN)
    assert (found.slots, slots_of(RUN)) == (2, 2)
    assert found.measured == 15.5
    assert found.overhead == pytest.approx(0.5)
    assert found.decision == pytest.approx(3.0)
    assert simulate([found], 2).seconds == pytest.approx(found.measured + found.overhead)


def test_what_has_most_behind_it_goes_first_whatever_a_plan_names_first():
    left = {"1/a": 5.0, "1/b": 7.0, "1/c": 6.0, "1/d": 2.0}
    found = Search.from_jobs([replace(each, left=left.get(each.name, 0.0)) for each in RUN])
    assert [step.seconds for step in found.steps] == [4, 4, 3, 2, 2]  # warm-up, b, c, a, d
    assert found.steps[-1].feeders == (3, 1, 2)


def said(capsys, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["netsurgery", "simulate", *map(str, arguments)])
        try:
            main.main()
        except SystemExit as end:
            return str(end.code)
    return capsys.readouterr().out


def test_a_folder_without_a_finished_search_is_refused_in_one_line(tmp_path, capsys):
    line = said(capsys, tmp_path)
    assert line == f"{tmp_path}: give the folder of a finished search and its seed"


def test_the_command_prints_a_table_or_json_and_draws(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("netsurgery.cli.simulate.read", lambda _: Search.from_jobs(RUN))
    table = said(capsys, "s", "--slots", 2, 1).splitlines()
    assert [line.split()[0] for line in table[-2:]] == ["1", "2"]
    found = json.loads(said(capsys, "s", "--slots", 2, "--json", "--plot", tmp_path / "p.svg"))
    assert found[0]["seconds"] == pytest.approx(16.0)
    assert (tmp_path / "p.svg").stat().st_size > 1000
    assert "--slots: 1 are less" in said(capsys, "s", "--slots", 1, "--apart", 2)
