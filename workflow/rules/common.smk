"""The configuration, file patterns, and the objects that rules ask for inputs and parameters."""

import os
import sys
from pathlib import Path

# Snakemake and its jobs use the package of this checkout, not an installed one; `basedir` is that
# of the Snakefile that imports this workflow
CHECKOUT = Path(workflow.current_basedir).parents[1]
sys.path.insert(0, str(CHECKOUT / "src"))

from netsurgery.config import job_settings
from netsurgery.workflow import startup, studies
from netsurgery.workflow.checkpoints import Checkpoints
from netsurgery.workflow.commands import (
    IGNORE_INTERRUPT,
    data_job,
    display_job,
    job,
    study_job,
    tensorflow_job,
    training_job,
)
from netsurgery.workflow.code_stages import REPORT, STAGES, code_digests, digest_of_modules
from netsurgery.workflow.dependencies import JobDependencies
from netsurgery.workflow.hashes import listing_hash
from netsurgery.workflow.inputs import Inputs, no_files
from netsurgery.workflow.parameters import Parameters
from netsurgery.workflow.scheduling import Scheduling, per_attempt
from netsurgery.workflow.searches import Searches
from netsurgery.workflow.session import join_session
from netsurgery.workflow.snakemake_internals import SnakemakeRun
from netsurgery.workflow.targets import PLOTS, SEARCH_MARKER, Targets

startup.set_environment(CHECKOUT / "src", CHECKOUT / "Snakefile")
snakemake_run = SnakemakeRun(workflow, sys.argv, CHECKOUT / "Snakefile")
REQUESTED_PAPERS = startup.requested_papers(sys.argv, os.environ)
startup.check_or_exit(snakemake_run.config_files)
config = startup.complete_config(config, CHECKOUT / "config", REQUESTED_PAPERS)
CONFIG = startup.load_or_exit(
    config,
    CHECKOUT / "workflow/schemas/config.schema.yaml",
    place=snakemake_run.take_prefix,
    data_exists=not snakemake_run.is_imported,
)

RESULTS = CONFIG.results
SEARCH = f"{RESULTS}/{{search}}/seed{{seed}}"
GENERATION = f"{SEARCH}/generation{{generation}}"
LOGS = f"{SEARCH}/logs"
DATA = f"{RESULTS}/_data/{{dataset}}"
STUDIES = f"{RESULTS}/_studies"
GENERATIONS = r"(?!00)\d\d+"  # the generations after the warm-up

# cores of each search that runs as a Snakemake process of its own; 0: all searches in one DAG, as
# Snakemake's report needs it to find the plots
CORES_PER_SEARCH = (
    0 if snakemake_run.makes_report else CONFIG.resolve_cores_per_search(snakemake_run.cores)
)
session = join_session(CONFIG, config, snakemake_run, CORES_PER_SEARCH)
session.checkpoints.append(checkpoints)

plans = Checkpoints(generation_plan, try_plan, IncompleteCheckpointException)
searches = Searches(CONFIG, plans, session.prepare)
inputs = Inputs(searches, data_is_made=snakemake_run.is_imported)
parameters = Parameters(searches)
dependencies = JobDependencies(parameters)
scheduling = Scheduling(searches, parameters, snakemake_run.cores)
targets = Targets(searches, inputs, CORES_PER_SEARCH)


wildcard_constraints:
    search=startup.any_of(CONFIG.searches),
    seed=r"\d+",
    dataset=startup.any_of(CONFIG.datasets),
    generation=r"\d\d+",
    candidate=r"g\d\d+c\d\d+",
    attempt=r"\d+",
    rank=r"\d+",
    slot=r"(phase1/[a-z_]+|phase2)/round\d+/slot\d+",
    study=f"{studies.SURGERY}|{studies.IMMEDIATE}",  # immediate: without the training that follows
    paper="|".join(startup.PAPERS),
