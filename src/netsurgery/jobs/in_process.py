"""A whole search in this process, without Snakemake: the loop of its algorithm, trained here.

The result is that of the workflow to the bit, in the same files, without what the workflow adds:
tables, plots, the exported model. Each network trains after the other on one core. Import this
module under `netsurgery.processes.tensorflow_imports.without_optional_packages`, as training jobs
do: TensorFlow reads there which kernels it may use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from netsurgery import training
from netsurgery.config.model import Search
from netsurgery.jobs import first_look, train
from netsurgery.jobs.calibration import calibration_samples
from netsurgery.jobs.training_step import TrainingStep
from netsurgery.networks.network import Network
from netsurgery.search.calibration import CalibrationSamples
from netsurgery.search.candidates import read_candidate, read_record
from netsurgery.search.first_look import Look
from netsurgery.search.layout import SearchFolder
from netsurgery.search.records import Record
from netsurgery.search.size_limit import SizeLimits
from netsurgery.search.steps import FINAL
from netsurgery.search.trainer import Training
from netsurgery.storage.settings import from_settings
from netsurgery.surgery import Mutation
from netsurgery.surgery.settings import SurgerySettings


class InProcessTrainer:
    """Trains the networks of a search, one after the other.

    Args:
        search: its settings.
        seed: of the search.
        data: folder of the prepared dataset.
        split: file with the indices of training, validation and test samples.
        folder: of the search, for its models and records.
    """

    def __init__(
        self, search: Search, seed: int, data: Path, split: Path, folder: SearchFolder
    ) -> None:
        self.search, self.seed = search, seed
        self.data, self.split, self.folder = data, split, folder

    @property
    def batches_per_epoch(self) -> int:
        """Batches in an epoch."""
        return self._step(FINAL, self.folder.final).batches_per_epoch

    def train(self, training: Training) -> Record:
        """Run a training step and return the record of its candidate."""
        step = replace(
            self._step(next(iter(training.batches)), self._output(training)),
            rates=self.search.rates if training.rates is None else training.rates,
            stream=training.stream,
            target=self.search.target_of(training.step),
        )
        later_rounds = dict(list(training.batches.items())[1:])
        model = None if training.model is None else self.folder.root / training.model
        if (fresh := training.fresh) is not None:
            teacher = fresh.teacher_step
            model_of_teacher = teacher and self.folder.model(training.generation, teacher)
            train.train_fresh(step, fresh, model_of_teacher or None)
        elif model is None:
            epochs, seconds = self.search.first_epochs, self.search.first_seconds
            activation = self.search.output_activation
            limits = from_settings(SizeLimits, self.search.settings)
            layers, model_of_user = self.search.layers, self.search.model
            start = None if model_of_user is None else model_of_user.to_json()
            first = step, layers, activation, epochs, limits, start, seconds
            train.train_initial_network(*first)
        elif training.offspring is not None:
            surgery = from_settings(SurgerySettings, self.search.settings)
            train.train_offspring(step, model, training.offspring, surgery, later_rounds)
        elif training.step == FINAL:
            mode = self.search.final_mode
            train.train_last_epochs(step, model, mode, training.batches[FINAL])
        else:
            train.continue_training(step, model, read_record(model), training.batches)
        return read_record(step.output)

    def network(self, model: str) -> Network:
        """The topology and weights in a model file, relative to the search's folder."""
        path = self.folder.root / model
        return read_candidate(path, read_record(path)).network

    def calibration(self, count: int) -> CalibrationSamples:
        """So many training samples with their targets."""
        training = self._step(FINAL, self.folder.final).training
        return calibration_samples(training, self.seed, count)

    def look(self, model: str, growths: Sequence[Mutation]) -> list[Look]:
        """Look at growths of a model, before any of them trains."""
        step = self._step("first look", self.folder.root / model)
        surgery = from_settings(SurgerySettings, self.search.settings)
        return first_look.look(step, self.network(model), growths, surgery)

    def _output(self, training: Training) -> Path:
        if training.step == FINAL:
            return self.folder.final / "network.keras"
        return self.folder.model(training.generation, training.step)

    def _step(self, name: str, output: Path) -> TrainingStep:
        output.parent.mkdir(parents=True, exist_ok=True)
        settings = dict(self.search.settings)
        return TrainingStep(self.data, self.split, self.seed, settings, output, name)


def run_search(search: Search, seed: int, data: Path, split: Path, folder: SearchFolder) -> Record:
    """Run a whole search; TensorFlow must not have run an operation in this process.

    Args:
        search: its settings.
        seed: of the search.
        data: folder of the prepared dataset.
        split: file with the indices of training, validation and test samples.
        folder: of the search, for its models and records.

    Returns:
        The record of the final candidate.
    """
    training.use_threads()
    trainer = InProcessTrainer(search, seed, data, split, folder)
    return search.algorithm.search(trainer, search.settings, seed)
