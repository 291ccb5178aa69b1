"""Priorities and resources of jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from netsurgery.objectives.training_settings import PartSettings
from netsurgery.search.ectonas.priorities import HIGHEST
from netsurgery.storage.settings import from_settings
from netsurgery.workflow.checkpoints import Wildcards
from netsurgery.workflow.parameters import Parameters, step_of
from netsurgery.workflow.searches import Searches

STEP_MB = 2000  # of a training step


def per_attempt(amount: int) -> Callable[[Wildcards, int], int]:
    """Return a resource that grows with every retry: `amount` times the attempt, from 1."""
    return lambda wildcards, attempt: amount * attempt


class Scheduling:
    """Priority and resource functions of training jobs.

    Args:
        searches: The searches.
        parameters: Of their jobs.
        cores: That the run may use on this machine; None if jobs go to a cluster.
    """

    def __init__(self, searches: Searches, parameters: Parameters, cores: int | None) -> None:
        self.searches = searches
        self.parameters = parameters
        self.cores = cores

    def priority(self, wildcards: Wildcards) -> int:
        """Return the priority of a training job.

        Earlier searches go first, so that later ones fill the cores they leave idle. Within a
        search, the step with the longest chain of steps behind it goes first.
        """
        run = wildcards.search, int(wildcards.seed)
        step = step_of(wildcards)
        urgency = HIGHEST
        if step is not None:
            urgency = self.searches.of(wildcards).step_priority(int(wildcards.generation), step)
        return urgency - HIGHEST - (HIGHEST + 1) * self.searches.config.runs.index(run)

    def threads(self, wildcards: Wildcards) -> int:
        """Return the cores of a training that runs alone: as many as its batches have parts.

        Where others train at the same time, they share the cores of this machine. The weights are
        the same with any number.
        """
        jobs = self.searches.of(wildcards)
        given = from_settings(PartSettings, jobs.search.settings).batch_parts
        parts = 2 if isinstance(given, str) else given  # at most
        if parts == 1 or self.cores is None:
            return parts
        step = step_of(wildcards)
        beside = 1 if step is None else jobs.trained_beside(int(wildcards.generation), step)
        share = self.cores // (beside * len(self.searches.config.runs))
        return min(parts, max(1, share))

    def rounds(self, wildcards: Wildcards) -> int:
        """Return how many rounds a training job covers."""
        return 1 + len(self.parameters.later_rounds(wildcards))

    def per_round_and_attempt(self, amount: int) -> Callable[[Wildcards, int], int]:
        """Return a resource that grows with a job's rounds and with every retry."""
        return lambda wildcards, attempt: amount * attempt * self.rounds(wildcards)

    def time_limit(self, wildcards: Wildcards, output: Any) -> int:
        """Return the seconds after which a training job counts as failed; 0: no limit.

        `output` makes this a derived parameter in Snakemake's sense: no reason to rerun a job. A
        module may replace the resources of a rule.
        """
        return self.searches.search(wildcards).settings["time_limit"] * self.rounds(wildcards)

    def training_resources(self, minutes: int) -> dict[str, Any]:
        """Return the resources of a training job.

        Args:
            minutes: The run time that one round requests from a cluster.
        """
        return {
            "mem_mb": per_attempt(STEP_MB),
            "runtime": self.per_round_and_attempt(minutes),
            "gpu": self.searches.config.use_gpu,
        }
