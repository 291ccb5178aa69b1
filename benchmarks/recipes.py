"""What each part of a training recipe, and of a network's shape, contributes.

    python -m benchmarks.recipes [--images FILE.npz] [--epochs 20] [--seeds 3]
        [--precision bfloat16] [LEVER ...]

One network trains by the whole recipe, then without each part alone, then with each other shape. It
trains on scikit-learn's digits, or on images of one's own with a test part, and gives the test
accuracy as a mean over seeds, and its range. On the digits it takes three minutes.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from netsurgery import datasets, training
from netsurgery.config import loading
from netsurgery.config.model import Search
from netsurgery.jobs.in_process import InProcessTrainer
from netsurgery.objectives.training_settings import CompileSettings
from netsurgery.search.candidates import read_candidate, read_record
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.settings import from_settings

SCHEMA = Path(__file__).parents[1] / "workflow/schemas/config.schema.yaml"
DIGITS = {"source": "sklearn", "name": "digits"}
Settings = dict[str, Any]
Entries = Sequence[Mapping[str, Any]]
RECIPE: Settings = {
    "learning_rate": 0.15,
    "schedule": "one_cycle",
    "momentum": 0.9,
    "weight_decay": 0.005,
    "statistics_momentum": 0.9,
    "augmentation": "shift",
}
CONSTANT: Settings = {"schedule": "constant", "learning_rate": 0.05}
LEVERS: dict[str, Settings] = {
    "the whole recipe": {},
    "constant rate of 0.05": CONSTANT,
    "constant rate of 0.05, averages of weights": {**CONSTANT, "ema_momentum": 0.99},
    "warmup_stable_decay to 0.05": {"schedule": "warmup_stable_decay", "learning_rate": 0.05},
    "cosine": {"schedule": "cosine"},
    "no momentum, rate of 1": {"momentum": 0, "learning_rate": 1},
    "no weight decay": {"weight_decay": 0},
    "no augmentation": {"augmentation": "none"},
    "flip_shift": {"augmentation": "flip_shift"},
    "statistics of 100 batches": {"statistics_momentum": 0.99},
    "batches of 32": {"batch_size": 32},
    "batches in two parts": {"batch_parts": 2},
    "label smoothing": {"loss": {"categorical_crossentropy": {"label_smoothing": 0.1}}},
    "the papers' training": {
        **{"schedule": "constant", "learning_rate": 0.1, "momentum": 0, "weight_decay": 0},
        **{"augmentation": "none", "batch_size": 32},
    },
}


def cell(channels: int, pooling: str) -> Settings:
    """An entry of a topology."""
    return {"conv_cell": {"channels": channels, "pooling": pooling}}


def average_pooling(entries: Entries) -> Entries:
    """The network with average instead of max pooling."""
    return [_changed(entry, max="average") for entry in entries]


def flat(entries: Entries) -> Entries:
    """The network without the global average."""
    return [*entries[:-1], {"flatten": {}}]


def twice_as_deep(entries: Entries) -> Entries:
    """The network with another cell in front of each."""
    pairs = [(_changed(entry, max="none"), entry) for entry in entries[:-1]]
    return [*(entry for pair in pairs for entry in pair), entries[-1]]


def _changed(entry: Mapping[str, Any], **poolings: str) -> Mapping[str, Any]:
    """An entry with other pooling, if it is a cell."""
    if "conv_cell" not in entry:
        return entry
    settings = entry["conv_cell"]
    pooling = settings["pooling"]
    return {"conv_cell": settings | {"pooling": poolings.get(pooling, pooling)}}


SHAPES: dict[str, Callable[[Entries], Entries]] = {
    "average pooling": average_pooling,
    "no global average": flat,
    "two cells for each": twice_as_deep,
}


@dataclass(frozen=True)
class Task:
    """What is trained on what.

    Attributes:
        source: the settings of the dataset.
        entries: of the network.
        recipe: all settings of training.
    """

    source: Mapping[str, Any]
    entries: Entries
    recipe: Mapping[str, Any]

    def changed(self, name: str) -> Task:
        """The task with another recipe or shape of the network."""
        if name in SHAPES:
            return replace(self, entries=SHAPES[name](self.entries))
        return replace(self, recipe={**self.recipe, **LEVERS[name]})


def task(images: Path | None) -> Task:
    """The digits, or images of one's own with a larger network and larger batches."""
    last: Settings = {"global_average": {}}
    if images is None:
        small = [cell(16, "max"), cell(32, "max"), cell(32, "none"), last]
        return Task(DIGITS, small, {**RECIPE, "batch_size": 64, "test_fraction": 0.2})
    cells = [cell(16, "max"), cell(32, "max"), cell(48, "none"), cell(64, "none"), last]
    source = {"source": "npz", "path": str(images.resolve())}
    return Task(source, cells, {**RECIPE, "batch_size": 128, "augmentation": "auto"})


def search(chosen: Task, epochs: int, precision: str) -> Search:
    """The baseline that trains a network by a recipe."""
    given = {"algorithm": "baseline", "dataset": "mine", "topology": "mine"}
    length = {"epochs": epochs, "precision": precision}
    top = {"datasets": {"mine": chosen.source}, "topologies": {"mine": chosen.entries}}
    searches = {"s": {**given, **length, **chosen.recipe}}
    return loading.load({**top, "searches": searches}, SCHEMA).searches["s"]


def accuracies(chosen: Search, source: Mapping[str, Any], folder: Path, seeds: int) -> list[float]:
    """The test accuracy of a recipe with each seed.

    Args:
        chosen: the baseline that trains by it.
        source: the settings of the dataset.
        folder: for prepared data and the files of the training.
        seeds: how many.
    """
    if not (folder / "data.json").exists():
        datasets.prepare("mine", dict(source), folder)
    found = []
    for seed in range(seeds):
        split = folder / f"split{seed}.npz"
        datasets.write_split(
            folder, split, from_settings(datasets.SplitSettings, chosen.settings), seed
        )
        with tempfile.TemporaryDirectory(dir=folder) as files:
            place = SearchFolder(Path(files))
            trainer = InProcessTrainer(chosen, seed, folder, split, place)
            chosen.algorithm.search(trainer, chosen.settings, seed)
            model = place.final / "network.keras"
            network = read_candidate(model, read_record(model)).network
        plain = CompileSettings("sgd", 0.1, 0.0, "crossentropy")
        test = datasets.read_part(folder, split, "test")
        scores = training.evaluate(training.TrainableNetwork(network, plain), test)
        found.append(scores["accuracy"])
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("levers", nargs="*", choices=[[], *LEVERS, *SHAPES], default=[])
    parser.add_argument("--images", type=Path)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--precision", default="float32")
    given = parser.parse_args(arguments)
    chosen = task(given.images)
    print("| recipe | test accuracy | range |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in given.levers or [*LEVERS, *SHAPES]:
            baseline = search(chosen.changed(name), given.epochs, given.precision)
            values = 100 * np.array(accuracies(baseline, chosen.source, Path(folder), given.seeds))
            ends = f"{values.min():.1f}-{values.max():.1f}"
            print(f"| {name} | {values.mean():.1f} | {ends} |", flush=True)


if __name__ == "__main__":
    training.use_threads()
    main()
