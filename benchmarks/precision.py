"""Compare training in bfloat16 with training in float32: time per batch, and accuracy.

    python -m benchmarks.precision [--images FILE.npz] [--epochs 6] [--seeds 3]

Times are those of the processor on one core, measured in turns. With images (`x_train`, `y_train`,
`x_test`, `y_test`) it also trains one of the networks in both precisions, from the same weights and
in the same order, and compares accuracies on the test images.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from netsurgery.processes.tensorflow_imports import ENVIRONMENT

if __name__ == "__main__":
    os.environ.update(ENVIRONMENT)  # before TensorFlow is imported

from netsurgery import training
from netsurgery.datasets import Samples, Scaling
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
from netsurgery.training import GraphCache, TrainableNetwork, TrainingLoop
from netsurgery.training.precision import Measured, measure

BATCH = 128
IMAGE: Shape = (32, 32, 3)
SETTINGS = CompileSettings("sgd", learning_rate=0.05, momentum=0.9, loss="crossentropy")
OUTPUT = Dense(10, "softmax")


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


def times(shape: Shape, row: Row, batch: int = BATCH) -> Measured:
    """Seconds per batch of a network."""
    network = initialise(Topology(shape, row), np.random.default_rng(0))
    part = random_samples(shape, batch)
    return measure(lambda precision: loop(network, precision, part, part, batch))


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
    print("| network | float32, ms per batch | bfloat16 | times faster |\n|---|---:|---:|---:|")
    for name, (shape, row) in NETWORKS.items():
        found = times(shape, row)
        one, other = 1000 * found.float32, 1000 * found.bfloat16
        print(f"| {name} | {one:.1f} | {other:.1f} | {one / other:.2f} |", flush=True)
    if given.images:
        print("\n| seed | accuracy, float32 | bfloat16 |\n|---|---:|---:|")
        pairs = accuracies(given.network, given.images, given.epochs, given.seeds)
        for seed, (one, other) in enumerate(pairs):
            print(f"| {seed} | {one:.3f} | {other:.3f} |", flush=True)


if __name__ == "__main__":
    training.use_one_thread()
    main()
