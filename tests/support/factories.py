"""Records and rules for tests, made short."""

from pathlib import Path
from typing import Any

import yaml

from netsurgery import datasets
from netsurgery.config import loading
from netsurgery.config.model import Search
from netsurgery.networks import topologies
from netsurgery.search.ectonas.settings import GenerationSettings
from netsurgery.search.records import Record
from netsurgery.search.winners import Winner, Winners
from netsurgery.storage.settings import from_settings

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"


def search(**settings) -> Search:
    """One search with defaults."""
    given = {"algorithm": "ectonas", "dataset": "digits", "topology": "cnn-medium"} | settings
    (found,) = loading.load({"searches": {"s": given}}, SCHEMA).searches.values()
    return found


def complete_dataset(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings of a dataset with all defaults."""
    given = {"algorithm": "baseline", "dataset": "d", "topology": "ff-small"}
    loaded = loading.load({"datasets": {"d": settings}, "searches": {"s": given}}, SCHEMA)
    return loaded.datasets["d"].settings


def rules(**settings) -> GenerationSettings:
    """The default rules of a generation, some changed."""
    return from_settings(GenerationSettings, search(**settings).settings)


def start(topology="cnn-medium", shape=(28, 28, 1), batches_per_epoch=1000, **fields) -> Record:
    """The record of a trained initial network."""
    built = topologies.build(topologies.named(topology), shape, 10)
    record = {
        "candidate": "g00c00",
        "parent": None,
        "operation": None,
        "position": None,
        "generation": 0,
        "step": "warm-up",
        "topology": built.to_json(),
        "parameters": built.parameters,
        "batches_per_epoch": batches_per_epoch,
        "batches_trained": 10 * batches_per_epoch,
        "batches_spent": 10 * batches_per_epoch,
        "score": 0.5,
    }
    return Record(**(record | fields))


def winners(*records, spent=None) -> Winners:
    """Winners with these records, and the batches that they spent."""
    parents = tuple(Winner(record, f"{record.candidate}.keras") for record in records)
    total = sum(record.batches_spent for record in records) if spent is None else spent
    return Winners(parents, total)


def history(*accuracies, loss=1.0):
    """A history with these validation accuracies."""
    return tuple(
        {"epoch": i + 1.0, "loss": loss, "accuracy": a, "val_loss": loss, "val_accuracy": a}
        for i, a in enumerate(accuracies)
    )


def schema() -> dict:
    """The configuration's schema."""
    return yaml.safe_load(SCHEMA.read_text())


def prepare_digits(folder: Path) -> None:
    """The digits and their split, prepared in a folder."""
    datasets.prepare("digits", {"source": "sklearn", "name": "digits"}, folder)
    fractions = datasets.SplitSettings(0.1, 0.1)
    datasets.write_split(folder, folder / "split.npz", fractions, 0)
