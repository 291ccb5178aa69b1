"""Run a small search and its baseline on every kind of dataset source, with real data.

    python -m benchmarks.sources DATA [--results FOLDER] [--cores N]

DATA contains `mnist10k.npz` and `cifar10_15k.npz` (x_train, y_train, x_test, y_test) and Adult as
the UCI repository publishes it, as `adult-train.csv` and `adult-test.csv`. Image folders and
parquet files are written from them. Prints a table of the results.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from PIL import Image

from netsurgery.storage.files import read_json

ROOT = Path(__file__).parent.parent
SHORT = {"warm_up_epochs": 4, "round_epochs": 1, "rounds": 2, "seeds": [0]}
BUDGET, BASELINE = 20, 8  # epochs; the baseline trains longer than the winner's weights


def write_images(arrays: Path, folder: Path) -> None:
    """Write the images of a `.npz` file as PNG files, a folder per part and class."""
    with np.load(arrays) as parts:
        for part in ("train", "test"):
            for i, (image, label) in enumerate(
                zip(parts[f"x_{part}"], parts[f"y_{part}"], strict=True)
            ):
                path = folder / part / str(label) / f"{i:05d}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image.squeeze()).save(path)


def datasets(data: Path, made: Path) -> dict[str, dict[str, Any]]:
    """The datasets of the configuration by name; their files are written if missing."""
    found: dict[str, dict[str, Any]] = {}
    for name, file in (("mnist", "mnist10k.npz"), ("cifar", "cifar10_15k.npz")):
        found[f"{name}-npz"] = {"source": "npz", "path": str(data / file)}
        folder = made / name
        if not folder.exists():
            write_images(data / file, folder)
        paths = {"path": str(folder / "train"), "test_path": str(folder / "test")}
        found[f"{name}-folder"] = {"source": "image_folder", **paths}
    files = {"path": data / "adult-train.csv", "test_path": data / "adult-test.csv"}
    found["adult"] = {key: str(path) for key, path in files.items()}
    labels = {"target": 14, "strip_labels": "."}
    found["adult-csv"] = {"source": "csv", **found["adult"], "header": False, **labels}
    for key, path in files.items():
        table = pd.read_csv(path, header=None, skipinitialspace=True, na_values="?")
        table.columns = [str(name) for name in table.columns]
        table.to_parquet(made / f"{key}.parquet")
    columnar = {key: str(made / f"{key}.parquet") for key in files}
    found["adult-parquet"] = {"source": "parquet", **columnar, **labels}
    found["diabetes"] = {"source": "sklearn", "name": "diabetes"}
    return found


def searches() -> dict[str, dict[str, Any]]:
    """A search and a baseline for each dataset, by name."""
    chosen: dict[str, dict[str, Any]] = {
        "digits": {"topology": "cnn-small"},
        "mnist-npz": {"topology": "cnn-small"},
        "mnist-folder": {"topology": "cnn-small"},
        "cifar-npz": {"topology": "cnn-small"},
        "cifar-folder": {"topology": "cnn-small"},
        "adult": {"topology": "cnn-small"},
        "adult-csv": {"topology": "ff-small"},
        "adult-parquet": {"topology": "ff-small"},
        "diabetes": {"topology": "ff-small", "learning_rate": 0.02, "objective": "val_loss"},
    }
    found = {}
    for dataset, settings in chosen.items():
        common = {"dataset": dataset, **settings}
        found[dataset] = {"algorithm": "ectonas", **common, **SHORT, "budget": BUDGET}
        baseline = {"algorithm": "baseline", **common, "epochs": BASELINE, "seeds": [0]}
        found[f"{dataset}-baseline"] = baseline
    return found


def table_row(results: Path, name: str) -> str:
    """A table row with the results of a search and its baseline."""
    both = [
        read_json(results / n / "seed0" / "final" / "summary.json")
        for n in (name, f"{name}-baseline")
    ]
    if both[0]["test_accuracy"] is None:
        scores = [
            f"mae {s['test_metrics']['mae']:.1f}, r2 {s['test_metrics']['r2']:.2f}" for s in both
        ]
    else:
        scores = [f"{s['test_accuracy']:.1%}" for s in both]
    data = read_json(results / "_data" / name / "data.json")
    shape = "x".join(map(str, data["shape"]))
    sizes = f"{both[0]['start_parameters']} -> {both[0]['parameters']}"
    return f"| {name} | {data['samples']} of {shape} | {scores[0]} | {scores[1]} | {sizes} |"


def main() -> None:
    """Write the configuration, run it and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--results", type=Path, default=Path("results/sources"))
    parser.add_argument("--cores", default="2")
    given = parser.parse_args()
    made = given.results.with_name(given.results.name + "-data")
    made.mkdir(parents=True, exist_ok=True)
    config = {"datasets": datasets(given.data, made), "searches": searches()}
    (made / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        str(ROOT / "Snakefile"),
        "--cores",
        given.cores,
    ]
    command += ["--configfile", str(made / "config.yaml"), "--config", f"results={given.results}"]
    subprocess.run(command, check=True)
    print(
        f"| dataset | samples | search, {BUDGET} epochs | baseline, {BASELINE} epochs"
        " | parameters |"
    )
    print("|---|---|---|---|---|")
    for name in config["searches"]:
        if not name.endswith("-baseline"):
            print(table_row(given.results, name))


if __name__ == "__main__":
    main()
