"""The runs that a configuration requests, and the state of each.

The workflow lists the runs in `searches.json` when it starts, so that missing runs are known later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from netsurgery.config.model import Config, Search
from netsurgery.config.starting_models import StartingModel
from netsurgery.networks.topology import Topology
from netsurgery.search.algorithm import Algorithm
from netsurgery.search.algorithms import algorithm_of
from netsurgery.search.layout import SearchFolder
from netsurgery.search.records import Status
from netsurgery.storage.files import UnusableFileError, read_json, write_json

LISTING = "searches.json"
FINISHED, FAILED, UNFINISHED, MISSING = "finished", "failed", "unfinished", "not started"


@dataclass(frozen=True)
class Run:
    """A search with one seed, and its summary if it is finished."""

    search: str
    seed: int
    settings: Mapping[str, Any]
    layers: list[dict[str, Any]]  # hidden layers of the starting topology
    original: str  # the dataset, or the one that it is an excerpt of
    folder: SearchFolder
    summary: Mapping[str, Any] | None

    @property
    def algorithm(self) -> Algorithm:
        """Its algorithm."""
        return algorithm_of(self.settings)

    @property
    def method(self) -> str:
        """Its algorithm and mode, as tables name them."""
        return self.algorithm.method(self.settings)

    @property
    def dataset(self) -> str:
        """The name of its dataset."""
        return self.settings["dataset"]

    @property
    def topology(self) -> str:
        """The name of its starting topology."""
        return self.settings["topology"]

    @property
    def case(self) -> tuple[str, str, int]:
        """What the runs of a pair share: dataset, topology and seed."""
        return self.dataset, self.topology, self.seed

    @cached_property
    def state(self) -> str:
        """Finished, failed (the weights are not finite), unfinished or not started."""
        if self.summary is not None:
            return FINISHED if self.summary["status"] == Status.OK else FAILED
        return UNFINISHED if self.folder.root.exists() else MISSING

    @property
    def result(self) -> Mapping[str, Any] | None:
        """Its summary; None for a failed or unfinished run."""
        return self.summary if self.state == FINISHED else None

    @property
    def starts_convolutional(self) -> bool:
        """Whether the starting topology has convolutions."""
        return any("dense" not in layer for layer in self.layers)

    @property
    def ends_convolutional(self) -> bool:
        """Whether the final topology has convolutions."""
        assert self.summary is not None
        return any(layer.startswith("conv") for layer in self.summary["layers"])


@dataclass(frozen=True)
class Experiment:
    """All runs of a configuration."""

    scale: float
    runs: list[Run]
    pooling_trials: Path  # the summary of that study, which may be missing

    def of_methods(self, methods: Iterable[str]) -> list[Run]:
        """The runs of some methods."""
        selected = set(methods)
        return [run for run in self.runs if run.method in selected]


def listing(config: Config) -> dict[str, Any]:
    """The content of `searches.json`, as JSON values."""
    return {
        "scale": config.scale,
        "searches": [
            {
                "name": search.name,
                "settings": dict(search.settings),
                "layers": search.layers,
                **({"model": search.model.to_json()} if search.model else {}),
                "original": config.datasets[search.settings["dataset"]].settings.get(
                    "excerpt_of", search.settings["dataset"]
                ),
            }
            for search in config.searches.values()
        ],
    }


def write_listing(config: Config) -> None:
    """Write the runs that a configuration requests, if they have changed."""
    path, content = Path(config.results) / LISTING, listing(config)
    if not path.exists() or read_json(path) != content:
        write_json(path, content)


def listed_config(results: Path) -> Config:
    """Read the searches of the last configuration that used a results folder, if there was one."""
    path = results / LISTING
    none: dict[str, Any] = {"scale": 1.0, "searches": []}
    listed = read_json(path) if path.exists() else none
    searches = {
        each["name"]: Search(each["name"], each["settings"], each["layers"], _model(each))
        for each in listed["searches"]
    }
    scale = listed["scale"]
    return Config(str(results), datasets={}, searches=searches, tracking={}, scale=scale)


def _model(listed: Mapping[str, Any]) -> StartingModel | None:
    """The user's model that a listed search starts from, without its layers."""
    given = listed.get("model")
    return given and StartingModel(**given, topology=Topology((), ()), settings={})


def read_experiment(results: Path) -> Experiment:
    """Read the runs of the last configuration that used a results folder.

    Raises:
        UnusableFileError: no run was ever started there.
    """
    path = results / LISTING
    if not path.exists():
        raise UnusableFileError(
            f"{path}: not found; run snakemake first, or give the results folder of a run"
        )
    return experiment_of(read_json(path), results)


def experiment_of(content: Mapping[str, Any], results: Path) -> Experiment:
    """The runs of a listing (see `listing`), with what a results folder has of them."""
    runs = []
    for search in content["searches"]:
        for seed in search["settings"]["seeds"]:
            folder = SearchFolder(results / search["name"] / f"seed{seed}")
            summary = folder.final / "summary.json"
            runs.append(
                Run(
                    search["name"],
                    seed,
                    search["settings"],
                    search["layers"],
                    search["original"],
                    folder,
                    read_json(summary) if summary.exists() else None,
                )
            )
    trials = results / "_studies" / "pooling" / "summary.csv"
    return Experiment(content["scale"], runs, trials)
