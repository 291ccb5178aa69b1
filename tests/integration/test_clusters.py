"""Searches as Snakemake processes of their own, and on a real SLURM."""

import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import time

import pytest

from netsurgery.processes.client import SERVERS
from netsurgery.processes.process_exit import WORKFLOW
from netsurgery.workflow.targets import PLOTS
from tests.support import local_slurm, snakemake_process
from tests.support.factories import ROOT
from tests.support.workflow_runs import SNAKEMAKE, assert_same, command, run, search_folder

pytestmark = pytest.mark.workflow
PATIENCE = 900  # seconds; a SLURM job starts Python four times
SHORT = {"budget": 14}  # one generation
BASELINE = {
    "algorithm": "baseline",
    "dataset": "digits",
    "topology": "ff-small",
    "epochs": 1,
    "seeds": [0],
}
PROFILES = ROOT / "workflow/profiles"

PLUGIN = "snakemake-executor-plugin-slurm"


def missing_requirements():
    """Name what a run on SLURM needs and this machine lacks."""
    if absent := local_slurm.missing():
        return f"no {', '.join(absent)} here: apt-get install slurm-wlm munge"
    if importlib.util.find_spec(PLUGIN.replace("-", "_")) is None:
        return f"no {PLUGIN} in this environment: make env"
    return ""


needs_slurm = pytest.mark.skipif(bool(missing_requirements()), reason=missing_requirements())


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    """A search in one DAG on this machine."""
    folder = tmp_path_factory.mktemp("flat")
    run(folder, **SHORT)
    return folder


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """The folder of a real SLURM with two processors."""
    folder = tmp_path_factory.mktemp("slurm")
    with local_slurm.running(folder, processors=2):
        yield folder


def test_a_search_in_its_own_process_gives_the_same_files(flat, tmp_path):
    run(tmp_path, top={"cores_per_search": 2}, **SHORT)
    assert_same(flat, tmp_path)
    assert (tmp_path / "results" / "summary.csv").exists()
    assert "Nothing to be done" in run(tmp_path, top={"cores_per_search": 2}, **SHORT).stderr
    made = run(tmp_path, f"--report={tmp_path / 'x.html'}", top={"cores_per_search": 2}, **SHORT)
    assert all(f"{plot}.svg" in made.stderr for plot in PLOTS)  # as if all were in one DAG
    search_folder(tmp_path).record(1, "recuperation/g01c00").unlink()
    run(tmp_path, top={"cores_per_search": 2}, **SHORT)
    assert_same(flat, tmp_path)


def test_a_failed_search_names_its_log_and_others_finish(tmp_path):
    """A file in the place of its folder keeps one search from starting."""
    (tmp_path / "results" / "s").mkdir(parents=True)
    (tmp_path / "results" / "s" / "seed1").write_text("in the way")
    plain = {"searches": {"s": BASELINE | {"seeds": [0, 1]}}}
    done = run(tmp_path, "--keep-going", check=False, top={"cores_per_search": 1} | plain)
    assert done.returncode == 1
    assert "results/_runs/s/seed1.log" in done.stderr
    assert (search_folder(tmp_path).final / "summary.json").exists()


@pytest.mark.parametrize(
    ("given", "own_processes"),
    [
        (["--cores", "2"], True),
        (["--cores", "2", "--config", "cores_per_search=0"], False),
        (["--profile", str(PROFILES / "slurm-steps")], False),
    ],
)
def test_many_searches_run_as_processes_of_their_own(tmp_path, given, own_processes):
    many = {"searches": {"s": BASELINE | {"seeds": list(range(21))}}}
    whole = command(tmp_path, "--dry-run", top=many)[len(SNAKEMAKE) :]
    place = whole.index("--cores")
    whole[place : place + 2] = given
    planned = snakemake_process.run(whole, dict(os.environ), PATIENCE).stdout
    found = dict(re.findall(r"^(run_search|train_initial_network) +(\d+)$", planned, re.MULTILINE))
    assert found == {"run_search" if own_processes else "train_initial_network": "21"}


@pytest.mark.parametrize("top", [{}, {"cores_per_search": 1}])
def test_many_searches_name_the_option_for_one_dag(tmp_path, top):
    """A file in the place of their folder ends the run soon, without our profile's keep-going."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "s").write_text("in the way")
    many = {"searches": {"s": BASELINE | {"seeds": list(range(21))}}}
    said = run(tmp_path, "--workflow-profile", "none", check=False, top=top | many).stderr
    assert (
        "21 searches: each runs as its own Snakemake process; with --config cores_per_search=0"
        in said
    ) == (not top)


def slurm_run(folder, slurm, profile, *arguments, **options):
    """Command and environment of a search on SLURM."""
    folder.mkdir(exist_ok=True)
    arguments = [
        *("--profile", str(PROFILES / profile)),
        *("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5"),
        *arguments,
    ]
    environment = {
        k: v for k, v in local_slurm.environment(slurm).items() if k not in (SERVERS, WORKFLOW)
    }
    whole = command(folder, *arguments, **options)
    place = whole.index("--cores")
    del whole[place : place + 2]  # the profile has `jobs` instead
    return {"args": whole, "env": environment}


@pytest.fixture
def begin(tmp_path):
    """A function that starts a run in the background; the fixture kills it at the end."""
    started = []

    def start(run_):
        log = (tmp_path / "log").open("a")
        started.append(subprocess.Popen(**run_, stdout=log, stderr=log, start_new_session=True))
        log.close()
        return started[-1]

    yield start
    for process in started:
        kill(process)


def kill(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def jobs_of(slurm, since):
    """State and memory of the SLURM jobs that ended after the first `since` ones."""
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
def test_a_search_killed_on_slurm_resumes_with_the_same_result(flat, slurm, begin, tmp_path):
    """First Snakemake and SLURM's controller are killed, then the job, as if out of memory."""
    since = len(local_slurm.completed(slurm))
    whole = slurm_run(tmp_path, slurm, "slurm", "--config", "cores_per_search=1", **SHORT)
    first = begin(whole)
    wait_for(search_folder(tmp_path).record(0, "warm-up").exists)
    kill(first)
    local_slurm.end_daemon(slurm, "slurmctld", signal.SIGKILL)
    local_slurm.start_controller(slurm)
    local_slurm.ask(slurm, "scancel", "--state=RUNNING")
    wait_for(lambda: not local_slurm.ask(slurm, "squeue", "--noheader"))
    assert not (search_folder(tmp_path).final / "summary.json").exists()
    again = begin(whole)
    wait_for(lambda: local_slurm.ask(slurm, "squeue", "--noheader", "--states=RUNNING"))
    local_slurm.ask(slurm, "scancel", "--state=RUNNING")
    code = again.wait(PATIENCE)
    assert code == 0, (tmp_path / "log").read_text()[-3000:]
    assert_same(flat, tmp_path)
    memory = 3500  # MB of a search on one core
    assert jobs_of(slurm, since)[-3:] == [
        ("CANCELLED", memory),
        ("CANCELLED", memory),
        ("COMPLETED", 2 * memory),
    ]


# each training step in a new process writes the SLURM job that it belongs to
WITNESS = """
import os, sys
if "netsurgery.jobs.cold_start" in sys.orig_argv:
    with open(os.environ["WITNESS"], "a") as file:
        print(os.environ.get("SLURM_JOB_ID"), file=file)
"""


@needs_slurm
def test_training_steps_on_slurm_stay_in_their_allocation(slurm, tmp_path):
    """The node is the machine that submits, so the workflow's warm servers are in reach."""
    plain = {"searches": {"s": BASELINE}}
    run(tmp_path, "results/s/seed0/split.npz", top=plain)
    since = len(local_slurm.completed(slurm))
    trained = search_folder(tmp_path).model(0, "warm-up").relative_to(tmp_path)
    run_ = slurm_run(tmp_path, slurm, "slurm-steps", str(trained), top=plain)
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "sitecustomize.py").write_text(WITNESS)
    path = filter(None, [str(tmp_path / "path"), os.environ.get("PYTHONPATH")])
    run_["env"] |= {"PYTHONPATH": os.pathsep.join(path), "WITNESS": str(tmp_path / "seen")}
    done = subprocess.run(**run_, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr[-3000:]
    assert [state for state, _ in jobs_of(slurm, since)] == ["COMPLETED"]
    (job,) = local_slurm.completed(slurm)[since:]
    assert (tmp_path / "seen").read_text().split() == [job["JobId"]]
    assert (search_folder(tmp_path).root / "logs/generation00/warm-up.log").exists()
