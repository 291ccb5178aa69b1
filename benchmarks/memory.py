"""Measure the memory of training jobs that share a dataset, by the number of concurrent jobs.

    python -m benchmarks.memory [--jobs 1 8] [--samples 45000]

Prepares random 32x32 colour images, starts the jobs through the warm server as the workflow does,
and sums the values of Linux's `smaps_rollup` while they train: RSS counts a shared page once per
process, PSS divides it between them. Prints a table in MiB.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from netsurgery import datasets
from netsurgery.processes.launch import launch

SETTINGS = {
    "optimizer": "sgd",
    "learning_rate": 0.01,
    "momentum": 0,
    "batch_size": 64,
    "loss": "crossentropy",
    "extra_metrics": [],
    "class_weights": "none",
    "augmentation": "none",
    "objective": "val_accuracy",
    "score_window": 3,
}


def prepare(folder: Path, samples: int) -> None:
    """Prepare and split a dataset of random images."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (samples, 32, 32, 3), dtype=np.uint8)
    np.savez(folder / "images.npz", x_train=images, y_train=np.arange(samples) % 10)
    settings = {"source": "npz", "path": str(folder / "images.npz"), "task": "classification"}
    datasets.prepare("images", settings, folder / "data")
    fractions = datasets.SplitSettings(0.1, 0.1)
    datasets.write_split(folder / "data", folder / "split.npz", fractions, 0)


def start(folder: Path, job: int) -> subprocess.Popen[bytes]:
    """Start one training job."""
    command = [
        sys.executable,
        "-m",
        "netsurgery.processes.client",
        "training",
        "train_initial_network",
        "--epochs",
        "3",
    ]
    command += ["--data", str(folder / "data"), "--split", str(folder / "split.npz")]
    command += ["--seed", str(job), "--settings", json.dumps(SETTINGS), "--step", "warm-up"]
    command += ["--layers", json.dumps([{"dense": {"units": 10}}]), "--activation", "softmax"]
    command += ["--limits", "{}"]
    return subprocess.Popen([*command, "--output", str(folder / f"{job}.keras")])


def children(process: int) -> list[int]:
    """The child processes of a process."""
    return list(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


def memory(process: int) -> Counter[str]:
    """The memory of a process in KiB by kind; empty if it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return Counter()
    return Counter({line.split(":")[0]: int(line.split()[1]) for line in lines})


def measure(folder: Path, jobs: int) -> Counter[str]:
    """The largest sum over all jobs while they train."""
    server = launch(folder)["training"]
    running = [start(folder, job) for job in range(jobs)]
    largest: Counter[str] = Counter()
    while any(job.poll() is None for job in running):
        now = sum(map(memory, children(server.pid)), Counter())
        largest = max(largest, now, key=lambda found: found["Pss"])
        time.sleep(0.2)
    server.kill()
    failed = [job.args for job in running if job.returncode]
    if failed:
        sys.exit(f"failed: {failed[0]}")
    return largest


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--samples", type=int, default=45_000)
    given = parser.parse_args()
    print("| concurrent jobs | sum of RSS | sum of PSS | private | data file |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, given.samples)
        data = (folder / "data" / "x.npy").stat().st_size / 2**20
        for jobs in given.jobs:
            found = measure(folder, jobs)
            private = found["Private_Clean"] + found["Private_Dirty"]
            row = (found["Rss"], found["Pss"], private)
            print(f"| {jobs} | {' | '.join(f'{kib / 1024:,.0f}' for kib in row)} | {data:,.0f} |")


if __name__ == "__main__":
    main()
