"""Arbor on tables beside scikit-learn's gradient boosting, on the same splits.

    python -m benchmarks.tables [CONFIG] [--seeds 5] [--set KEY=VALUE ...]

CONFIG has datasets and searches; by default they are tables that scikit-learn ships. Each search
runs in this process, and what it gives for the test samples is a mean over seeds, and its range.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from netsurgery import datasets, training
from netsurgery.analysis.references import models
from netsurgery.config import loading
from netsurgery.config.files import read_file
from netsurgery.config.model import Config, Search
from netsurgery.jobs.in_process import InProcessTrainer
from netsurgery.objectives.training_settings import CompileSettings
from netsurgery.search.candidates import read_candidate
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.settings import from_settings

SCHEMA = Path(__file__).parents[1] / "workflow/schemas/config.schema.yaml"
SHIPPED = ("breast_cancer", "wine", "diabetes")


@dataclass(frozen=True)
class Result:
    """What a seed gives.

    Attributes:
        network: the test accuracy of Arbor's final network, or r2 for a regression.
        trees: the same of gradient boosting.
        validation: the validation score of the final network.
        parameters: of the final network.
        seconds: of the processor, for the search.
    """

    network: float
    trees: float
    validation: float
    parameters: int
    seconds: float


def results(search: Search, source: Mapping[str, Any], seeds: int) -> Iterator[Result]:
    """Run a search with each seed.

    Args:
        search: of Arbor.
        source: the settings of its dataset.
        seeds: how many.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        datasets.prepare("mine", dict(source), folder)
        split_settings = from_settings(datasets.SplitSettings, search.settings)
        for seed in range(seeds):
            split = folder / f"split{seed}.npz"
            datasets.write_split(folder, split, split_settings, seed)
            started = time.process_time()
            trainer = InProcessTrainer(
                search, seed, folder, split, SearchFolder(folder / str(seed))
            )
            record = search.algorithm.search(trainer, search.settings, seed)
            seconds = time.process_time() - started
            network = read_candidate(trainer.folder.final / "network.keras", record).network
            train, test = (datasets.read_part(folder, split, p) for p in ("training", "test"))
            (trees,) = models.reference_models(datasets.describe(folder), train, test, seed)
            metric = "accuracy" if test.target is None else "r2"
            plain = CompileSettings("sgd", 0.1, 0.0, "mse" if test.target else "crossentropy")
            scores = training.evaluate(training.TrainableNetwork(network, plain), test)
            yield Result(
                scores[metric],
                trees["test_metrics"][metric],
                record.score or np.nan,
                record.parameters,
                seconds,
            )


def shipped() -> dict[str, Any]:
    """The configuration of the tables that scikit-learn ships."""
    return {
        "datasets": {name: {"source": "sklearn", "name": name} for name in SHIPPED},
        "searches": {name: {"dataset": name} for name in SHIPPED},
    }


def configured(given: Mapping[str, Any], changes: Mapping[str, Any]) -> Config:
    """A configuration with some settings of all searches changed."""
    searches = {name: {**search, **changes} for name, search in given["searches"].items()}
    return loading.load({**given, "searches": searches}, SCHEMA)


def shown(values: Sequence[float]) -> str:
    """The mean of some scores in per cent, and their range."""
    scores = 100 * np.array(values)
    return f"{scores.mean():.2f} ({scores.min():.1f}-{scores.max():.1f})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("config", type=Path, nargs="?")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args(arguments)
    changes = {key: yaml.safe_load(text) for key, _, text in (s.partition("=") for s in given.set)}
    config = configured(read_file(given.config) if given.config else shipped(), changes)
    print("| search | Arbor | gradient boosting | validation | parameters | CPU seconds |")
    print("|---|---|---|---|---|---|", flush=True)
    for name, search in config.searches.items():
        source = config.datasets[search.settings["dataset"]].settings
        found = list(results(search, source, given.seeds))
        columns = [
            shown([each.network for each in found]),
            shown([each.trees for each in found]),
            shown([each.validation for each in found]),
            f"{np.mean([each.parameters for each in found]):,.0f}",
            f"{np.mean([each.seconds for each in found]):.0f}",
        ]
        print(f"| {name} | {' | '.join(columns)} |", flush=True)


if __name__ == "__main__":
    training.use_threads()
    main()
