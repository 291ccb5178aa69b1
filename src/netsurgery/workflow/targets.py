"""What a run makes of each search: its files, its plots and its place in MLflow."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from netsurgery.search.algorithms import Plan
from netsurgery.workflow.checkpoints import Wildcards
from netsurgery.workflow.inputs import Inputs
from netsurgery.workflow.search_jobs import TRACKED, Files
from netsurgery.workflow.searches import Searches

PLOTS = ("accuracy", "size", "front", "family_tree", "structure")
SUMMARY_FILES = ("summary.csv", "summary.html", "summary.json", "report.html")
REPORT_INPUTS = ("summary.json", "errors.json", "exports.json")  # of each finished search
FINAL_FILES = (
    "README.md",
    "errors.json",
    "exports.json",
    "model.keras",
    "network.json",
    "network.keras",
    "preprocessing.json",
    "summary.json",
    "test.json",
)

InputFunction = Callable[[Wildcards], Files]
SEARCH_MARKER = "_runs/{search}/seed{seed}.done"  # of a search that its own Snakemake run finished


class RunWildcards:
    """The wildcards that name a search and a seed."""

    def __init__(self, search: str, seed: int) -> None:
        self.search, self.seed = search, str(seed)


class Targets:
    """The targets of a run.

    Args:
        searches: The searches of the configuration.
        inputs: Their input functions.
        cores_per_search: The cores of each search that runs as a Snakemake process of its own; 0:
            all searches are in one DAG.
    """

    def __init__(self, searches: Searches, inputs: Inputs, cores_per_search: int) -> None:
        self.searches = searches
        self.inputs = inputs
        self.cores_per_search = cores_per_search
        self.config = searches.config
        self.results = self.config.results

    def final_targets(self) -> list[str | InputFunction]:
        """Return what the rule `all` requests."""
        summaries = [f"{self.results}/{name}" for name in SUMMARY_FILES]
        if self.cores_per_search:
            return [*self.search_markers(), *summaries]
        functions: list[str | InputFunction] = [
            make(name, seed)
            for name, seed in self.config.runs
            for make in (self.search_outputs, self.tracking_markers)
        ]
        return [*functions, *self.plots(), *([] if self.config.only_run else summaries)]

    def search_outputs(self, name: str, seed: int) -> InputFunction:
        """Return an input function that lists all files of a finished search.

        A damaged file is removed, and Snakemake only misses files that are requested themselves.
        """

        def files(_: Wildcards) -> Files:
            jobs = self.searches.jobs(name, seed)
            samples = self.inputs.samples(RunWildcards(name, seed))
            folder = jobs.folder
            fixed = [
                *samples.values(),
                folder.root / "split.json",
                *(folder.final / file for file in FINAL_FILES),
                folder.lineage,
                folder.front,
            ]
            references = self.inputs.reference(RunWildcards(name, seed))
            decisions = jobs.decision_files() + jobs.decision_reports()
            return decisions + list(map(str, fixed)) + references

        return files

    def tracking_markers(self, name: str, seed: int) -> InputFunction:
        """Return an input function that lists the MLflow markers of the planned generations.

        It does not wait for further plans, so that MLflow shows a search while it runs.
        """

        def files(_: Wildcards) -> Files:
            jobs = self.searches.jobs(name, seed)
            planned: list[Plan] = []
            last: Files = []
            try:
                for plan in jobs.plans():
                    planned.append(plan)
                last = [str(jobs.folder.final / TRACKED)]
            except self.searches.checkpoints.incomplete:
                pass  # the plans to come add their markers
            return [*jobs.tracked_generations(planned), *last]

        return files

    def plots(self) -> Files:
        """List the plots of all searches, and their checksums."""
        files = [*(f"{plot}.svg" for plot in PLOTS), "checksums.json"]
        return [
            f"{self.results}/{name}/seed{seed}/plots/{file}"
            for name, seed in self.config.runs
            for file in files
        ]

    def search_marker(self, name: str, seed: int) -> str:
        """Name the marker of a search that its own Snakemake run finished."""
        return f"{self.results}/{SEARCH_MARKER.format(search=name, seed=seed)}"

    def search_markers(self) -> Files:
        """List the markers of all searches that run as processes of their own."""
        return [self.search_marker(name, seed) for name, seed in self.config.runs]

    def completeness_token(self, wildcards: Wildcards) -> float | bool:
        """Return a parameter that changes when a file of a finished search is missing."""
        marker = Path(self.search_marker(wildcards.search, wildcards.seed))
        complete = self.searches.of(wildcards).folder.complete
        return not marker.exists() or complete or time.time()

    def summary_inputs(self) -> Files:
        """List what the table of all searches waits for."""
        return self._of_each_search(("summary.json",))

    def report_inputs(self) -> Files:
        """List what the report of all searches waits for."""
        return self._of_each_search(REPORT_INPUTS) + self._references()

    def _of_each_search(self, files: tuple[str, ...]) -> Files:
        if self.cores_per_search:
            return self.search_markers()
        return [
            f"{self.results}/{name}/seed{seed}/final/{file}"
            for name, seed in self.config.runs
            for file in files
        ]

    def _references(self) -> Files:
        """List the files of the reference models."""
        if self.cores_per_search:
            return []
        files = (self.inputs.reference(RunWildcards(*run)) for run in self.config.runs)
        return [path for each in files for path in each]

    def search_folders(self) -> Files:
        """List the folders of all searches."""
        return [f"{self.results}/{name}/seed{seed}" for name, seed in self.config.runs]
