"""Measure the run time of whole searches.

    python -m benchmarks.speed OUTPUT [--data FOLDER] [--workloads digits mnist ...] [--cores 1 2]

Each workload is searched once per number of cores, by Snakemake as a user would start it. The
search is paused after each generation (see `pause_search`) to repeat only the generation's training
steps (see `training_only`). Then a script trains the same epochs (see `script`). Long workloads run
on the largest number of cores only, and without the script, which would take more than an hour.
OUTPUT gets `speed.json`, `speed.md` and `speed.png`; results of other workloads in `speed.json` are
kept. FOLDER may contain `mnist10k.npz`; MNIST is skipped without it. Runs are sequential: do not
use the machine for anything else meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from benchmarks.random_images import write_images
from benchmarks.speed import report, time_breakdown, training_only
from benchmarks.speed.pause_search import PAUSES, Pauses

from netsurgery.analysis.timelines import timings_of
from netsurgery.search.algorithms import read_generation
from netsurgery.search.layout import SearchFolder
from netsurgery.search.records import Record
from netsurgery.storage.files import read_json, write_json

ROOT = Path(__file__).parent.parent.parent
TRAINING = {"batch_size": 32, "learning_rate": 0.1}
SETTINGS = TRAINING | {"optimizer": "sgd", "momentum": 0, "loss": "crossentropy"}
LONG = ("digits-long", "cifar-cnn-long", "cifar-dense-long")
POLL_INTERVAL = 0.02  # seconds; a decision takes longer
COMMON = {"algorithm": "ectonas", "seeds": [0], **TRAINING}


def workloads(data: Path) -> dict[str, dict[str, Any]]:
    """The settings of a search and its dataset, by name."""
    digits = {"source": "sklearn", "name": "digits"}
    mnist = {"source": "npz", "path": str((data / "mnist10k.npz").resolve())}
    images = {"source": "npz", "path": "images.npz"}
    found = {
        "digits": ({"topology": "cnn-small", "budget": 800}, digits),
        "mnist": ({"topology": "cnn-medium", "budget": 280}, mnist),
        "cifar-cnn": ({"topology": "cnn-small", "budget": 40}, images),
        "cifar-dense": ({"topology": "ff-large", "budget": 40}, images),
        "digits-long": (
            {"topology": "cnn-small", "budget": 16_000, "round_epochs": 100},
            digits,
        ),
        "cifar-cnn-long": ({"topology": "cnn-small", "budget": 600}, images),
        "cifar-dense-long": ({"topology": "ff-large", "budget": 1600}, images),
    }
    if not (data / "mnist10k.npz").exists():
        del found["mnist"]
    return {name: {"search": s, "dataset": d} for name, (s, d) in found.items()}


def search(name: str, workload: dict[str, Any], cores: int, folder: Path) -> dict[str, Any]:
    """Run a search, and measure only its training steps in its pauses.

    Returns:
        The timings of the search, its start and end without pauses, its folder and that of its
        samples, and the seconds of its training steps by pass.
    """
    results = folder / f"{name}-{cores}"
    shutil.rmtree(results, ignore_errors=True)
    if workload["dataset"].get("path") == "images.npz":
        workload["dataset"]["path"] = str((folder / "images.npz").resolve())
    config = {
        "results": str(results.resolve()),
        "datasets": {"samples": workload["dataset"]},
        "searches": {name: COMMON | {"dataset": "samples"} | workload["search"]},
    }
    path = folder / f"{name}-{cores}.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("snakemake")), "--cores", str(cores)]
    command += ["--configfile", str(path.resolve())]
    found, samples = SearchFolder(results / name / "seed0"), results / "_data" / "samples"
    pauses, passes = Pauses(), []

    def measure_training(records: list[Record]) -> None:
        passes.append(training_only.measure_passes(records, cores, found.root, samples, SETTINGS))

    began = time.time()
    with (
        (folder / f"{name}-{cores}.log").open("w") as log,
        subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log) as process,
    ):
        for records in _generations(found, process):
            with pauses.pause(process):
                measure_training(records)
    ended = time.time()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    pauses.write(results / PAUSES)
    if found.end().step == "final":
        measure_training([found.end()])
    return {
        "began": began,
        "ended": ended - pauses.seconds_before(ended),
        "timings": pauses.without_pauses(timings_of(found)),
        "folder": found.root,
        "samples": samples,
        "passes": [sum(each) for each in zip(*passes, strict=True)],
    }


def _generations(folder: SearchFolder, process: subprocess.Popen[bytes]) -> Iterator[list[Record]]:
    """The records of each generation of a running search as soon as its winners are known.

    Those of the first generation include the warm-up.
    """
    generation = 1
    while process.poll() is None:
        time.sleep(POLL_INTERVAL)
        if folder.winners(generation).exists():
            first = [folder.start()] if generation == 1 else []
            yield [*first, *folder.records_of(read_generation(folder.plan(generation))).values()]
            generation += 1


def script(run: dict[str, Any], epochs: str) -> float:
    """Seconds of a script that trains the epochs of a search."""
    command = [sys.executable, "-m", "benchmarks.speed.script"]
    command += [str(run["folder"]), str(run["samples"])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    began = time.time()
    print(f"  script with the same {epochs} epochs", flush=True)
    subprocess.run(
        [*command, json.dumps(TRAINING)],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.time() - began


def measure(name: str, workload: dict[str, Any], cores: list[int], folder: Path) -> dict[str, Any]:
    """Measure one workload on each number of cores."""
    runs = {}
    for count in cores:
        print(f"{name} on {count} core{'s' * (count > 1)}", flush=True)
        runs[count] = search(name, workload, count, folder)
    best = time_breakdown.best_batch_seconds(run["timings"] for run in runs.values())
    last = runs[max(cores)]
    epochs = sum(timing.record.epochs_spent for timing in last["timings"])
    script_seconds = None if name in LONG else script(last, f"{epochs:.1f}")
    found: dict[str, Any] = {"epochs": epochs, "script": script_seconds, "cores": {}}
    for count, run in runs.items():
        began, ended, timings = run["began"], run["ended"], run["timings"]
        parts = time_breakdown.core_seconds(timings, count, began, ended)
        found["cores"][count] = {
            "seconds": ended - began,
            # or the steps of the search itself, if the machine was faster then
            "training_only": min(float(np.mean(run["passes"])), parts["training"] / count),
            "passes": run["passes"],
            "best_speed": time_breakdown.best_speed_bound(timings, best, count),
            "parts": parts,
            "jobs": len(timings),
            "overhead": float(np.mean(time_breakdown.overheads(timings))),
            "generations": time_breakdown.by_generation(timings, count),
        }
    found["candidates"] = [
        {
            "parameters": timing.record.parameters,
            "seconds": timing.record.seconds["training"] / timing.record.epochs_spent,
        }
        for timing in runs[min(cores)]["timings"]
        if timing.record.epochs_spent >= 1
    ]
    return found


def main() -> None:
    """Measure all workloads and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--workloads", nargs="+")
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    write_images(given.output / "images.npz")
    path = given.output / "speed.json"
    found = read_json(path) if path.exists() else {}
    for name, workload in workloads(given.data).items():
        if not given.workloads or name in given.workloads:
            cores = [max(given.cores)] if name in LONG else given.cores
            found[name] = measure(name, workload, cores, given.output)
            write_json(path, found)
    report.write(found, given.output)
    print((given.output / "speed.md").read_text())


if __name__ == "__main__":
    main()
