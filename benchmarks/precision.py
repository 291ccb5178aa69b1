"""Compare training in bfloat16 with training in float32: time per batch, and accuracy.

    python -m benchmarks.precision [--images FILE.npz] [--epochs 6] [--seeds 3]

Times are those of the processor on one core, measured in turns; those in brackets are predicted
from the networks that the first training of a search measures (`precision: auto`). With images
(`x_train`, `y_train`, `x_test`, `y_test`) it also trains one of the networks in both precisions,
from the same weights and in the same order, and compares accuracies on the test images.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from netsurgery.processes.tensorflow_imports import ENVIRONMENT

if __name__ == "__main__":
    os.environ.update(ENVIRONMENT)  # before TensorFlow is imported

from netsurgery import training
from netsurgery.datasets import Samples, Scaling
from netsurgery.jobs.speed import probes
from netsurgery.networks import topologies
from netsurgery.networks.blocks import Residual, Row
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    Shape,
    conv_cell,
)
from netsurgery.networks.network import Network, initialise
from netsurgery.networks.topology import Topology
from netsurgery.objectives.training_settings import BFLOAT16, FLOAT32, CompileSettings
from netsurgery.search.size_limit import SizeLimits
from netsurgery.search.speed import GAIN, Speed
from netsurgery.search.speed_fit import Timing, fit
from netsurgery.training import GraphCache, TrainableNetwork, TrainingLoop
from netsurgery.training.speed import measure

BATCH = 128
IMAGE: Shape = (32, 32, 3)
SETTINGS = CompileSettings("sgd", learning_rate=0.05, momentum=0.9, loss="crossentropy")
OUTPUT = Dense(10, "softmax")
LIMITS = SizeLimits(max_parameters=100_000)  # of the searches whose figures predict


def cells(*channels: int, pooling: str = "average") -> Row:
    """The papers' conv cells."""
    return tuple(layer for each in channels for layer in conv_cell(each, pooling=pooling))


def normalized(*channels: int) -> Row:
    """Convolutions without pooling."""
    return tuple(
        layer for each in channels for layer in (Conv(each), BatchNorm(), Activation("relu"))
    )


def residual(channels: int) -> Row:
    """A basic residual block."""
    body = (*normalized(channels), Conv(channels), BatchNorm())
    return Residual(body), Activation("relu")


NETWORKS: dict[str, tuple[Shape, Row]] = {
    "cells 32-64-128": (IMAGE, (*cells(32, 64, 128), Flatten(), OUTPUT)),
    "cells 32-64-128, max pooling": (
        IMAGE,
        (*cells(32, 64, 128, pooling="max"), GlobalPool(), OUTPUT),
    ),
    "cells 19-35-67": (IMAGE, (*cells(19, 35, 67), Flatten(), OUTPUT)),
    "cells 16-32-64": (IMAGE, (*cells(16, 32, 64), Flatten(), OUTPUT)),
    "cells 8-16-16": (IMAGE, (*cells(8, 16, 16), Flatten(), OUTPUT)),
    "cells 64-128-128": (IMAGE, (*cells(64, 128, 128), GlobalPool(), OUTPUT)),
    "cells 3-6-9": (IMAGE, (*cells(3, 6, 9), Flatten(), OUTPUT)),
    "cells 16-32-64, 28x28x1": ((28, 28, 1), (*cells(16, 32, 64), Flatten(), OUTPUT)),
    "residual blocks 16-32": (
        IMAGE,
        (
            *normalized(16),
            *residual(16),
            *cells(32, pooling="max"),
            *residual(32),
            GlobalPool(),
            OUTPUT,
        ),
    ),
    "dense 512-512": ((3072,), (Dense(512), Dense(512), OUTPUT)),
    "dense 110-71": ((784,), (Dense(110), Dense(71), OUTPUT)),
    "series of 1000 steps, 16-32-32": ((1000, 1), (*cells(16, 32, 32), GlobalPool(), OUTPUT)),
}


def random_samples(shape: Shape, count: int) -> Samples:
    """Random samples of ten classes."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(count, *shape)), rng.integers(10, size=count)
    scaling = Scaling(np.array(0, np.float32), np.array(1, np.float32))
    return Samples(
        x.astype(np.float32), y.astype(np.int32), np.arange(count, dtype=np.int32), scaling
    )


def loop(
    network: Network, precision: str, part: Samples, scored: Samples, batch: int
) -> TrainingLoop:
    """The training of a network in a precision."""
    learner = TrainableNetwork(network, SETTINGS)
    return TrainingLoop(learner, part, scored, batch, cache=GraphCache(), precision=precision)


def times(topology: Topology, batch: int = BATCH) -> Mapping[str, float]:
    """Seconds per batch of a network, by precision."""
    network = initialise(topology, np.random.default_rng(0))
    part = random_samples(topology.input_shape, batch)
    precisions = FLOAT32, BFLOAT16
    return measure(lambda precision: loop(network, precision, part, part, batch), precisions)


def speed_for(shape: Shape, batch: int = BATCH, limits: SizeLimits = LIMITS) -> Speed:
    """The figures that a search measures for samples of a shape."""
    flat = len(shape) == 1
    start = topologies.named(topologies.START_OF_ROWS if flat else topologies.START_OF_IMAGES)
    chosen = probes(topologies.build(start, shape, 10), limits)
    timings = [Timing(topology, times(topology, batch)) for topology in chosen]
    return Speed(fit(timings, {FLOAT32: batch, BFLOAT16: batch}))


def row_of(name: str, topology: Topology, speed: Speed) -> str:
    """A row of the table: what was measured, what was predicted, and which precision follows."""
    found = times(topology)
    cells = [
        f"{1000 * seconds:.1f} ({1000 * speed.seconds(topology, precision):.1f})"
        for precision, seconds in found.items()
    ]
    gain = found[FLOAT32] / found[BFLOAT16]
    chosen = speed.precision(topology)
    right = (gain >= GAIN) == (chosen == BFLOAT16)
    return f"| {name} | {' | '.join(cells)} | {gain:.2f} | {chosen}{'' if right else ' (!)'} |"


def accuracies(name: str, images: Path, epochs: int, seeds: int) -> Iterator[tuple[float, float]]:
    """The accuracy on test images after training in float32 and in bfloat16, for each seed."""
    shape, row = NETWORKS[name]
    with np.load(images) as file:
        given = {key: file[key] for key in ("x_train", "y_train", "x_test", "y_test")}
    x = given["x_train"]
    scaling = Scaling(np.array(x.mean(), np.float32), np.array(1 / x.std(), np.float32))
    part, test = (
        Samples(
            given[f"x_{which}"],
            given[f"y_{which}"].astype(np.int32),
            np.arange(len(given[f"x_{which}"]), dtype=np.int32),
            scaling,
        )
        for which in ("train", "test")
    )
    for seed in range(seeds):
        network = initialise(Topology(shape, row), np.random.default_rng(seed))
        found = []
        for precision in (FLOAT32, BFLOAT16):
            trained = loop(network, precision, part, test, BATCH)
            history = trained.run([-(-len(part) // BATCH)] * epochs, np.random.default_rng(seed))
            found.append(history[-1]["val_accuracy"])
        yield found[0], found[1]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--network", choices=NETWORKS, default=next(iter(NETWORKS)))
    given = parser.parse_args()
    print("| network | float32, ms per batch | bfloat16 | times faster | auto |")
    print("|---|---:|---:|---:|---|", flush=True)
    speeds = {shape: speed_for(shape) for shape in {shape for shape, _ in NETWORKS.values()}}
    for name, (shape, row) in NETWORKS.items():
        print(row_of(name, Topology(shape, row), speeds[shape]), flush=True)
    if given.images:
        print("\n| seed | accuracy, float32 | bfloat16 |\n|---|---:|---:|")
        pairs = accuracies(given.network, given.images, given.epochs, given.seeds)
        for seed, (one, other) in enumerate(pairs):
            print(f"| {seed} | {one:.3f} | {other:.3f} |", flush=True)


if __name__ == "__main__":
    training.use_threads()
    main()
