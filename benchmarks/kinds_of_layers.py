"""Compare the training engine with Keras's `fit`, for networks of several kinds of layers.

    python -m benchmarks.kinds_of_layers

Both train the same network on one core, with the same optimizer and the same batches. The table
gives milliseconds per batch, without the first epoch, in which kernels are made.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from netsurgery import training
from netsurgery.datasets import Samples, Scaling
from netsurgery.keras_io import conversion
from netsurgery.networks.blocks import Parallel, Residual, Row
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalPool,
    LayerNorm,
    Pool,
    SeparableConv,
    Shape,
)
from netsurgery.networks.network import initialise
from netsurgery.networks.topology import Topology
from netsurgery.objectives.training_settings import CompileSettings

BATCH, BATCHES, EPOCHS = 64, 20, 3
SETTINGS = CompileSettings("adam", learning_rate=1e-3, momentum=0, loss="crossentropy")
IMAGE, SERIES = (32, 32, 3), (256, 8)


def normalized(*layers: Conv | DepthwiseConv | SeparableConv) -> Row:
    """Each layer with batch normalization and ReLU."""
    return tuple(each for layer in layers for each in (layer, BatchNorm(), Activation("relu")))


HEAD: Row = (GlobalPool(), Dense(10, "softmax"))
GATE: Row = (GlobalPool(), Dense(8), Dense(32, "sigmoid"))
NETWORKS: dict[str, tuple[Shape, Row]] = {
    "convolutions with pooling": (
        IMAGE,
        (Conv(16), Pool(), *normalized(Conv(32)), Pool(), Flatten(), Dense(10, "softmax")),
    ),
    "strides": (IMAGE, (*normalized(Conv(16, strides=2), Conv(32, strides=2)), *HEAD)),
    "dilation": (IMAGE, (*normalized(Conv(16, strides=2), Conv(32, dilation=2)), *HEAD)),
    "separable": (IMAGE, (*normalized(Conv(16, strides=2), SeparableConv(32)), *HEAD)),
    "inverted residual": (
        IMAGE,
        (
            *normalized(Conv(16, strides=2)),
            Residual((*normalized(Conv(64, 1), DepthwiseConv()), Conv(16, 1), BatchNorm())),
            *HEAD,
        ),
    ),
    "residual blocks": (
        IMAGE,
        (
            *normalized(Conv(32, strides=2)),
            Residual((*normalized(Conv(32)), Conv(32), BatchNorm())),
            Activation("relu"),
            *HEAD,
        ),
    ),
    "squeeze and excitation": (
        IMAGE,
        (*normalized(Conv(32, strides=2)), Parallel(((), GATE), "multiply"), *HEAD),
    ),
    "layer normalization, dropout": (
        IMAGE,
        (Conv(32, strides=2), LayerNorm(), Activation("gelu"), Dropout(0.2), *HEAD),
    ),
    "series": (SERIES, (*normalized(Conv(16, 5)), Pool(), *normalized(Conv(32, 5)), *HEAD)),
    "causal series": (
        SERIES,
        (*normalized(Conv(16, padding="causal"), Conv(32, padding="causal", dilation=2)), *HEAD),
    ),
}


def milliseconds(epoch: Callable[[], object]) -> float:
    """The shortest time per batch of some epochs, after a first one."""
    epoch()
    times = []
    for _ in range(EPOCHS):
        start = time.perf_counter()
        epoch()
        times.append(time.perf_counter() - start)
    return 1000 * min(times) / BATCHES


def compare(shape: Shape, row: Row) -> tuple[float, float]:
    """Milliseconds per batch: ours, and Keras's."""
    rng = np.random.default_rng(0)
    network = initialise(Topology(shape, row), rng)
    count = BATCH * BATCHES
    x = rng.normal(size=(count, *shape)).astype(np.float32)
    y = rng.integers(10, size=count).astype(np.int32)
    scaling = Scaling(np.float32(0), np.float32(1))
    every, few = np.arange(count, dtype=np.int32), np.arange(BATCH, dtype=np.int32)
    parts = Samples(x, y, every, scaling), Samples(x, y, few, scaling)
    loop = training.TrainingLoop(training.TrainableNetwork(network, SETTINGS), *parts, BATCH)
    ours = milliseconds(lambda: loop.run([BATCHES], rng))
    model = conversion.to_keras(network)
    training.compile_model(model, SETTINGS)
    validation = (x[:BATCH], y[:BATCH])
    theirs = milliseconds(
        lambda: model.fit(x, y, batch_size=BATCH, validation_data=validation, verbose=0)
    )
    return ours, theirs


def main() -> None:
    """Print a table row for each network."""
    training.use_one_thread()
    print("| network | ms per batch | Keras | times faster |\n|---|---|---|---|")
    for name, (shape, row) in NETWORKS.items():
        ours, theirs = compare(shape, row)
        print(f"| {name} | {ours:.1f} | {theirs:.1f} | {theirs / ours:.1f} |", flush=True)


if __name__ == "__main__":
    main()
