"""From a rule's wildcards to the search that a job belongs to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from netsurgery.config.model import Config, Dataset, Search
from netsurgery.search.layout import SearchFolder
from netsurgery.workflow.arbor_jobs import ArborJobs
from netsurgery.workflow.baseline_jobs import BaselineJobs
from netsurgery.workflow.checkpoints import Checkpoints, Wildcards
from netsurgery.workflow.ectonas_jobs import EctonasJobs
from netsurgery.workflow.search_jobs import SearchJobs
from netsurgery.workflow.surgeon_jobs import SurgeonJobs

JOBS: dict[str, type[SearchJobs]] = {  # of each algorithm, by its name
    "arbor": ArborJobs,
    "baseline": BaselineJobs,
    "ectonas": EctonasJobs,
    "surgeon": SurgeonJobs,
}


class Searches:
    """The searches of a configuration.

    Args:
        config: The configuration.
        checkpoints: The plans that jobs wait for.
        before_files: Called whenever a rule asks for something, before any file is looked at.
    """

    def __init__(
        self, config: Config, checkpoints: Checkpoints, before_files: Callable[[], object]
    ) -> None:
        self.config = config
        self.checkpoints = checkpoints
        self.before_files = before_files

    def search(self, wildcards: Wildcards) -> Search:
        """Return the search that a job belongs to."""
        self.before_files()
        return self.config.searches[wildcards.search]

    def dataset(self, wildcards: Wildcards) -> Dataset:
        """Return the dataset that a job prepares."""
        self.before_files()
        return self.config.datasets[wildcards.dataset]

    def of_algorithm(self, algorithm: str) -> list[str]:
        """List the names of the searches that an algorithm runs."""
        searches = self.config.searches.items()
        return [name for name, search in searches if search.algorithm.name == algorithm]

    def jobs(self, search: str, seed: int) -> SearchJobs:
        """Return the jobs of a search with one seed."""
        self.before_files()
        chosen = self.config.searches[search]
        folder = SearchFolder(Path(self.config.results, search, f"seed{seed}"))
        return JOBS[chosen.algorithm.name](chosen, seed, folder, self.checkpoints)

    def of(self, wildcards: Wildcards) -> SearchJobs:
        """Return the jobs of the search and seed that a job belongs to."""
        return self.jobs(wildcards.search, int(wildcards.seed))

    def arbor(self, wildcards: Wildcards) -> ArborJobs:
        """Return the same for a job of Arbor."""
        jobs = self.of(wildcards)
        assert isinstance(jobs, ArborJobs)
        return jobs

    def ectonas(self, wildcards: Wildcards) -> EctonasJobs:
        """Return the same for a job of ECToNAS."""
        jobs = self.of(wildcards)
        assert isinstance(jobs, EctonasJobs)
        return jobs

    def surgeon(self, wildcards: Wildcards) -> SurgeonJobs:
        """Return the same for a job of the Surgeon."""
        jobs = self.of(wildcards)
        assert isinstance(jobs, SurgeonJobs)
        return jobs
