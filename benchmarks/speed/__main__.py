"""Measure whole searches.

    python -m benchmarks.speed OUTPUT [--data FOLDER] [--workloads digits mnist ...] [--cores 1 2]

Each workload is searched once for each number of cores, by Snakemake as a user would start it.
Behind each generation the search is held (see `held`), and the generation's training steps are done
again alone (see `alone`). Then a script trains the same epochs (see `script`). The long workloads
are searched on most cores only, and not trained by a script, which would take it an hour and more.
OUTPUT gets `speed.json`, `speed.md` and `speed.png`; what `speed.json` had of other workloads
stays. FOLDER may hold `mnist10k.npz`; without it MNIST is left out. Everything is run one after the
other: leave the machine alone meanwhile.
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
from benchmarks.speed import report, time_breakdown, training_only
from benchmarks.speed.pause_search import HELD, Held

from netsurgery.analysis.timelines import timings_of
from netsurgery.search.layout import SearchFolder, read_generation
from netsurgery.search.records import Record
from netsurgery.storage.files import read_json, write_json

ROOT = Path(__file__).parent.parent.parent
TRAINING = {"batch_size": 32, "learning_rate": 0.1}
SETTINGS = TRAINING | {"optimizer": "sgd", "momentum": 0, "loss": "crossentropy"}
LONG = ("digits-long", "cifar-cnn-long", "cifar-dense-long")
LOOK = 0.02  # seconds between two looks at how far a search is: a decision takes longer
COMMON = {"algorithm": "ectonas", "seeds": [0], **TRAINING}


def workloads(data: Path) -> dict[str, dict[str, Any]]:
    """Settings of a search and of its dataset, by name."""
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


def write_images(path: Path) -> None:
    """Random colour images in the shape of CIFAR-10: 45,000 are trained on."""
    rng = np.random.default_rng(0)
    parts = {"train": 50_000, "test": 1000}
    arrays = {}
    for part, count in parts.items():
        arrays[f"x_{part}"] = rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
        arrays[f"y_{part}"] = np.arange(count) % 10
    np.savez(path, **arrays)


def search(name: str, workload: dict[str, Any], cores: int, folder: Path) -> dict[str, Any]:
    """Run a search, and its training steps alone.

    Returns:
        The search's jobs, when it began and ended (both as if it had not been held), where it and
        its samples are, and the seconds of its training steps alone by pass.
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
    held, passes = Held(), []

    def alone_again(records: list[Record]) -> None:
        passes.append(training_only.passes(records, cores, found.root, samples, SETTINGS))

    began = time.time()
    with (
        (folder / f"{name}-{cores}.log").open("w") as log,
        subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log) as process,
    ):
        for records in _generations(found, process):
            with held.hold(process):
                alone_again(records)
    ended = time.time()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    held.write(results / HELD)
    if found.end().step == "final":
        alone_again([found.end()])
    return {
        "began": began,
        "ended": ended - held.before(ended),
        "jobs": held.moved(timings_of(found)),
        "folder": found.root,
        "samples": samples,
        "passes": [sum(each) for each in zip(*passes, strict=True)],
    }


def _generations(folder: SearchFolder, process: subprocess.Popen[bytes]) -> Iterator[list[Record]]:
    """The records of each generation of a running search as soon as it has its winners.

    The warm-up's come with those of the first.
    """
    generation = 1
    while process.poll() is None:
        time.sleep(LOOK)
        if folder.winners(generation).exists():
            first = [folder.start()] if generation == 1 else []
            yield [*first, *folder.records_of(read_generation(folder.plan(generation))).values()]
            generation += 1


def script(run: dict[str, Any], epochs: str) -> float:
    """Seconds that a script takes for the epochs of a search."""
    command = [sys.executable, "-m", "benchmarks.speed.script"]
    command += [str(run["folder"]), str(run["samples"])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    began = time.time()
    print(f"  a script with the same {epochs} epochs", flush=True)
    subprocess.run(
        [*command, json.dumps(TRAINING)],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.time() - began


def measure(name: str, workload: dict[str, Any], cores: list[int], folder: Path) -> dict[str, Any]:
    """Everything about one workload."""
    runs = {}
    for count in cores:
        print(f"{name} on {count} core{'s' * (count > 1)}", flush=True)
        runs[count] = search(name, workload, count, folder)
    best = time_breakdown.fastest(run["jobs"] for run in runs.values())
    last = runs[max(cores)]
    epochs = sum(job.record.epochs_spent for job in last["jobs"])
    bare = None if name in LONG else script(last, f"{epochs:.1f}")
    found: dict[str, Any] = {"epochs": epochs, "script": bare, "cores": {}}
    for count, run in runs.items():
        began, ended, jobs = run["began"], run["ended"], run["jobs"]
        parts = time_breakdown.core_seconds(jobs, count, began, ended)
        found["cores"][count] = {
            "seconds": ended - began,
            # where the machine was faster in the search than in the passes, its steps there
            "alone": min(float(np.mean(run["passes"])), parts["training"] / count),
            "passes": run["passes"],
            "least": time_breakdown.least(jobs, best, count),
            "parts": parts,
            "jobs": len(jobs),
            "beyond_epochs": float(np.mean(time_breakdown.beyond_epochs(jobs))),
            "generations": time_breakdown.by_generation(jobs, count),
        }
    found["candidates"] = [
        {
            "parameters": job.record.parameters,
            "seconds": job.record.seconds["training"] / job.record.epochs_spent,
        }
        for job in runs[min(cores)]["jobs"]
        if job.record.epochs_spent >= 1
    ]
    return found


def main() -> None:
    """Measure, and write what was seen."""
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
