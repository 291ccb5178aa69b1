"""Compare the training engine with Keras's `fit`, for networks of several kinds of layers.

    python -m benchmarks.kinds_of_layers [NETWORK ...]

Both train the same network on one core, from the same weights, with the same optimizer and the same
batches. The table gives milliseconds per batch, without the first epoch, in which kernels are made,
and by how much the losses of that epoch differ; where a layer draws they differ in any case.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

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
from netsurgery.objectives.training_settings import BFLOAT16, FLOAT32, CompileSettings
from netsurgery.training.epoch import NO_MOVES

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


@dataclass(frozen=True)
class Comparison:
    """Milliseconds per batch, of the processor, and the losses of a first epoch."""

    ours: float
    bfloat16: float
    keras: float
    our_loss: float
    keras_loss: float

    def row(self, name: str) -> str:
        """A row of the table."""
        difference = abs(self.our_loss - self.keras_loss) / self.keras_loss
        return (
            f"| {name} | {self.ours:.1f} | {self.keras:.1f} | {self.keras / self.ours:.1f} |"
            f" {self.bfloat16:.1f} | {difference:.0e} |"
        )


HEADINGS = "network", "ms per batch", "Keras", "times faster", "in bfloat16", "loss differs by"


def milliseconds(epoch: Callable[[], object]) -> float:
    """The shortest time per batch of some epochs, of the processor."""
    times = []
    for _ in range(EPOCHS):
        start = time.process_time()  # other programs may run
        epoch()
        times.append(time.process_time() - start)
    return 1000 * min(times) / BATCHES


def compare(shape: Shape, row: Row) -> Comparison:
    """Train a network in the engine and by Keras, from the same weights and in the same order."""
    rng = np.random.default_rng(0)
    network = initialise(Topology(shape, row), rng)
    count = BATCH * BATCHES
    x = rng.normal(size=(count, *shape)).astype(np.float32)
    y = rng.integers(10, size=count).astype(np.int32)
    scaling = Scaling(np.array(0, np.float32), np.array(1, np.float32))
    every, few = np.arange(count, dtype=np.int32), np.arange(BATCH, dtype=np.int32)
    parts = Samples(x, y, every, scaling), Samples(x, y, few, scaling)

    def loop_in(precision: str) -> training.TrainingLoop:
        learner = training.TrainableNetwork(network, SETTINGS)
        return training.TrainingLoop(learner, *parts, BATCH, precision=precision)

    loop, rounded = loop_in(FLOAT32), loop_in(BFLOAT16)
    rates = np.full(BATCHES, SETTINGS.learning_rate, np.float32)
    our_loss = loop.epoch(every, rates, NO_MOVES)[0] / count
    model = conversion.to_keras(network)
    training.compile_model(model, SETTINGS)
    fit = partial(
        model.fit, x, y, batch_size=BATCH, validation_data=(x[:BATCH], y[:BATCH]), verbose=0
    )
    keras_loss = fit(shuffle=False).history["loss"][0]
    rounded.run([BATCHES], rng)  # makes the kernels
    return Comparison(
        ours=milliseconds(lambda: loop.run([BATCHES], rng)),
        bfloat16=milliseconds(lambda: rounded.run([BATCHES], rng)),
        keras=milliseconds(fit),
        our_loss=our_loss,
        keras_loss=keras_loss,
    )


def main() -> None:
    """Print a table row for each network, or for those named."""
    print(f"| {' | '.join(HEADINGS)} |\n|---|{'---:|' * (len(HEADINGS) - 1)}")
    for name in sys.argv[1:] or NETWORKS:
        print(compare(*NETWORKS[name]).row(name), flush=True)


if __name__ == "__main__":
    training.use_threads()
    main()
