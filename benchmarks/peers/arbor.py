"""The peer `arbor`: netsurgery as a user runs it, `snakemake --cores 1` in this checkout.

A search has a budget in epochs. If the first search of a data set takes more or less time than the
peers have, it is done again with another budget, at most twice; all seeds then have that budget.
The other peers train one network to its end, so no smaller ones train beside the final one.

What counts is the processor time of the command less its fixed part: Snakemake, preparing the data,
exporting the model, plots, MLflow and the report. This is measured as what plain training of the
initial network for an epoch takes. The other peers' imports and data do not count either.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers.data_sets import DATA_SETS, SERIES, TABLE
from benchmarks.peers.processes import ROOT, Taken, measured

NAME = "arbor"
MAX_PARAMETERS = 50_000
TOLERANCE = 0.12  # of the time
TRIES = 3
ENGINE = ROOT / ".venv" / "bin"


@dataclass(frozen=True)
class Found:
    """A finished search: what `Result` holds."""

    seconds: float
    taken: Taken
    accuracy: float
    parameters: int
    note: str


def run(name: str, split: Path, folder: Path, allowed: float, seed: int) -> Found:
    """Search once, or until the time is about what is allowed.

    Args:
        name: of the data set.
        split: the folder of its split.
        folder: for all results of this peer.
        allowed: processor seconds.
        seed: of the search.
    """
    kept = folder / f"{name}.json"
    known = json.loads(kept.read_text()) if kept.exists() else {}
    if "fixed" not in known:
        plain = {"algorithm": "baseline", "epochs": 1, "topology": _start(name)}
        known["fixed"] = _search(name, split, folder / f"{name}-fixed", plain, seed)[0].seconds
    tries = 1 if known.get("allowed") == allowed else TRIES
    given = DATA_SETS[name]
    budget = known["budget"] if tries == 1 else round(given.budget * allowed / given.seconds)
    for left in reversed(range(tries)):
        settings = {
            "algorithm": "arbor",
            "budget": budget,
            "max_parameters": MAX_PARAMETERS,
            "augmentation": given.augmentation,
            "sizes": [],
        }
        taken, summary = _search(name, split, folder / f"{name}-seed{seed}", settings, seed)
        seconds = taken.seconds - known["fixed"]
        if abs(seconds / allowed - 1) <= TOLERANCE or not left:
            break
        budget = max(1, round(budget * allowed / max(seconds, allowed / 10)))
    kept.write_text(json.dumps(known | {"allowed": allowed, "budget": budget}))
    note = f"{budget} epochs, {summary['candidates']} networks, {summary['precision']}"
    return Found(seconds, taken, summary["test_accuracy"], summary["parameters"], note)


def _start(name: str) -> str:
    return "ff-small" if DATA_SETS[name].kind == TABLE else "cnn-tiny"


def _search(
    name: str, split: Path, folder: Path, settings: Mapping[str, Any], seed: int
) -> tuple[Taken, dict[str, Any]]:
    """Run a search in a folder of its own, and give its time and its summary."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    search = {"dataset": "samples", "seeds": [seed], **settings}
    config = {"datasets": {"samples": _source(name, split)}, "searches": {"search": search}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    command = [ENGINE / "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "1"]
    command += ["--configfile", "config.json", "--quiet"]
    taken = measured(command, folder, folder / "log.txt", path=ENGINE)
    summary = folder / "results" / "search" / f"seed{seed}" / "final" / "summary.json"
    return taken, json.loads(summary.read_text(encoding="utf-8"))


def _source(name: str, split: Path) -> dict[str, Any]:
    if DATA_SETS[name].kind == TABLE:
        parts = {"path": "train", "validation_path": "val", "test_path": "test"}
        paths = {key: str(split / f"{part}.csv") for key, part in parts.items()}
        return {"source": "csv", "target": "class", **paths}
    source = "series" if DATA_SETS[name].kind == SERIES else "npz"
    return {"source": source, "path": str(split / "arrays.npz")}
