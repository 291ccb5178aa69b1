"""How the Keras peers train: augmentation, and a rate that falls to 0 when the time is over."""

from __future__ import annotations

import keras
import numpy as np
from benchmarks.peers.task import Clock, Outcome, Task

FOREVER = 1_000_000  # epochs: the clock ends training
WARM_UP = 0.25  # share of the training in which the rate rises


class OneCycle(keras.callbacks.Callback):
    """The rate rises to its highest and falls to 0 while the time goes by.

    Args:
        clock: of the peer.
        highest: learning rate.
    """

    def __init__(self, clock: Clock, highest: float) -> None:
        super().__init__()
        self.clock, self.highest, self.began = clock, highest, clock.share

    def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
        """Set the rate of a batch."""
        position = min(1.0, (self.clock.share - self.began) / (1 - self.began))
        rising, falling = position / WARM_UP, (1 - position) / (1 - WARM_UP)
        self.model.optimizer.learning_rate = self.highest * min(rising, falling)

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        """End the training."""
        if self.clock.share >= 1:
            self.model.stop_training = True


class EndAt(keras.callbacks.Callback):
    """Ends a training when a share of the time is over.

    Args:
        clock: of the peer.
        share: of the time of the peer.
    """

    def __init__(self, clock: Clock, share: float) -> None:
        super().__init__()
        self.clock, self.share = clock, share

    def __deepcopy__(self, memo: object) -> EndAt:
        return self  # tuners copy callbacks for every trial

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        """End the training."""
        if self.clock.share >= self.share:
            self.model.stop_training = True


def augmentation(task: Task) -> list[keras.Layer]:
    """Random flips and shifts, for images that they do not change."""
    kind = task.data_set.augmentation
    if kind == "none":
        return []
    shift = keras.layers.RandomTranslation(1 / 8, 1 / 8, "constant")
    return [keras.layers.RandomFlip("horizontal"), shift] if kind == "flip_shift" else [shift]


def compiled(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> keras.Model:
    """Compile a classifier."""
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)
    return model


def accuracy(model: keras.Model, task: Task) -> float:
    """Of the validation samples."""
    return float(model.evaluate(task.inputs["val"], task.labels("val"), 256, verbose=0)[1])


def outcome(model: keras.Model, task: Task, note: str) -> Outcome:
    """A Keras model as the outcome of a peer."""

    def predict() -> np.ndarray:
        return model.predict(task.inputs["test"], 256, verbose=0).argmax(axis=1)

    return Outcome(predict, model.count_params(), note)
