"""The runs of a configuration: what was asked for, and what became of each.

The workflow writes the list when it starts, so that whoever looks later knows what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from netsurgery.config.model import Config
from netsurgery.search.layout import SearchFolder
from netsurgery.search.records import OK
from netsurgery.storage.files import UnusableFileError, read_json, write_json

LISTING = "searches.json"
FINISHED, FAILED, UNFINISHED, MISSING = "finished", "failed", "unfinished", "not begun"
BASELINE, GREEDY, RANDOM = "baseline", "greedy", "random"
SURGEON, WALK = "Surgeon", "random walk"


@dataclass(frozen=True)
class Run:
    """A search with one seed, and its summary where it is finished."""

    search: str
    seed: int
    settings: Mapping[str, Any]
    layers: list[dict[str, Any]]  # the hidden ones of the starting topology
    original: str  # the dataset that its samples are of, or an excerpt of
    folder: SearchFolder
    summary: Mapping[str, Any] | None

    @property
    def method(self) -> str:
        """What the tables call its algorithm and mode."""
        algorithm, mode = self.settings["algorithm"], self.settings.get("mode")
        if algorithm == "baseline":
            return BASELINE
        if algorithm == "surgeon":
            return WALK if mode == RANDOM else SURGEON
        return f"alpha {self.settings['greediness']:g}" if mode == "balanced" else str(mode)

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
        """What runs of different methods must share to be compared in pairs."""
        return self.dataset, self.topology, self.seed

    @cached_property
    def state(self) -> str:
        """What became of it: finished, failed (its weights are not finite), or missing."""
        if self.summary is not None:
            return FINISHED if self.summary["status"] == OK else FAILED
        return UNFINISHED if self.folder.root.exists() else MISSING

    @property
    def result(self) -> Mapping[str, Any] | None:
        """Its summary, if that counts."""
        return self.summary if self.state == FINISHED else None

    @property
    def starts_with_convolutions(self) -> bool:
        """Whether its starting topology has any."""
        return any("dense" not in layer for layer in self.layers)

    @property
    def ends_with_convolutions(self) -> bool:
        """Whether its final topology has any."""
        assert self.summary is not None
        return any(layer.startswith("conv") for layer in self.summary["layers"])


@dataclass(frozen=True)
class Experiment:
    """All runs of a configuration."""

    results: Path
    scale: float
    runs: list[Run]

    def those(self, methods: Iterable[str], datasets: Iterable[str] | None = None) -> list[Run]:
        """The runs of some methods, on some datasets."""
        wanted = set(methods)
        there = None if datasets is None else set(datasets)
        return [
            run
            for run in self.runs
            if run.method in wanted and (there is None or run.dataset in there)
        ]

    def datasets(self, runs: Iterable[Run] | None = None) -> dict[str, str]:
        """The datasets' names with those they stand for, in the order of the configuration."""
        return {run.dataset: run.original for run in (self.runs if runs is None else runs)}


def listing(config: Config) -> dict[str, Any]:
    """What `searches.json` holds: plain values."""
    return {
        "scale": config.scale,
        "searches": [
            {
                "name": search.name,
                "settings": dict(search.settings),
                "layers": search.layers,
                "original": config.datasets[search.settings["dataset"]].settings.get(
                    "excerpt_of", search.settings["dataset"]
                ),
            }
            for search in config.searches.values()
        ],
    }


def write_listing(config: Config) -> None:
    """Write down what a configuration asks for, unless that is known."""
    path, content = Path(config.results) / LISTING, listing(config)
    if not path.exists() or read_json(path) != content:
        write_json(path, content)


def read(results: Path) -> Experiment:
    """What a results folder holds of what its last configuration asked for.

    Raises:
        Unusable: no run was ever started there.
    """
    path = results / LISTING
    if not path.exists():
        raise UnusableFileError(
            f"{path}: not there; run snakemake first, or name its results folder"
        )
    content = read_json(path)
    runs = []
    for search in content["searches"]:
        for seed in search["settings"]["seeds"]:
            folder = SearchFolder(results / search["name"] / f"seed{seed}")
            there = folder.final / "summary.json"
            runs.append(
                Run(
                    search["name"],
                    seed,
                    search["settings"],
                    search["layers"],
                    search["original"],
                    folder,
                    read_json(there) if there.exists() else None,
                )
            )
    return Experiment(results, content["scale"], runs)
