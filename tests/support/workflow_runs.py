"""Searches that Snakemake runs, as a user runs them."""

import atexit
import fcntl
import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from benchmarks.faults.compare import content

from netsurgery.processes.client import SERVERS, TRAINING
from netsurgery.processes.process_exit import WORKFLOW
from netsurgery.search.layout import SearchFolder
from tests.support import snakemake_process
from tests.support.factories import ROOT

PATIENCE = 300
SNAKEMAKE = (sys.executable, "-m", "snakemake")
# what is made last, but for the exported model, plots and MLflow; a target that saves half the time
TRAINED = "results/s/seed0/final/summary.json"
QUICK = {
    "algorithm": "ectonas",
    "dataset": "digits",
    "topology": "ff-small",
    "budget": 45,
    "warm_up_epochs": 2,
    "round_epochs": 1,
    "rounds": 2,
    "seeds": [0],
}
QUICK_SURGEON = {
    "algorithm": "surgeon",
    "dataset": "digits",
    "topology": "surgeon-medium",
    "epochs": 6,
    "warm_up_epochs": 2,
    "decision_epochs": 2,
    "recuperation_batches": 3,
    "learning_rate": 0.02,
    "seeds": [0],
}
SUMMARY = (
    "algorithm dataset topology seed greediness mode objective budget epochs_spent generations "
    "candidates start_parameters parameters val_score test_score val_accuracy test_accuracy "
    "test_loss epochs_trained layers"
).split()
LINEAGE = (
    "candidate parent generation operation position parameters multiplications peak_memory "
    "model_bytes epochs_trained val_score status eliminated_in"
).split()


def command(folder, *arguments, cores=2, top=None, snakefile=ROOT / "Snakefile", **search):
    """What a user types: a search named s that differs from the quick one in some settings."""
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump({"searches": {"s": QUICK | search}} | (top or {})))
    place = ["--snakefile", str(snakefile), "--directory", str(folder)]
    place += ["--configfile", str(config), "--cores", str(cores)]
    return [*SNAKEMAKE, *place, *arguments]


# starts servers, writes the name of their folder, and ends with the process of that number
SERVE = """
import os, select, sys
from pathlib import Path
from netsurgery.processes.client import SERVERS, TRAINING
from netsurgery.processes.launch import launch
session = os.pidfd_open(int(sys.argv[1]))
servers = launch(None)
print(os.environ.get(SERVERS, ""), flush=True)
select.select([session], [], [])
"""


@functools.cache
def shared_servers():
    """Start warm servers for all runs of all test processes, unless another one did.

    Returns:
        What names them to a run, in its environment.
    """
    session = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    place = Path(tempfile.gettempdir(), f"netsurgery-tests-{session}")
    with place.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        folder = file.read()
        if not Path(folder, TRAINING).exists():
            command = [sys.executable, "-c", SERVE, str(session)]
            quiet = {"stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **quiet)
            atexit.register(process.poll)  # which keeps it; it ends with the session
            folder = process.stdout.readline().strip()
            file.truncate(0)
            file.write(folder)
            atexit.register(place.unlink, missing_ok=True)
    return {SERVERS: folder} if folder else {}


def environment(*, own_servers=False):
    """Return the environment of a run that starts servers of its own, or uses the shared ones."""
    own = {k: v for k, v in os.environ.items() if k not in (SERVERS, WORKFLOW)}
    return own if own_servers else own | shared_servers()


def run(folder, *arguments, check=True, own_servers=False, **options):
    """Run the command in a folder; fails the test if it fails, unless told not to check.

    Starting servers takes longer than most searches here, so runs share some, unless a test asks
    for the servers that a user's run starts.
    """
    folder.mkdir(exist_ok=True)
    arguments = command(folder, *arguments, **options)[len(SNAKEMAKE) :]
    done = snakemake_process.run(arguments, environment(own_servers=own_servers), PATIENCE)
    if check and done.returncode:
        pytest.fail(done.stdout[-3000:] + done.stderr[-3000:])
    return done


def search_folder(folder):
    """Return the results folder of the search that `command` configures."""
    return SearchFolder(folder / "results" / "s" / "seed0")


def contents(folder):
    """All files of a search whose content must not depend on how it was run."""
    root = search_folder(folder).root
    found = {}
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        name = str(path.relative_to(root))
        if name.startswith("logs/") or path.name == "tracked.json":
            continue
        found[name] = content(path)
    return found


def assert_same(folder, other):
    """Assert that two folders hold the same search, byte for byte.

    The second one may lack what is made after `TRAINED`, or explains it.
    """
    mine, theirs = contents(folder), contents(other)
    decisions = (".keras", "/plan.json", "/winners.json", "split.npz", "lineage.csv")
    needed = {name for name in mine if name.endswith(decisions)} - {"final/model.keras"}
    missing = (needed | {"final/summary.json"}) - theirs.keys()
    assert not missing, missing
    assert not theirs.keys() - mine.keys(), theirs.keys() - mine.keys()
    different = [name for name in theirs if mine[name] != theirs[name]]
    assert not different, different


def times(folder):
    """Return the modification times of a search's files, in nanoseconds."""
    root = search_folder(folder).root
    return {str(p.relative_to(root)): p.stat().st_mtime_ns for p in root.rglob("*") if p.is_file()}


def own_data(folder, labels):
    """Write a file of images; return the section of a config that names it."""
    folder.mkdir(exist_ok=True)
    x = np.random.default_rng(0).integers(0, 256, (len(labels), 6, 6), dtype=np.uint8)
    x[labels == 1, :3] //= 4
    np.savez(folder / "pictures.npz", x_train=x, y_train=labels)
    return {"datasets": {"pictures": {"source": "npz", "path": "pictures.npz"}}}
