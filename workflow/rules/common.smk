"""The configuration, and functions that rules share: where files are, what a plan says."""

import json
import os
import re
import sys
from functools import cache
from pathlib import Path

import yaml
from snakemake.utils import update_config

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
from netsurgery.experiments import runs
from netsurgery.files import write_text
from netsurgery.layout import SearchFolder
from netsurgery.lock import Refused, ResultsLock
from netsurgery.trainer.client import JOBS, SMALL_TRAINING, TRAINING
from netsurgery.trainer.devices import SLOTS
from netsurgery.trainer.launch import in_reach, launch, leave
from netsurgery.trainer.lifeline import die_with_workflow

PAPERS = ("ectonas", "surgeon")
# those papers whose targets are asked for. Snakemake knows its targets only once it has read all
# this; the jobs of a cluster, which have other targets, are told by the variable
ASKED = [paper for paper in PAPERS if f"paper_{paper}" in sys.argv]
ASKED = ASKED or os.getenv("NETSURGERY_PAPERS", "").split()
os.environ.update(NETSURGERY_PAPERS=" ".join(ASKED))


def default_searches():
    """The searches of the papers that are asked for; else those of config.yaml."""
    found = {}
    for name in [f"papers/{paper}" for paper in ASKED] or ["config"]:
        update_config(found, yaml.safe_load((HERE / f"config/{name}.yaml").read_text()))
    return found


# a user's file may hold only what differs; its searches replace the default ones
config = ({} if "searches" in config else default_searches()) | config
try:
    CONFIG = configuration.load(config, HERE / "workflow/schemas/config.schema.yaml")
except configuration.ConfigError as error:
    print(error, file=sys.stderr)
    sys.exit(1)

os.environ.update({SLOTS: str(CONFIG.gpu_slots)}, NETSURGERY_SNAKEFILE=workflow.main_snakefile)
RESULTS = str(Path(CONFIG.results))
for folder in filter(Path.exists, (Path(RESULTS), Path(".snakemake"))):
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        print(f"{folder}: cannot be written to", file=sys.stderr)
        sys.exit(1)

RUNS = CONFIG.runs
SEARCH = f"{RESULTS}/{{search}}/seed{{seed}}"
GENERATION = f"{SEARCH}/generation{{generation}}"
LOGS = f"{SEARCH}/logs"
DATA = f"{RESULTS}/_data/{{dataset}}"
PLANNED = r"(?!00)\d\d+"  # the generations behind the warm-up


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


def trainers():
    """The kinds of servers that training jobs of this configuration ask for."""
    used = {search.settings["dataset"] for search in CONFIG.searches.values()}
    small = {datasets.is_small(CONFIG.datasets[name].settings) for name in used}
    return {SMALL_TRAINING if few else TRAINING for few in small}


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


def more(amount):
    """A resource that grows with every attempt at a job."""
    return lambda wildcards, attempt: amount * attempt


def begin():
    """Take the results folder for this run, and start the warm servers.

    Both are held by this process and end with it. Runs of single searches share the folder, and the
    servers of the run that started them.
    """
    global lock, driving, servers
    shared = APART or CONFIG.only is not None
    try:
        lock = check() or ResultsLock(Path(RESULTS), shared=shared)
        driving = ResultsLock(Path(RESULTS) / "_apart") if APART else None
    except Refused as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    if shared:
        lock.share()
    if CONFIG.only is None:
        runs.write_listing(CONFIG)
    if APART:
        write_config()
    elif not workflow.local_exec:
        print("each training step is a job; with --config apart=4 each search is", file=sys.stderr)
    if not (CONFIG.only and in_reach()):
        on_this_machine = trainers() if workflow.local_exec else set()
        servers = launch(Path(RESULTS) / "_logs", {JOBS, *on_this_machine})
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


# a job of a cluster, on its node: it is to stay in its allocation, and a group of jobs has a warm
# server there. In a SLURM job, each step has a Snakemake of its own, which finds that server.
if workflow.remote_exec and ("slurm-jobstep" in sys.argv or "SLURM_STEP_ID" not in os.environ):
    leave()
    if "--local-groupid" in sys.argv:
        servers = launch(None, trainers())

# a run of one search under another run ends with that, however it ends
if CONFIG.only:
    die_with_workflow()
