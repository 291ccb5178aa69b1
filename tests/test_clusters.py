"""Searches as runs of their own, and through a real SLURM."""

import os
import re
import signal
import subprocess
import time

import pytest

from netsurgery.trainer.client import FOLDER
from netsurgery.trainer.lifeline import WORKFLOW
from tests import local_slurm
from tests.makers import ROOT
from tests.test_workflow import (
    PATIENCE,
    assert_same,
    command,
    run,
    search_folder,
)

pytestmark = pytest.mark.workflow
SHORT = {"budget": 14}  # one generation
BASELINE = {
    "algorithm": "baseline",
    "dataset": "digits",
    "topology": "ff-small",
    "epochs": 1,
    "seeds": [0],
}
PROFILES = ROOT / "workflow/profiles"

needs_slurm = pytest.mark.skipif(
    bool(local_slurm.missing()),
    reason=f"no SLURM here ({', '.join(local_slurm.missing())}): apt-get install slurm-wlm munge",
)


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    """A search in one graph, on this machine."""
    folder = tmp_path_factory.mktemp("flat")
    run(folder, **SHORT)
    return folder


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """A real SLURM of two processors; its folder."""
    folder = tmp_path_factory.mktemp("slurm")
    with local_slurm.running(folder, processors=2):
        yield folder


def test_a_search_as_a_run_of_its_own_gives_the_same_and_repairs_what_is_lost(flat, tmp_path):
    run(tmp_path, top={"apart": 2}, **SHORT)
    assert_same(flat, tmp_path)
    assert (tmp_path / "results" / "summary.csv").exists()
    assert "Nothing to be done" in run(tmp_path, top={"apart": 2}, **SHORT).stderr
    search_folder(tmp_path).record(1, "phase1/identity/round1/slot0").unlink()
    run(tmp_path, top={"apart": 2}, **SHORT)
    assert_same(flat, tmp_path)


def test_a_search_that_fails_leaves_the_others_alone_and_says_where_its_log_is(tmp_path):
    """A file is where its folder would be: it cannot even begin."""
    (tmp_path / "results" / "s").mkdir(parents=True)
    (tmp_path / "results" / "s" / "seed1").write_text("in the way")
    plain = {"searches": {"s": BASELINE | {"seeds": [0, 1]}}}
    done = run(tmp_path, "--keep-going", check=False, top={"apart": 1} | plain)
    assert done.returncode == 1
    assert "results/_apart/s/seed1.log" in done.stderr
    assert (search_folder(tmp_path).final / "summary.json").exists()


def slurm_run(folder, slurm, profile, *arguments, **options):
    """The command, and the environment, of a search through SLURM."""
    folder.mkdir(exist_ok=True)
    arguments = [
        *("--profile", str(PROFILES / profile)),
        *("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5"),
        *arguments,
    ]
    environment = {
        k: v for k, v in local_slurm.environment(slurm).items() if k not in (FOLDER, WORKFLOW)
    }
    whole = command(folder, *arguments, **options)
    place = whole.index("--cores")
    del whole[place : place + 2]  # there are jobs instead
    return {"args": whole, "env": environment}


def jobs_of(slurm, since):
    """States and memory of the jobs that ended in SLURM since a number of them."""
    return [
        (job["JobState"], int(re.search(r"mem=(\d+)M", job["Tres"])[1]))
        for job in local_slurm.completed(slurm)[since:]
    ]


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@needs_slurm
def test_a_search_through_slurm_killed_on_every_level_goes_on_to_the_same_end(
    flat, slurm, tmp_path
):
    """First the workflow dies and SLURM's controller with it, then the job, as if for memory."""
    since = len(local_slurm.completed(slurm))
    begun = slurm_run(tmp_path, slurm, "slurm", top={"apart": 1}, **SHORT)
    with (tmp_path / "log").open("w") as log:
        first = subprocess.Popen(**begun, stdout=log, stderr=log, start_new_session=True)
        wait_for(search_folder(tmp_path).record(0, "warm-up").exists)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        local_slurm.end_daemon(slurm, "slurmctld", signal.SIGKILL)
        local_slurm.start_controller(slurm)
        local_slurm.ask(slurm, "scancel", "--state=RUNNING")
        wait_for(lambda: not local_slurm.ask(slurm, "squeue", "--noheader"))
        assert not (search_folder(tmp_path).final / "summary.json").exists()
        again = subprocess.Popen(**begun, stdout=log, stderr=log, start_new_session=True)
        wait_for(lambda: local_slurm.ask(slurm, "squeue", "--noheader", "--states=RUNNING"))
        local_slurm.ask(slurm, "scancel", "--state=RUNNING")
        code = again.wait(PATIENCE)
    assert code == 0, (tmp_path / "log").read_text()[-3000:]
    assert_same(flat, tmp_path)
    whole = 3500  # MB of a search on one core
    assert jobs_of(slurm, since)[-3:] == [
        ("CANCELLED", whole),
        ("CANCELLED", whole),
        ("COMPLETED", 2 * whole),
    ]


@needs_slurm
def test_training_steps_as_jobs_of_slurm_stay_in_their_allocation(slurm, tmp_path):
    """The servers of the workflow are in reach here, but no job of theirs is SLURM's."""
    since = len(local_slurm.completed(slurm))
    plain = {"searches": {"s": BASELINE}}
    begun = slurm_run(tmp_path, slurm, "slurm-steps", "--verbose", top=plain)
    done = subprocess.run(**begun, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr[-3000:]
    assert [state for state, _ in jobs_of(slurm, since)] == ["COMPLETED"] * 3  # data, start, finish
    assert (search_folder(tmp_path).root / "logs/generation00/warm-up.log").exists()
    served = tmp_path / "results/_logs/server-small-training.log"
    assert served.read_text() == ""
