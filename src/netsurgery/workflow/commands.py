"""The shell commands of rules: every job goes through the client of the warm servers.

The client (`netsurgery.processes.client`) runs a job in a warm server if one is in reach, else in a
process of its own. `-S` keeps Python from searching for packages that the client does not need.

A terminal sends Ctrl-C to all processes of a run. Jobs ignore it, so that none fails before
Snakemake knows why: the run ends them (`netsurgery.workflow.interruption`).
"""

from __future__ import annotations

from netsurgery.processes.client import DISPLAY, JOBS, TRAINING

IGNORE_INTERRUPT = "trap '' INT; "
CLIENT = IGNORE_INTERRUPT + "python -S -m netsurgery.processes.client"
TO_LOG = " > {log} 2>&1"
TO_USER = " 2>&1 | tee {log} >&2"
# what every command of `netsurgery.jobs.training_commands` needs to know
STEP = "--data {params.folder} --split {input.split} --seed {wildcards.seed}"
STEP += " --settings {params.settings:q} --dependencies {params.dependencies:q}"
# what a step that trains needs to know as well
SCHEDULED = "--threads {threads} --rates {params.rates:q} --stream {params.stream:q}"


def job(command: str, arguments: str) -> str:
    """Return the command line of a job that the training waits for.

    Args:
        command: Of `netsurgery.jobs`.
        arguments: Its options, as a format string for Snakemake.
    """
    return f"{CLIENT} {JOBS} {command} {arguments}{TO_LOG}"


def data_job(command: str, arguments: str) -> str:
    """Return the command line of a job whose messages the user sees, as well as its log."""
    return f"{CLIENT} {JOBS} {command} {arguments}{TO_USER}"


def display_job(command: str, arguments: str) -> str:
    """Return the command line of a job that plots, reports, or logs to MLflow."""
    return f"{CLIENT} {DISPLAY} {command} {arguments}{TO_LOG}"


def training_job(command: str, arguments: str) -> str:
    """Return the command line of a training step that a failure of its candidate does not end.

    Args:
        command: Of `netsurgery.jobs.training_commands`.
        arguments: The options that only this command has, as a format string for Snakemake.
    """
    limit = "--time-limit {params.time_limit}"
    return f"{CLIENT} {TRAINING} {limit} {command} {STEP} {SCHEDULED} {arguments}{TO_LOG}"


def tensorflow_job(command: str, arguments: str) -> str:
    """Return the command line of a job without a time limit that needs TensorFlow."""
    return f"{CLIENT} {TRAINING} {command} {STEP} {arguments}{TO_LOG}"


def study_job(command: str, arguments: str) -> str:
    """Return the command line of a job of the studies, in a process of its own.

    Such jobs are few, and one of them measures time.

    Args:
        command: Of `netsurgery.reproduction.studies`.
        arguments: Its options, as a format string for Snakemake.
    """
    return (
        f"{IGNORE_INTERRUPT}python -m netsurgery.reproduction.studies {command} {arguments}{TO_LOG}"
    )
