"""What the Surgeon's recommendations do to its results: the published ones and others, over seeds.

    python -m benchmarks.surgeon_recommendations run RESULTS.csv [--data FILE.npz]
        [--variants NAME ...] [--seeds 6 63 72] [--epochs 100] [--topology surgeon-small]
    python -m benchmarks.surgeon_recommendations table RESULTS.csv

`run` adds a row for each search to the file and leaves out those that it has, so that it can be
continued. Without a file the data are scikit-learn's digits.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas
from benchmarks.arbor.common import search_of, source_of, trainer_of

from netsurgery import datasets, training
from netsurgery.jobs.in_process import InProcessTrainer
from netsurgery.networks.inference import predict
from netsurgery.reproduction.statistics import mean_and_sd
from netsurgery.search.records import Record
from netsurgery.search.steps import WARM_UP
from netsurgery.storage.files import read_json, write_text

MORE = {"tie_break": "more_parameters"}
BASELINE = "baseline"
VARIANTS: dict[str, dict[str, Any]] = {
    BASELINE: {},
    "as the text says": {},
    "more parameters first": MORE,
    "missing values: count": MORE | {"missing_values": "count"},
    "missing values: zero": MORE | {"missing_values": "zero"},
    "BIC": {"tie_break": "bic"},
    "activations": MORE | {"layer_score": "activations"},
    "activations and BIC": {"tie_break": "bic", "layer_score": "activations"},
    "size weight 0.5": MORE | {"size_weight": 0.5},
    "size weight 0": MORE | {"size_weight": 0},
}
PLAIN = {"algorithm": "baseline", "learning_rate": 0.005, "batch_size": 16, "score_window": 1}
CASE = ["data", "variant", "seed"]
CHUNK = 1000  # samples per forward pass


def run_one(
    variant: str, seed: int, settings: dict[str, Any], images: Path | None
) -> dict[str, Any]:
    """Run a search and return its row."""
    given = PLAIN if variant == BASELINE else {"algorithm": "surgeon", **VARIANTS[variant]}
    source = source_of(images)
    search = search_of({**settings, **given, "seeds": [seed]}, source)
    with tempfile.TemporaryDirectory() as folder:
        trainer = trainer_of(search, source, seed, Path(folder))
        final = search.algorithm.search(trainer, search.settings, seed)
        start = Record.from_json(read_json(trainer.folder.record(0, WARM_UP)))
        spent = sum(
            read_json(path)["batches_spent"]
            for path in trainer.folder.root.rglob("*.json")
            if "batches_spent" in path.read_text(encoding="utf-8")
        )
        tries = [len(list(each.glob("try*"))) for each in trainer.folder.root.glob("generation*")]
        return {
            "data": images.stem if images else "digits",
            "variant": variant,
            "seed": seed,
            "test": 100 * test_accuracy(trainer),
            "validation": 100 * (final.score or 0),
            "parameters": 100 * (final.parameters / start.parameters - 1),
            "redraws": float(np.mean([count - 1 for count in tries if count] or [0])),
            "epochs": spent / final.batches_per_epoch,
        }


def test_accuracy(trainer: InProcessTrainer) -> float:
    """The accuracy of the final network on the test samples."""
    samples = datasets.read_part(trainer.data, trainer.split, "test")
    network = trainer.network("final/network.keras")
    positions = np.arange(len(samples.indices))
    parts = np.array_split(positions, -(-len(positions) // CHUNK))
    found = np.concatenate(
        [predict(network, samples.inputs(part)).argmax(axis=1) for part in parts]
    )
    return float((found == samples.y[samples.indices]).mean())


def read(path: Path) -> pandas.DataFrame:
    """The rows of the file; none if there is no file."""
    return pandas.read_csv(path) if path.exists() else pandas.DataFrame(columns=CASE)


def run(given: argparse.Namespace) -> None:
    """Run what the file does not have."""
    settings = {"topology": given.topology, "epochs": given.epochs}
    data = given.data.stem if given.data else "digits"
    for seed in given.seeds:
        for variant in given.variants:
            rows = read(given.results)
            if (rows[CASE] == [data, variant, seed]).all(axis=1).any():
                continue
            row = pandas.DataFrame([run_one(variant, seed, settings, given.data)])
            every = pandas.concat([rows, row]) if len(rows) else row
            write_text(given.results, every.round(4).to_csv(index=False, lineterminator="\n"))
            print(row.to_string(header=False, index=False), flush=True)


def table(rows: pandas.DataFrame) -> str:
    """A row for each data and variant, as Markdown."""

    def text(values: pandas.Series, digits: int = 1, *, signed: bool = False) -> str:
        found = mean_and_sd(list(values))
        shown = f"{found.mean:{'+' if signed else ''}.{digits}f}"
        return shown if len(values) == 1 else f"{shown} ± {found.deviation:.{digits}f}"

    lines = [
        "| data | recommendations | seeds | test % | validation % | parameters % "
        "| re-draws per decision | epochs |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for data, of_data in rows.groupby("data", sort=False):
        for variant in VARIANTS:
            found = of_data[of_data["variant"] == variant]
            if not len(found):
                continue
            cells = (
                data,
                variant,
                len(found),
                text(found["test"]),
                text(found["validation"]),
                text(found["parameters"], signed=True),
                text(found["redraws"], 2),
                text(found["epochs"], 0),
            )
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run searches, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run")
    running.add_argument("--data", type=Path)
    running.add_argument("--variants", nargs="+", choices=[*VARIANTS], default=[*VARIANTS])
    running.add_argument("--seeds", nargs="+", type=int, default=[6, 63, 72])
    running.add_argument("--epochs", type=int, default=100)
    running.add_argument("--topology", default="surgeon-small")
    for each in (running, commands.add_parser("table")):
        each.add_argument("results", type=Path)
    given = parser.parse_args(arguments)
    if given.command == "run":
        run(given)
    else:
        print(table(read(given.results)))


if __name__ == "__main__":
    training.use_threads()
    main()
