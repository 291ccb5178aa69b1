"""What the workflow uses of Snakemake that Snakemake does not document.

All of it is here, each with what happens without it. `TESTED_VERSIONS` names the versions of
Snakemake that it was tested on; a test fails on another one, or when an interface is missing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

LOGGER = "snakemake.logging"
TESTED_VERSIONS = ("9.27.1",)
# attributes, by the object that has them
INTERFACES = {
    "workflow": (
        "_onerror",
        "_onstart",
        "_onsuccess",
        "configfiles",
        "dag",
        "dryrun",
        "executor_plugin",
        "is_main_process",
        "local_exec",
        "main_snakefile",
        "modifier",
        "remote_exec",
        "resource_settings",
        "scheduler",
        "touch",
    ),
    "modifier": ("modify_rulename", "path_modifier"),
    "resource_settings": ("cores", "nodes"),
    "scheduler": ("job_rate_limiter",),
    "dag": (
        "jobs",
        "dag_processors",
        "forcefiles",
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


class UnmodifiedPaths:
    """Takes the place of Snakemake's object that gives the paths of a module its prefix."""

    modifies_prefixes = False
    skip_properties: frozenset[str] = frozenset()

    def modify(self, path: Any, property: str | None = None) -> Any:
        """Return the path as it is."""
        return path

    replace_prefix = modify


class SnakemakeRun:
    """The running Snakemake.

    Args:
        workflow: Snakemake's object of that name.
        arguments: The command line.
        snakefile: The Snakefile of this workflow.
    """

    def __init__(self, workflow: Any, arguments: list[str], snakefile: Path) -> None:
        self._workflow = workflow
        self._arguments = arguments
        self.is_imported = Path(workflow.main_snakefile).resolve() != snakefile.resolve()
        # while the workflow is parsed: afterwards it is that of the importing workflow
        self._modifier = workflow.modifier

    @property
    def is_main(self) -> bool:
        """Whether this is the process that the user started, not one of its jobs."""
        return self._workflow.is_main_process

    @property
    def is_dry(self) -> bool:
        """Whether this run starts no jobs: it only says what it would do, or what there is."""
        workflow = self._workflow
        return workflow.executor_plugin is None or workflow.dryrun or workflow.touch

    @property
    def config_files(self) -> list[Path]:
        """The files that Snakemake has read the configuration from."""
        return [Path(each) for each in self._workflow.configfiles]

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
        """The cores that the run may use on this machine; None if jobs go to a cluster."""
        given = self._workflow.resource_settings
        return None if given.nodes else given.cores

    @property
    def makes_report(self) -> bool:
        """Whether Snakemake only writes its own report."""
        return any(each.partition("=")[0] == "--report" for each in self._arguments)

    def plans_rule(self, rule: str) -> bool:
        """Whether the DAG has a job of a rule."""
        name = self._modifier.modify_rulename(rule)
        return any(job.rule.name == name for job in self._workflow.dag.jobs)

    def take_prefix(self, results: str) -> str:
        """Return the folder of results with the prefix of the module that this workflow is.

        Snakemake gives the prefix to the paths of rules alone, but the functions of rules need to
        know where files are. So from here on, it leaves the paths of this module as they are.
        """
        path = f"{results}/."
        moved = str(self._modifier.path_modifier.replace_prefix(path))
        if moved != path:
            self._modifier.path_modifier = UnmodifiedPaths()
        return moved.removesuffix("/.")

    def call(
        self,
        start: Callable[[], object],
        success: Callable[[], object],
        error: Callable[[Any], object],
    ) -> None:
        """Call functions when the run starts and ends.

        Snakemake does so by itself for the main workflow. It ignores these parts of modules, and
        of included files if the workflow that includes them has its own.

        Args:
            start: Called before the first job.
            success: Called when all jobs are done.
            error: Called when a job has failed, with the paths of Snakemake's logs.
        """
        hooks = {
            "_onstart": lambda _: start(),
            "_onsuccess": lambda _: success(),
            "_onerror": error,
        }
        for name, function in hooks.items():
            setattr(self._workflow, name, _both(function, getattr(self._workflow, name)))

    def force(self, files: Iterable[Path]) -> None:
        """Let a dry run show the jobs that make files again, although the files are there."""
        self._workflow.dag.forcefiles.update(map(str, files))

    def silence(self) -> None:
        """Keep Snakemake from printing anything more, on the screen or into its log."""
        logging.getLogger(LOGGER).disabled = True

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


def _both(first: Callable[[Any], object], second: Callable[[Any], object]) -> Callable[[Any], None]:
    def both(log: Any) -> None:
        first(log)
        second(log)

    return both


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
