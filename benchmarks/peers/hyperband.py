"""The peer `hyperband`: KerasTuner's Hyperband."""

from __future__ import annotations

from typing import Any

import keras
import keras_tuner
from benchmarks.peers import search_space, training
from benchmarks.peers.task import MAX_PARAMETERS, Clock, Outcome, Task


class Chosen:
    """Asks KerasTuner's hyperparameters."""

    def __init__(self, hp: keras_tuner.HyperParameters) -> None:
        self.hp = hp

    def integer(self, name: str, low: int, high: int, step: int) -> int:
        """A multiple of a step."""
        return self.hp.Int(name, low, high, step)

    def number(self, name: str, low: float, high: float) -> float:
        """A number, by its logarithm."""
        return self.hp.Float(name, low, high, sampling="log")

    def one(self, name: str, options: list[Any]) -> Any:
        """One of some values."""
        return self.hp.Choice(name, options)


class Space(keras_tuner.HyperModel):
    """The search space, with the batch size as a hyperparameter."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """A network of the space."""
        search_space.batch_size(Chosen(hp))
        return search_space.network(self.task, Chosen(hp))

    def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, *data: Any, **given: Any):
        """Train a network."""
        return model.fit(*data, batch_size=search_space.batch_size(Chosen(hp)), **given)


class Ending(training.EndAt):
    """Ends a search, too."""

    tuner: keras_tuner.Tuner

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        """End the training, and let no other trial begin."""
        super().on_train_batch_end(batch, logs)
        if self.model.stop_training:
            self.tuner.oracle.max_trials = 1


def run(task: Task, clock: Clock) -> Outcome:
    """Search, then train the best network for the rest of the time."""
    epochs = task.data_set.trial_epochs
    tuner = keras_tuner.Hyperband(
        Space(task),
        "val_accuracy",
        max_epochs=epochs,
        hyperband_iterations=1000,
        seed=task.seed,
        max_model_size=MAX_PARAMETERS,
        max_consecutive_failed_trials=1000,  # networks that are too large count as failed
        directory=task.scratch,
        project_name="hyperband",
    )
    ending = Ending(clock, search_space.SEARCH_SHARE)
    ending.tuner = tuner
    tuner.search(
        task.inputs["train"],
        task.labels("train"),
        validation_data=(task.inputs["val"], task.labels("val")),
        callbacks=[ending],
        verbose=0,
    )
    values = tuner.get_best_hyperparameters()[0]
    trials = tuner.oracle.trials.values()
    trained = sum(trial.status == "COMPLETED" for trial in trials)
    return search_space.finish(
        task,
        clock,
        lambda: search_space.network(task, Chosen(values)),
        search_space.batch_size(Chosen(values)),
        tuner.get_best_models()[0],
        f"{trained} trials, at most {epochs} epochs each",
    )
