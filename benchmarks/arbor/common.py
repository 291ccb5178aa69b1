"""Searches of benchmarks, run in this process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from netsurgery import datasets
from netsurgery.config import loading
from netsurgery.config.model import Search
from netsurgery.jobs.in_process import InProcessTrainer
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.settings import from_settings

SCHEMA = Path(__file__).parents[2] / "workflow/schemas/config.schema.yaml"
DIGITS = {"source": "sklearn", "name": "digits"}
Settings = dict[str, Any]


def source_of(images: Path | None) -> Settings:
    """The settings of the dataset: images of one's own, or the digits."""
    return DIGITS if images is None else {"source": "npz", "path": str(images.resolve())}


def search_of(settings: Mapping[str, Any], source: Mapping[str, Any]) -> Search:
    """A search of a dataset, with all its settings."""
    top = {"datasets": {"mine": dict(source)}}
    one = {"dataset": "mine", **settings}
    return loading.load({**top, "searches": {"s": one}}, SCHEMA).searches["s"]


def trainer_of(
    search: Search,
    source: Mapping[str, Any],
    seed: int,
    folder: Path,
    kind: type[InProcessTrainer] = InProcessTrainer,
) -> InProcessTrainer:
    """What trains the networks of a search, in a folder that also keeps the prepared data."""
    data = folder / "data"
    if not (data / "data.json").exists():
        data.mkdir(parents=True, exist_ok=True)
        datasets.prepare("mine", dict(source), data)
    split = folder / f"split{seed}.npz"
    shares = from_settings(datasets.SplitSettings, search.settings)
    datasets.write_split(data, split, shares, seed)
    return kind(search, seed, data, split, SearchFolder(folder / f"seed{seed}"))
