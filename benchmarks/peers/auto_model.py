"""The peer `auto_model`: AutoKeras with the block for the kind of data.

Its trials train until validation loss has not improved for ten epochs, so it searches all the time
and gives the best trial. AutoKeras limits no widths by itself: `max_model_size` rejects networks,
and `filters` and `num_units` leave out widths that hardly ever fit. It compiles models itself, with
XLA where Keras can; on a processor that takes longer, and is turned off as for the other peers.
"""

from __future__ import annotations

from functools import partialmethod

import autokeras
import keras
import numpy as np
from benchmarks.peers import training
from benchmarks.peers.data_sets import IMAGES, TABLE
from benchmarks.peers.task import MAX_PARAMETERS, Clock, Outcome, Task
from keras_tuner.engine.hyperparameters import Choice


class Ending(training.EndAt):
    """Ends the search, too."""

    model_search: autokeras.AutoModel

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        """End the training, and let no other trial begin."""
        super().on_train_batch_end(batch, logs)
        if self.model.stop_training:
            self.model_search.tuner.oracle.max_trials = 1


def _search(task: Task) -> autokeras.AutoModel:
    kind = task.data_set.kind
    start = autokeras.ImageInput() if kind == IMAGES else autokeras.Input()
    node = autokeras.Normalization()(start)
    if kind == TABLE:
        node = autokeras.DenseBlock(num_units=Choice("units", [16, 32, 64, 128], default=32))(node)
    else:
        if task.data_set.augmentation != "none":
            node = autokeras.ImageAugmentation(
                translation_factor=0.1,
                horizontal_flip=task.data_set.augmentation == "flip_shift",
                vertical_flip=False,
            )(node)
        node = autokeras.ConvBlock(filters=Choice("filters", [16, 32, 48, 64], default=32))(node)
    found = autokeras.AutoModel(
        start,
        autokeras.ClassificationHead()(node),
        max_trials=100_000,
        directory=task.scratch,
        seed=task.seed + 1,  # it takes 0 for no seed
        max_model_size=MAX_PARAMETERS,
    )
    found.tuner.oracle.max_consecutive_failed_trials = 1000  # networks that are too large
    return found


def run(task: Task, clock: Clock) -> Outcome:
    """Search until the time is over."""
    arrays = task.arrays
    keras.Model.compile = partialmethod(keras.Model.compile, jit_compile=False)
    search = _search(task)
    ending = Ending(clock, 1)
    ending.model_search = search
    search.fit(
        arrays["x_train"],
        arrays["y_train"],
        validation_data=(arrays["x_val"], arrays["y_val"]),
        callbacks=[ending],
        verbose=0,
    )
    model = search.export_model()
    trials = search.tuner.oracle.trials.values()
    trained = sum(trial.status == "COMPLETED" for trial in trials)

    def predict() -> np.ndarray:
        return np.asarray(search.predict(arrays["x_test"], verbose=0)).reshape(-1).astype(int)

    keras.backend.clear_session()
    return Outcome(predict, model.count_params(), f"{trained} trials of {len(trials)} fitted")
