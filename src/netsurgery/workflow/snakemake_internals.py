"""What the workflow uses of Snakemake that Snakemake does not document.

All of it is here, each with what happens without it. `TESTED_VERSIONS` names the versions of
Snakemake that it was tested on; a test fails on another one, or when an interface is missing.
"""

from __future__ import annotations

import logging
import os
from typing import Any

TESTED_VERSIONS = ("9.27.1",)
# attributes, by the object that has them
INTERFACES = {
    "workflow": (
        "basedir",
        "dag",
        "dryrun",
        "is_main_process",
        "local_exec",
        "main_snakefile",
        "remote_exec",
        "resource_settings",
        "scheduler",
    ),
    "resource_settings": ("cores", "nodes"),
    "scheduler": ("job_rate_limiter",),
    "dag": (
        "jobs",
        "dag_processors",
        "_checked_jobs",
        "_checked_needrun_jobs",
        "_jobid",
        "_priority",
        "_seen_outputs",
    ),
}

logger = logging.getLogger(__name__)


def missing_interfaces(workflow: Any) -> list[str]:
    """List what this version of Snakemake lacks.

    Args:
        workflow: Snakemake's object of that name, once it has a DAG.
    """
    objects = {name: getattr(workflow, name, None) for name in INTERFACES}
    objects["workflow"] = workflow
    return [
        f"{name}.{attribute}"
        for name, attributes in INTERFACES.items()
        for attribute in attributes
        if not hasattr(objects[name], attribute)
    ]


class SnakemakeRun:
    """The running Snakemake.

    Args:
        workflow: Snakemake's object of that name.
        arguments: The command line.
    """

    def __init__(self, workflow: Any, arguments: list[str]) -> None:
        self._workflow = workflow
        self._arguments = arguments

    @property
    def is_main(self) -> bool:
        """Whether this is the process that the user started, not one of its jobs."""
        return self._workflow.is_main_process

    @property
    def is_dry(self) -> bool:
        """Whether this run only says what it would do."""
        return self._workflow.dryrun

    @property
    def runs_locally(self) -> bool:
        """Whether jobs run on this machine."""
        return self._workflow.local_exec

    @property
    def is_cluster_job(self) -> bool:
        """Whether this is Snakemake in a cluster's job, and the first one there.

        In a job of SLURM each step has a Snakemake of its own, below that of the job.
        """
        first = "slurm-jobstep" in self._arguments or "SLURM_STEP_ID" not in os.environ
        return self._workflow.remote_exec and first

    @property
    def is_group_job(self) -> bool:
        """Whether this runs a group of jobs."""
        return "--local-groupid" in self._arguments

    @property
    def cores(self) -> int | None:
        """The cores that the run may use on this machine; None if jobs go to a cluster.

        None, too, for Snakemake's own report, which finds plots in a single DAG only.
        """
        given = self._workflow.resource_settings
        return None if given.nodes or "--report" in self._arguments else given.cores

    def plans_rule(self, rule: str) -> bool:
        """Whether the DAG has a job of a rule."""
        return any(job.rule.name == rule for job in self._workflow.dag.jobs)

    def speed_up(self) -> None:
        """Keep Snakemake from slowing down, and from filling the memory, in long searches.

        Both depend on how Snakemake works inside. Without them a run gives the same results.
        """
        if self.runs_locally:
            # the limit of jobs per second adds a timer for every job that ends while others are
            # ready, and each timer fires every second from then on: half a second per job after
            # 600 jobs. No option turns it off.
            self._workflow.scheduler.job_rate_limiter = None
        dag = self._workflow.dag
        try:
            dag.dag_processors.append(ReplacedJobPruner(dag))
        except AttributeError as error:
            logger.warning("long searches take more memory with this Snakemake: %s", error)


class Replaced:
    """Takes the place of a replaced job in the table of job numbers."""

    __slots__ = ()


class ReplacedJobPruner:
    """Removes jobs from the DAG's tables that Snakemake has replaced.

    After a plan, Snakemake replaces the jobs that waited for it, but never removes the old ones,
    with all file names they hold. In ten searches at once they were as many as the jobs of the DAG.
    Snakemake calls `process` after every change of the DAG.

    Args:
        dag: Snakemake's DAG.

    Raises:
        AttributeError: The DAG has other tables.
    """

    def __init__(self, dag: Any) -> None:
        self.dag = dag
        self.numbers, self.priorities = dag._jobid, dag._priority
        self.producers = dag._seen_outputs
        self.checked = [dag._checked_jobs, dag._checked_needrun_jobs]
        self.checked += [each.processed_jobs for each in dag.dag_processors]

    def process(self) -> None:
        """Remove each job that is not in the DAG while another job there has its number.

        A new job's number is the length of the table of numbers, so a removed job has to leave a
        placeholder.
        """
        successors = {self.numbers[job]: job for job in self.dag.jobs}
        replaced = [
            job
            for job, number in self.numbers.items()
            if number in successors and successors[number] is not job
            if not isinstance(job, Replaced)
        ]
        for job in replaced:
            number = self.numbers.pop(job)
            self.numbers[Replaced()] = number
            self.priorities.pop(job, None)
            for file in job.output:
                if self.producers.get(file) is job:
                    self.producers[file] = successors[number]
        for jobs in self.checked:
            jobs.difference_update(replaced)
