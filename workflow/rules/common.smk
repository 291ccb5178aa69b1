"""The configuration, and functions that rules share: where files are, what is wanted."""

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
from netsurgery.config import loading as configuration
from netsurgery import datasets
from netsurgery.search.layout import SearchFolder
from netsurgery.processes.devices import SLOTS

PAPERS = ("ectonas", "surgeon")
# those papers whose targets are asked for. Snakemake knows its targets only once it has read all
# this; the jobs of a cluster, which have other targets, are told by the variable
REQUESTED_PAPERS = [paper for paper in PAPERS if f"paper_{paper}" in sys.argv]
REQUESTED_PAPERS = REQUESTED_PAPERS or os.getenv("NETSURGERY_PAPERS", "").split()
os.environ.update(NETSURGERY_PAPERS=" ".join(REQUESTED_PAPERS))


def default_searches():
    """The searches of the papers that are asked for; else those of config.yaml."""
    found = {}
    for name in [f"papers/{paper}" for paper in REQUESTED_PAPERS] or ["config"]:
        update_config(found, yaml.safe_load((HERE / f"config/{name}.yaml").read_text()))
    return found


# a user's file may hold only what differs; its searches replace the default ones
config = ({} if "searches" in config else default_searches()) | config
try:
    CONFIG = configuration.load(config, HERE / "workflow/schemas/config.schema.yaml")
except configuration.ConfigError as error:
    print(error, file=sys.stderr)
    sys.exit(1)

os.environ.update({SLOTS: str(CONFIG.jobs_per_gpu)}, NETSURGERY_SNAKEFILE=workflow.main_snakefile)
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
GENERATIONS = r"(?!00)\d\d+"  # the generations behind the warm-up


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
    remove_damaged_files()
    return SearchFolder(Path(RESULTS, wildcards.search, f"seed{wildcards.seed}"))


@cache
def _settings_json(search, names):
    """The named settings of a search as JSON: one text for all its jobs."""
    return json.dumps(CONFIG.searches[search].pick(names))


def settings(names):
    """A function that gives the named settings of a job's search, as JSON."""
    return lambda wildcards: _settings_json(wildcards.search, tuple(names))


def result_settings(wildcards):
    """All settings of a job's search as JSON that matter to what comes of it.

    Its other seeds are none of its business.
    """
    chosen = search_of(wildcards).settings
    kept = {key: value for key, value in chosen.items() if key not in ("seeds", "time_limit")}
    return json.dumps(kept)


def dataset_files(wildcards):
    """What a dataset is read from."""
    return datasets.watched_files(CONFIG.datasets[wildcards.dataset].settings)


def dataset_inputs(wildcards):
    """The prepared dataset of a job's search, and its split."""
    folder = f"{RESULTS}/_data/{search_of(wildcards).settings['dataset']}"
    return {
        "data": f"{folder}/data.json",
        "x": f"{folder}/x.npy",
        "y": f"{folder}/y.npy",
        "split": str(folder_of(wildcards).root / "split.npz"),
    }


def per_attempt(amount):
    """A resource that grows with every attempt at a job."""
    return lambda wildcards, attempt: amount * attempt
