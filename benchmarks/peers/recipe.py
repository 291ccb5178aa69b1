"""The peer `recipe`: a network written by hand, trained for all of the time.

Convolutions with 16 and 32 channels and max pooling, 48 and 64 without, batch normalization, and
the mean of each channel; for tables two dense layers. SGD with momentum, weight decay, and one
cycle of the rate.
"""

from __future__ import annotations

import keras
from benchmarks.peers import training
from benchmarks.peers.data_sets import IMAGES, TABLE
from benchmarks.peers.task import Clock, Outcome, Task
from keras import layers

RATE, BATCH = 0.15, 128


def network(task: Task) -> keras.Model:
    """The network, compiled."""
    model = keras.Sequential([layers.Input(task.inputs["train"].shape[1:])])
    if task.data_set.kind == TABLE:
        for units in (64, 32):
            model.add(layers.Dense(units, activation="relu"))
            model.add(layers.Dropout(0.2))
    else:
        images = task.data_set.kind == IMAGES
        convolution, size = (layers.Conv2D, 3) if images else (layers.Conv1D, 9)
        pooling = layers.MaxPooling2D if images else layers.MaxPooling1D
        average = layers.GlobalAveragePooling2D if images else layers.GlobalAveragePooling1D
        for layer in training.augmentation(task):
            model.add(layer)
        for channels, pooled in ((16, True), (32, True), (48, False), (64, False)):
            model.add(convolution(channels, size, padding="same", use_bias=False))
            model.add(layers.BatchNormalization(momentum=0.9))
            model.add(layers.Activation("relu"))
            if pooled:
                model.add(pooling(2))
        model.add(average())
    model.add(layers.Dense(task.classes, activation="softmax"))
    rate = RATE if task.data_set.kind != TABLE else RATE / 3
    optimizer = keras.optimizers.SGD(rate, momentum=0.9, weight_decay=5e-3)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return training.compiled(model, optimizer)


def batch_size(task: Task) -> int:
    """As many samples as give 20 batches an epoch, at most 128."""
    return max(16, min(BATCH, len(task.labels("train")) // 20))


def run(task: Task, clock: Clock) -> Outcome:
    """Train the network until the time is over."""
    model = network(task)
    schedule = training.OneCycle(clock, float(model.optimizer.learning_rate))
    history = model.fit(
        task.inputs["train"],
        task.labels("train"),
        batch_size(task),
        epochs=training.FOREVER,
        callbacks=[schedule],
        verbose=0,
    )
    return training.outcome(model, task, f"{len(history.epoch)} epochs")
