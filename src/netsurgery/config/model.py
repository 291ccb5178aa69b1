"""A checked and complete configuration: its searches, datasets and top-level settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from netsurgery import datasets
from netsurgery.config.job_settings import SPLIT
from netsurgery.config.starting_models import StartingModel
from netsurgery.networks import topologies
from netsurgery.objectives.schedules import CONSTANT
from netsurgery.objectives.step_rates import Along, StepRates
from netsurgery.search.algorithm import Algorithm
from netsurgery.search.algorithms import algorithm_of
from netsurgery.search.selection import SelectionMode

MAX_RUNS_IN_ONE_DAG = 20  # with more, Snakemake's cost per job grows noticeably


@dataclass(frozen=True)
class Search:
    """A search with all its settings. It runs once per seed."""

    name: str
    settings: Mapping[str, Any]
    layers: list[dict[str, Any]]  # the entries of the starting topology
    model: StartingModel | None = None  # the user's model that it starts from instead

    @property
    def algorithm(self) -> Algorithm:
        """Its algorithm."""
        return algorithm_of(self.settings)

    @property
    def seeds(self) -> list[int]:
        """The seeds it runs with."""
        return self.settings["seeds"]

    def split_settings(self, seed: int) -> dict[str, Any]:
        """Return the settings of the split of one run; with `folds`, which fold it tests on.

        Runs in the order of their seeds test on one fold after the other.
        """
        found = {key: self.settings[key] for key in SPLIT if key in self.settings}
        if folds := self.settings.get("folds"):
            place = self.seeds.index(seed)
            first = self.seeds[place - place % folds]
            found["fold"] = {"index": place % folds, "count": folds, "seed": first}
        return found

    @property
    def start(self) -> Any:
        """What it starts from, as JSON values: the entries, or the content of a model."""
        return self.layers if self.model is None else {"model": self.model.sha256}

    @property
    def first_epochs(self) -> int | None:
        """Epochs that the initial network trains: the warm-up, or all epochs of a baseline.

        None: as many as its time allows.
        """
        return self.algorithm.initial_epochs(self.settings)

    @property
    def first_seconds(self) -> float | None:
        """Seconds that the initial network may train; None unless the budget is a time."""
        return self.algorithm.initial_seconds(self.settings)

    @property
    def rates(self) -> StepRates:
        """The learning rates of a training step whose plan sets none; None: they are constant."""
        if self.settings["schedule"] == CONSTANT:
            return None
        return Along(self.algorithm.schedule_epochs(self.settings))

    def target_of(self, step: str) -> float | None:
        """The value of the objective at which a training step ends; None: it does not."""
        return self.settings.get("target") if self.algorithm.may_stop(step) else None

    @property
    def output_activation(self) -> str:
        """The activation of the output layer for classification."""
        return "linear" if self.settings["topology"] in topologies.WITH_LOGITS else "softmax"

    @property
    def final_mode(self) -> SelectionMode:
        """How the final candidate is selected."""
        return self.algorithm.final_mode(self.settings)

    def pick(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the settings of these names; optional ones only if they are set."""
        return {name: self.settings[name] for name in names if name in self.settings}


@dataclass(frozen=True)
class Dataset:
    """A dataset and its source."""

    name: str
    settings: dict[str, Any]

    @property
    def task(self) -> str:
        """Classification or regression."""
        return datasets.task_of(self.settings)


@dataclass(frozen=True)
class Config:
    """A checked and complete configuration."""

    results: str
    datasets: Mapping[str, Dataset]
    searches: Mapping[str, Search]
    tracking: Mapping[str, Any]
    scale: float = 1.0
    cores_per_search: int | None = None  # None: `resolve_cores_per_search` decides
    only_run: tuple[str, int] | None = None  # the one search and seed to run
    use_gpu: int = 0  # GPU slots that a training step requests
    jobs_per_gpu: int = 1  # training steps at once on one GPU

    @property
    def runs(self) -> list[tuple[str, int]]:
        """Each search with each of its seeds, or the one of `only_run`."""
        every = [(search.name, seed) for search in self.searches.values() for seed in search.seeds]
        return every if self.only_run is None else [self.only_run]

    @property
    def notes(self) -> list[str]:
        """What searches do not keep of the models that they start from, one line each."""
        models = [search.model for search in self.searches.values() if search.model]
        lines = (f"{model.path}: {note}" for model in models for note in model.notes)
        return list(dict.fromkeys(lines))

    def resolve_cores_per_search(self, cores: int | None) -> int:
        """Return the cores of each search that runs as a Snakemake process of its own; 0: one DAG.

        Without `cores_per_search`, more than 20 runs on one machine get a process each: in one DAG
        the cost of a job and the memory of Snakemake grow with their number.

        Args:
            cores: The cores of this machine that the run may use; None on a cluster.
        """
        if self.only_run is not None:
            return 0
        if self.cores_per_search is not None:
            return self.cores_per_search
        many = len(self.runs) > MAX_RUNS_IN_ONE_DAG
        return max(1, cores // len(self.runs)) if cores and many else 0
