"""The time of an epoch by size of images and networks, compared with Keras's `fit` on one thread.

    python -m benchmarks.speed.growth OUTPUT

Uses random images and one core. Each value is the best of three epochs of 4,000 samples after a
warm-up epoch, in a separate process. OUTPUT gets `growth.md` and `growth.png`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from netsurgery.objectives.training_settings import CompileSettings
from netsurgery.plots import style
from netsurgery.processes.tensorflow_imports import ENVIRONMENT

SAMPLES, BATCH, EPOCHS = 4000, 32, 3
TICKS = (10, 20, 50, 100, 200, 500)  # milliseconds
SETTINGS = CompileSettings("sgd", learning_rate=0.01, momentum=0, loss="crossentropy")
CELLS = ((3, 6, 9), (8, 16, 32), (32, 64, 128))  # channels
CASES = [
    *({"side": side, "channels": CELLS[0], "units": (10,)} for side in (8, 16, 32, 64)),
    *({"side": 32, "channels": channels, "units": (10,)} for channels in CELLS[1:]),
    *({"side": 32, "channels": (), "units": (n, n // 2, 10)} for n in (100, 300, 1000)),
]


def best(epoch: Callable[[], object]) -> float:
    """Seconds of the fastest epoch after a warm-up epoch."""
    epoch()
    taken = []
    for _ in range(EPOCHS):
        started = time.perf_counter()
        epoch()
        taken.append(time.perf_counter() - started)
    return min(taken)


def measure(case: dict[str, Any], engine: str) -> dict[str, float]:
    """Seconds of an epoch, and the number of parameters; runs in a separate process."""
    if engine == "ours":
        os.environ.update(ENVIRONMENT)
    from netsurgery import training
    from netsurgery.datasets import Samples, Scaling
    from netsurgery.keras_io import conversion
    from netsurgery.networks.network import initialise
    from netsurgery.networks.topologies import build

    training.use_threads()
    rng = np.random.default_rng(0)
    shape = (case["side"], case["side"], 3)
    x = rng.integers(0, 256, (SAMPLES, *shape), dtype=np.uint8)
    y = rng.integers(0, 10, SAMPLES).astype(np.int32)
    hidden = [{"conv_cell": {"channels": c}} for c in case["channels"]]
    hidden += [{"dense": {"units": n}} for n in case["units"]]
    network = initialise(build(hidden, shape, 10), rng)
    scaling = Scaling(np.array(0, np.float32), np.array(1 / 255, np.float32))
    if engine == "fit":
        model = conversion.to_keras(network)
        training.compile_model(model, SETTINGS)
        scaled = scaling.apply(x)
        seconds = best(lambda: model.fit(scaled, y, batch_size=BATCH, verbose=0))
    else:
        samples = Samples(x, y, np.arange(SAMPLES, dtype=np.int32), scaling)
        loop = training.TrainingLoop(
            training.TrainableNetwork(network, SETTINGS), samples, samples, BATCH
        )
        seconds = best(lambda: loop.epoch(rng.permutation(SAMPLES).astype(np.int32)))
    return {"seconds": seconds, "parameters": network.topology.parameters}


def run(case: dict[str, Any], engine: str) -> dict[str, float]:
    """Measure in a separate process, on one core."""
    command = [sys.executable, "-m", "benchmarks.speed.growth", "--case", json.dumps(case), engine]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(printed.splitlines()[-1])
    return found


def label(case: dict[str, Any]) -> str:
    """The label of a case in tables and plots."""
    if not case["channels"]:
        return f"dense {'-'.join(map(str, case['units']))} on {case['side']}x{case['side']}x3"
    return f"cells {'-'.join(map(str, case['channels']))} on {case['side']}x{case['side']}x3"


@style.styled
def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Plot bars of milliseconds per 1,000 samples."""
    figure = Figure(figsize=(8, 0.5 * len(rows) + 1.2), layout="constrained")
    axes = figure.add_subplot()
    for offset, engine, colour in ((-0.2, "fit", style.PALE), (0.2, "ours", style.BLUE)):
        values = [1e6 * row[engine] / SAMPLES for row in rows]
        positions = [i + offset for i in range(len(rows))]
        axes.barh(positions, values, 0.38, color=colour, label=engine)
        for position, value in zip(positions, values, strict=True):
            axes.text(value, position, f" {value:.0f}", va="center", size=8)
    axes.set_yticks(range(len(rows)), [row["case"] for row in rows])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xticks(TICKS, list(map(str, TICKS)))
    axes.set_xticks([], minor=True)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("milliseconds per 1,000 samples, one core")
    axes.legend(loc="lower right")
    figure.savefig(path)


def main() -> None:
    """Measure all cases, or one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", help="a folder; with --case fit or ours")
    parser.add_argument("--case", type=json.loads)
    given = parser.parse_args()
    if given.case:
        print(json.dumps(measure(given.case, given.output)))
        return
    folder = Path(given.output)
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["| network | parameters | fit | ours | speed-up |", "| --- |" + " ---: |" * 4]
    rows: list[dict[str, Any]] = []
    for case in CASES:
        found = {engine: run(case, engine) for engine in ("fit", "ours")}
        fit, ours = (found[engine]["seconds"] for engine in ("fit", "ours"))
        rows.append({"case": label(case), "fit": fit, "ours": ours})
        milliseconds = " | ".join(f"{1e6 * value / SAMPLES:.0f}" for value in (fit, ours))
        parameters = found["ours"]["parameters"]
        lines.append(f"| {label(case)} | {parameters:,.0f} | {milliseconds} | {fit / ours:.1f} |")
        print(lines[-1], flush=True)
    (folder / "growth.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    plot(rows, folder / "growth.png")


if __name__ == "__main__":
    main()
