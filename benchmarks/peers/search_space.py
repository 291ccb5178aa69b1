"""The space that both tuners search, as one would write it, and the training of what they find.

One to four convolutions (dense layers for tables), their widths, pooling, what follows them, batch
size, optimizer and its rate. The network of `recipe` is in the space.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import keras
from benchmarks.peers import training
from benchmarks.peers.data_sets import IMAGES, TABLE
from benchmarks.peers.task import Clock, Outcome, Task
from keras import layers

SEARCH_SHARE = 0.6  # of the time; then the best network trains


class Choose(Protocol):
    """How a tuner is asked for a value."""

    def integer(self, name: str, low: int, high: int, step: int) -> int:
        """A multiple of a step."""

    def number(self, name: str, low: float, high: float) -> float:
        """A number, by its logarithm."""

    def one(self, name: str, options: list[Any]) -> Any:
        """One of some values."""


def network(task: Task, choose: Choose) -> keras.Model:
    """A network of the space, compiled."""
    model = keras.Sequential([layers.Input(task.inputs["train"].shape[1:])])
    if task.data_set.kind == TABLE:
        for index in range(choose.integer("layers", 1, 3, 1)):
            model.add(layers.Dense(choose.integer(f"units{index}", 16, 128, 16), "relu"))
            model.add(layers.Dropout(choose.one("dropout", [0.0, 0.2, 0.4])))
    else:
        images = task.data_set.kind == IMAGES
        convolution, size = (layers.Conv2D, 3) if images else (layers.Conv1D, 9)
        pooling = layers.MaxPooling2D if images else layers.MaxPooling1D
        average = layers.GlobalAveragePooling2D if images else layers.GlobalAveragePooling1D
        for layer in training.augmentation(task):
            model.add(layer)
        pooled = choose.integer("pooled", 1, 3, 1)
        for index in range(choose.integer("cells", 1, 4, 1)):
            channels = choose.integer(f"channels{index}", 8, 64, 8)
            model.add(convolution(channels, size, padding="same", use_bias=False))
            model.add(layers.BatchNormalization(momentum=0.9))
            model.add(layers.Activation("relu"))
            if index < pooled:
                model.add(pooling(2))
        model.add(average() if choose.one("average", [True, False]) else layers.Flatten())
        if choose.one("dense", [False, True]):
            model.add(layers.Dense(choose.integer("units", 16, 64, 16), "relu"))
        model.add(layers.Dropout(choose.one("dropout", [0.0, 0.2, 0.4])))
    model.add(layers.Dense(task.classes, activation="softmax"))
    if choose.one("optimizer", ["adamw", "sgd"]) == "adamw":
        rate = choose.number("adamw_rate", 3e-4, 3e-2)
        optimizer = keras.optimizers.AdamW(rate, weight_decay=0.01)
    else:
        rate = choose.number("sgd_rate", 1e-2, 0.5)
        optimizer = keras.optimizers.SGD(rate, momentum=0.9, weight_decay=5e-3)
    return training.compiled(model, optimizer)


def batch_size(choose: Choose) -> int:
    """Samples per batch."""
    return choose.one("batch_size", [32, 64, 128])


def finish(
    task: Task,
    clock: Clock,
    build: Callable[[], keras.Model],
    size: int,
    found: keras.Model,
    note: str,
) -> Outcome:
    """Train the best network of a search anew for the rest of the time, with one cycle of the rate.

    Args:
        task: of the peer.
        clock: of the peer.
        build: gives the network with fresh weights.
        size: of a batch.
        found: the network as the search trained it, which is taken if it is better.
        note: what the search found.
    """
    model = build()
    model.fit(
        task.inputs["train"],
        task.labels("train"),
        size,
        epochs=training.FOREVER,
        callbacks=[training.OneCycle(clock, float(model.optimizer.learning_rate))],
        verbose=0,
    )
    best = max((model, found), key=lambda each: training.accuracy(each, task))
    return training.outcome(best, task, note)
