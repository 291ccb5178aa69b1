"""Ctrl-C and SIGTERM: one line, and Snakemake's own way to stop."""

import asyncio
import signal
import threading
import time

import pytest

from netsurgery.workflow import interruption as module
from netsurgery.workflow.interruption import INTERRUPTED, STOPPED, Interruption


@pytest.fixture(autouse=True)
def signals():
    """The handlers of the test run, put back after each test."""
    kept = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    for each, handler in kept.items():
        signal.signal(each, handler)


@pytest.fixture
def interrupted(monkeypatch):
    """Calls that would end the processes below this one."""
    calls = []
    monkeypatch.setattr(module, "terminate_children", calls.append)
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    monkeypatch.setattr(module, "LATE", 0.1)
    yield calls
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join()


def watching(silenced, has_jobs=True):
    interruption = Interruption(lambda: silenced.append(True), lambda: [7])
    interruption.watch(has_jobs=has_jobs)
    return interruption


@pytest.mark.parametrize("each", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_with_one_line(interrupted, each, capsys):
    silenced = []
    interruption = watching(silenced)
    assert not interruption.has_begun
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(each)
    assert interruption.has_begun
    assert silenced == [True]
    assert capsys.readouterr().err == f"{STOPPED}\n"
    assert interrupted == [[7]]
    time.sleep(0.3)
    assert interrupted == [[7], [7]]  # also jobs that were about to start


def test_signals_that_come_together_count_once(interrupted, capsys):
    watching([])
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)
    time.sleep(0.2)
    with pytest.raises(KeyboardInterrupt):  # the user insists
        signal.raise_signal(signal.SIGINT)
    assert capsys.readouterr().err.count(STOPPED) == 1


def test_coroutines_end_before_the_run_stops(interrupted):
    """Snakemake's event loop goes on after the interruption, to store what jobs have written."""
    watching([])
    ended = []

    async def work():
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0.05)
        ended.append(True)

    with asyncio.Runner() as runner:
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - it comes a moment later
            runner.run(work())
            time.sleep(1)
        assert ended == [True]
        runner.run(asyncio.sleep(0))


def test_another_workflow_handles_its_signals_itself(interrupted, capsys):
    handled = []
    signal.signal(signal.SIGTERM, lambda *given: handled.append(given[0]))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    interruption = Interruption(lambda: None, lambda: [])
    interruption.notice()
    signal.raise_signal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert handled == [signal.SIGTERM]
    assert interrupted == [[], []]
    assert interruption.has_begun
    assert capsys.readouterr().err == ""


def test_before_the_first_job_a_signal_ends_the_process(interrupted, monkeypatch, capsys):
    codes = []
    monkeypatch.setattr(module.os, "_exit", codes.append)
    watching([], has_jobs=False)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert codes == [INTERRUPTED]
    assert capsys.readouterr().err == f"{STOPPED}\n"
