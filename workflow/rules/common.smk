"""The configuration, and functions that rules share: where files are, what a plan says."""

import json
import os
import re
import sys
from functools import cache
from pathlib import Path

import yaml

# the graph and its jobs use the package beside them, and the Python that runs the graph
HERE = Path(workflow.basedir)
sys.path.insert(0, str(HERE / "src"))
os.environ.update(
    PYTHONPATH=os.pathsep.join(filter(None, [sys.path[0], os.getenv("PYTHONPATH")])),
    PATH=os.pathsep.join([str(Path(sys.executable).parent), os.getenv("PATH", "")]),
)

import netsurgery
from netsurgery import config as configuration
from netsurgery import datasets
from netsurgery import integrity
from netsurgery.layout import SearchFolder
from netsurgery.lock import Refused, ResultsLock
from netsurgery.trainer.client import JOBS, SMALL_TRAINING, TRAINING
from netsurgery.trainer.launch import launch

DEFAULTS = yaml.safe_load((HERE / "config" / "config.yaml").read_text())

# a user's file may hold only what differs; its searches replace the default ones
config = DEFAULTS | config
try:
    CONFIG = configuration.load(config, HERE / "workflow/schemas/config.schema.yaml")
except configuration.ConfigError as error:
    print(error, file=sys.stderr)
    sys.exit(1)

RESULTS = str(Path(CONFIG.results))
for folder in filter(Path.exists, (Path(RESULTS), Path(".snakemake"))):
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        print(f"{folder}: cannot be written to", file=sys.stderr)
        sys.exit(1)

RUNS = [(search.name, seed) for search in CONFIG.searches.values() for seed in search.seeds]
SEARCH = f"{RESULTS}/{{search}}/seed{{seed}}"
GENERATION = f"{SEARCH}/generation{{generation}}"
LOGS = f"{SEARCH}/logs"
DATA = f"{RESULTS}/_data/{{dataset}}"


wildcard_constraints:
    search="|".join(map(re.escape, CONFIG.searches)),
    seed=r"\d+",
    dataset="|".join(map(re.escape, CONFIG.datasets)),
    generation=r"\d\d+",
    candidate=r"g\d\d+c\d\d+",
    attempt=r"\d+",
    rank=r"\d+",
    slot=r"(phase1/[a-z_]+|phase2)/round\d+/slot\d+",


def search_of(wildcards):
    """The search that a job belongs to."""
    return CONFIG.searches[wildcards.search]


def searches_by(algorithm):
    """A pattern for the searches that an algorithm runs; one that matches nothing if none does."""
    names = [name for name, search in CONFIG.searches.items() if search.algorithm == algorithm]
    return "|".join(map(re.escape, names)) or "(?!)"


def folder_of(wildcards):
    """The folder of a job's search and seed; whoever asks first has all files checked."""
    check()
    return SearchFolder(Path(RESULTS, wildcards.search, f"seed{wildcards.seed}"))


def settings(names):
    """A function that gives the named settings of a job's search, as JSON."""
    return lambda wildcards: json.dumps(search_of(wildcards).pick(names))


def all_settings(wildcards):
    """All settings of a job's search as JSON that matter to what comes of it.

    Its other seeds are none of its business.
    """
    chosen = search_of(wildcards).settings
    kept = {key: value for key, value in chosen.items() if key not in ("seeds", "time_limit")}
    return json.dumps(kept)


def time_limit(wildcards):
    """Seconds that a job may train; a resource, which is no reason to do finished jobs again."""
    return search_of(wildcards).settings["time_limit"]


def files_of(wildcards):
    """What a dataset is read from."""
    return datasets.watched(CONFIG.datasets[wildcards.dataset].settings)


def samples(wildcards):
    """The prepared dataset of a job's search, and its split."""
    folder = f"{RESULTS}/_data/{search_of(wildcards).settings['dataset']}"
    return {
        "data": f"{folder}/data.json",
        "x": f"{folder}/x.npy",
        "y": f"{folder}/y.npy",
        "split": str(folder_of(wildcards).root / "split.npz"),
    }


@cache
def check():
    """Take away what is damaged, so that it is made again; a dry run only names it.

    Gives the lock that was needed for it, if it was to be had; `begin` says if it was not.
    """
    held, results = None, Path(RESULTS)
    if not (workflow.is_main_process and results.is_dir()):
        return None
    if not workflow.dryrun:
        try:
            held = ResultsLock(results)
        except Refused:
            return None
    found = integrity.damaged(results)
    for each in found:
        print(each, file=sys.stderr)
    if held:
        integrity.take_away(found)
    return held


def begin():
    """Take the results folder for this run alone, and start the warm servers.

    Both are held by this process and end with it.
    """
    global lock, servers
    try:
        lock = check() or ResultsLock(Path(RESULTS))
    except Refused as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    used = {search.settings["dataset"] for search in CONFIG.searches.values()}
    small = {datasets.is_small(CONFIG.datasets[name].settings) for name in used}
    expected = {SMALL_TRAINING if few else TRAINING for few in small}
    servers = launch(Path(RESULTS) / "_logs", {JOBS, *expected})
    if workflow.local_exec:
        # Snakemake's limit of jobs per second adds a timer for every job that ends while others are
        # ready, and each rings every second from then on: after 600 jobs half a second a job
        workflow.scheduler.job_rate_limiter = None


def explain(log):
    """Say in a line each what ended the run: the last line of every failed job's log."""
    texts = [Path(path).read_text(errors="replace") for path in log]
    failed = re.findall(r"^Logfile (.+):$", "".join(texts), re.MULTILINE)
    lasts = [Path(path).read_text(errors="replace").split("\n") for path in failed]
    said = dict.fromkeys(line for lines in lasts for line in list(filter(None, lines))[-1:])
    for line in said:
        print(line, file=sys.stderr)
    print("when that is mended, the same command goes on where this run was", file=sys.stderr)
