"""The peer `tpe`: Optuna's TPE sampler and median pruner."""

from __future__ import annotations

from typing import Any

import keras
import optuna
from benchmarks.peers import search_space, training
from benchmarks.peers.task import MAX_PARAMETERS, Clock, Outcome, Task


class Suggested:
    """Asks a trial of Optuna."""

    def __init__(self, trial: optuna.trial.BaseTrial) -> None:
        self.trial = trial

    def integer(self, name: str, low: int, high: int, step: int) -> int:
        """A multiple of a step."""
        return self.trial.suggest_int(name, low, high, step=step)

    def number(self, name: str, low: float, high: float) -> float:
        """A number, by its logarithm."""
        return self.trial.suggest_float(name, low, high, log=True)

    def one(self, name: str, options: list[Any]) -> Any:
        """One of some values."""
        return self.trial.suggest_categorical(name, options)


class Reports(training.EndAt):
    """Reports each epoch to a trial, and ends it if the pruner says so."""

    def __init__(self, clock: Clock, trial: optuna.Trial) -> None:
        super().__init__(clock, search_space.SEARCH_SHARE)
        self.trial = trial

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Report an epoch."""
        self.trial.report(logs["val_accuracy"], epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned


def run(task: Task, clock: Clock) -> Outcome:
    """Search, then train the best network for the rest of the time."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    epochs = task.data_set.trial_epochs
    best: list[tuple[float, keras.Model]] = []

    def objective(trial: optuna.Trial) -> float:
        model = search_space.network(task, Suggested(trial))
        if model.count_params() > MAX_PARAMETERS:
            raise optuna.TrialPruned
        history = model.fit(
            task.inputs["train"],
            task.labels("train"),
            search_space.batch_size(Suggested(trial)),
            epochs=epochs,
            validation_data=(task.inputs["val"], task.labels("val")),
            callbacks=[Reports(clock, trial)],
            verbose=0,
        )
        accuracy = history.history["val_accuracy"][-1]
        if not best or accuracy > best[0][0]:
            best[:] = [(accuracy, model)]
        return accuracy

    def end(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        if clock.share >= search_space.SEARCH_SHARE:
            study.stop()

    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=task.seed),
        pruner=optuna.pruners.MedianPruner(n_warmup_steps=epochs // 5),
    )
    study.optimize(objective, callbacks=[end])
    chosen = Suggested(optuna.trial.FixedTrial(study.best_params))
    whole = len(study.get_trials(states=[optuna.trial.TrialState.COMPLETE]))
    return search_space.finish(
        task,
        clock,
        lambda: search_space.network(task, chosen),
        search_space.batch_size(chosen),
        best[0][1],
        f"{len(study.trials)} trials, {whole} of them for all of {epochs} epochs",
    )
