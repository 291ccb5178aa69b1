"""A training step of a candidate: its samples, its training and the files it writes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from netsurgery import datasets, training
from netsurgery.datasets import augmentation
from netsurgery.jobs.calibration import calibration_positions
from netsurgery.keras_io import archive
from netsurgery.networks.layers import Arrays
from netsurgery.networks.network import Network
from netsurgery.objectives.schedules import CONSTANT, read_schedule
from netsurgery.objectives.step_rates import Along, StepRates, rates_of_step
from netsurgery.objectives.training_settings import (
    PartSettings,
    RateSettings,
    TrainingSettings,
    batch_parts_for,
    batch_size_of,
    highest_rate,
)
from netsurgery.processes.client import kept_graphs
from netsurgery.search import scores
from netsurgery.search.candidates import read_candidate, read_record, record_path
from netsurgery.search.records import Record, RoundResult, Status
from netsurgery.search.steps import FINAL, Phase
from netsurgery.search.target import Target
from netsurgery.storage import provenance
from netsurgery.storage.dependencies import NO_DEPENDENCIES, Dependencies
from netsurgery.storage.files import atomic_path, sha256, verify_checksum
from netsurgery.storage.random_streams import random_stream
from netsurgery.storage.settings import from_settings
from netsurgery.storage.timer import Timer
from netsurgery.training import GraphCache, TrainableNetwork, TrainingLoop, distillation

ALONE = (Phase.WARM_UP, Phase.FRESH, Phase.FINAL)  # trainings with few or none beside them
LATENCY_BATCH = 32  # samples in the larger batch whose latency is measured


@dataclass(frozen=True)
class TrainingStep:
    """A training step.

    Attributes:
        data: folder of the prepared dataset.
        split: file with the indices of training, validation and test samples.
        seed: of the search.
        settings: those of training.
        output: model file to write; the record is written next to it.
        name: of the step, which is also its first round.
        failure: record this failure instead of training.
        dependencies: what the files of the step depend on; those it reads included.
        rates: the learning rates.
        stream: names the order of the samples, the same in all steps that have this name; None: of
            the candidate's own in each round.
        target: of the objective, at which training stops after an epoch; None: it does not.
        teacher: model from whose predictions the network learns as well; None: of the labels alone.
        timer: how long the parts of the step take.
    """

    data: Path
    split: Path
    seed: int
    settings: dict[str, Any]
    output: Path
    name: str
    failure: Status | None = None
    dependencies: Dependencies = NO_DEPENDENCIES
    rates: StepRates = None
    stream: str | None = None
    target: float | None = None
    teacher: Path | None = None
    timer: Timer = field(default_factory=Timer)

    @cached_property
    def training_settings(self) -> TrainingSettings:
        """The settings of training and scoring."""
        return from_settings(TrainingSettings, self.settings)

    def samples(self, part: str) -> datasets.Samples:
        """Read the samples of one part of the dataset."""
        return datasets.read_part(self.data, self.split, part)

    @cached_property
    def training(self) -> datasets.Samples:
        """The training samples, with augmentation."""
        setting, samples = self.training_settings.augmentation, self.samples("training")
        variants = augmentation.VARIANTS if setting == augmentation.SIXFOLD else 1
        changed = samples.parts and augmentation.changed_input(samples.parts).shape
        change = augmentation.RandomChange.of(setting, changed or samples.x.shape[1:])
        return replace(samples, variants=variants, change=change)

    def calibration_positions(self, count: int) -> np.ndarray:
        """Draw training samples for surgery, by position; the same ones in a whole search."""
        return calibration_positions(self.training, self.seed, count)

    def calibration(self, count: int) -> np.ndarray:
        """The same samples, scaled."""
        return self.training.inputs(self.calibration_positions(count))

    @property
    def batches_per_epoch(self) -> int:
        """Batches in an epoch; the last one may be smaller."""
        return -(-len(self.training) // self.batch_size)

    @property
    def batch_size(self) -> int:
        """Samples per batch."""
        return batch_size_of(self.training_settings.batch_size, len(self.training))

    @property
    def peak_rate(self) -> float:
        """The highest learning rate of the schedule."""
        settings = self.training_settings
        scaling = from_settings(RateSettings, self.settings).learning_rate_scaling
        rate, samples = settings.compile.learning_rate, len(self.training)
        return highest_rate(rate, scaling, settings.batch_size, samples)

    @property
    def batch_parts(self) -> int:
        """Parts of each batch; 1 beside others that compete, which fill the cores."""
        if self.name.partition("/")[0] not in ALONE:
            return 1
        parts = from_settings(PartSettings, self.settings).batch_parts
        return batch_parts_for(self.batch_size) if isinstance(parts, str) else parts

    def epochs(self, batches: int) -> list[int]:
        """Split batches into whole epochs and the rest of one."""
        whole, rest = divmod(batches, self.batches_per_epoch)
        return [self.batches_per_epoch] * whole + ([rest] if rest else [])

    def trainable(self, network: Network, state: Arrays | None = None) -> TrainableNetwork:
        """Make a network trainable with the settings of the search."""
        return TrainableNetwork(network, self.training_settings.compile, state)

    def load(self, model: Path, record: Record) -> TrainableNetwork:
        """Read a candidate to train it further."""
        with self.timer("files"):
            checkpoint = read_candidate(model, record)
        with self.timer("build"):
            return self.trainable(checkpoint.network, checkpoint.state)

    def train(
        self, network: TrainableNetwork, record: Record, batches: Mapping[str, int]
    ) -> Record:
        """Train a candidate, and write its model and record (see `run`)."""
        return self.write(network, self.run(network, record, batches))

    def loop(self, network: TrainableNetwork, precision: str) -> TrainingLoop:
        """The training of a network in a precision, on the samples of the search."""
        settings = self.training_settings
        with self.timer("data"):
            samples, validation = self.training, self.samples("validation")
            balanced = settings.class_weights == "balanced"
            weights = samples.balancing_weights if balanced else None
        with self.timer("teacher"):
            taught = None if self.teacher is None else self._predictions(self.teacher)
        return TrainingLoop(
            network,
            samples,
            validation,
            self.batch_size,
            settings.extra_metrics,
            weights,
            self.timer,
            GraphCache(kept_graphs()),
            precision,
            self.batch_parts,
            taught,
        )

    def _predictions(self, teacher: Path) -> np.ndarray | None:
        """What a trained network predicts for the training samples; None if it diverged."""
        record = read_record(teacher)
        if record.status != Status.OK:
            return None
        rng = random_stream(self.seed, record.candidate, "views of the teacher")
        return distillation.predict(self.load(teacher, record), self.training, rng)

    def run(self, network: TrainableNetwork, record: Record, batches: Mapping[str, int]) -> Record:
        """Train a candidate.

        Args:
            network: the candidate; its weights change in place.
            record: its last record.
            batches: of each round; the order of samples in a round does not depend on the others.

        Returns:
            Its new record.
        """
        loop = self.loop(network, record.precision)
        before = record.batches_trained
        rates = self.learning_rates(before, sum(batches.values()))
        record = replace(record, rounds={})
        for number, (name, count) in enumerate(batches.items()):
            rng = self._stream(record.candidate, name, number)
            own, rates = np.split(rates, [count])
            record = self._train_round(network, loop, record, name, count, rng, own)
        with self.timer("latency"):
            one, batch = loop.evaluation.latency(1), loop.evaluation.latency(LATENCY_BATCH)
        return replace(
            record,
            batches_spent=record.batches_trained - before,
            validation_samples=loop.evaluation.samples,
            latency=one,
            latency_batch32=batch,
        )

    @property
    def _changes_rates(self) -> bool:
        """Whether rates may differ from the one in the settings."""
        settings = self.training_settings
        if isinstance(self.rates, Along):
            is_constant = read_schedule(settings.schedule).name == CONSTANT
            return not is_constant or self.peak_rate != settings.compile.learning_rate
        return self.rates is not None

    def learning_rates(self, trained: int, count: int) -> np.ndarray:
        """The learning rates of batches, float32 (count,), after those that weights trained."""
        schedule, peak = read_schedule(self.training_settings.schedule), self.peak_rate
        return rates_of_step(self.rates, schedule, peak, trained, count, self.batches_per_epoch)

    def _stream(self, candidate: str, name: str, number: int) -> np.random.Generator:
        """What draws the order of samples in a round of a candidate."""
        if self.stream is None:
            return random_stream(self.seed, candidate, name)
        return random_stream(self.seed, "samples", self.stream, number)

    def _train_round(
        self,
        network: TrainableNetwork,
        loop: TrainingLoop,
        record: Record,
        name: str,
        batches: int,
        rng: np.random.Generator,
        rates: np.ndarray,
    ) -> Record:
        """Train a round and score it; a candidate that diverged trains no further."""
        epochs = self.epochs(batches) if record.status == Status.OK else []
        metric, window = self.training_settings.objective, self.training_settings.score_window
        target = Target(metric, self.target)

        def may_stop(entries: Sequence[Mapping[str, float | None]]) -> bool:
            every = [*record.history, *entries]
            return target.is_reached(scores.mean_of_last(every, metric, window))

        history = loop.run(epochs, rng, rates[: sum(epochs)], may_stop)
        trained = record.batches_trained
        entries = list(record.history)
        for count, values in zip(epochs, history, strict=False):
            trained += count
            finite = {k: v if training.finite([v]) else None for k, v in values.items()}
            entry = {"epoch": trained / self.batches_per_epoch, **finite}
            if self._changes_rates:
                entry["learning_rate"] = float(rates[trained - record.batches_trained - 1])
            entries.append(entry)
        deciding = ("loss", "val_loss", metric)
        diverged = any(entry.get(each, 0) is None for entry in entries for each in deciding)
        # an infinite weight need not show: a relu may hide it
        diverged = diverged or not network.network.finite
        spent = trained - record.batches_trained
        record = replace(
            record,
            step=name,
            batches_trained=trained,
            history=tuple(entries),
            status=Status.DIVERGED if diverged else record.status,
        )
        score = None if diverged else scores.windowed_mean(record, metric, window)
        result = RoundResult(spent, score)
        return replace(record, score=score, rounds={**record.rounds, name: result})

    def write(self, network: TrainableNetwork, record: Record) -> Record:
        """Write a candidate's model and then its record."""
        return self._write_record(self._write_model(network, record))

    @property
    def _averages(self) -> bool:
        """Whether the model to write has the moving averages of the weights, as it is scored."""
        return self.name == FINAL and self.training_settings.compile.ema_momentum > 0

    def _write_model(self, network: TrainableNetwork, record: Record) -> Record:
        """Write a candidate's model; return its record."""
        with self.timer("files"):
            written = network.averaged_checkpoint if self._averages else network.checkpoint
            archive.write_checkpoint(self.output, written, network.compile_arguments)
            return replace(record, model_sha256=sha256(self.output))

    def _write_record(self, record: Record) -> Record:
        timed = replace(
            record,
            wall_seconds=self.timer.elapsed,
            seconds=dict(self.timer.seconds),
            began=self.timer.began,
            provenance=provenance.describe(
                training.device(), min(training.threads(), self.batch_parts)
            ),
        )
        self.dependencies.write(record_path(self.output), timed.to_json())
        return timed

    def keep(self, model: Path, record: Record) -> Record:
        """Write a copy of a model that this step does not train, and a record."""
        return self._write_record(self._copy(model, record))

    def _copy(self, model: Path, record: Record) -> Record:
        """Write a model that this step does not train; return its record."""
        if self._averages and record.status == Status.OK:
            return self._write_model(self.load(model, record), record)
        verify_checksum(model, record.model_sha256)
        with atomic_path(self.output) as temporary:
            shutil.copyfile(model, temporary)
        return record

    def skip(self, model: Path, record: Record, batches: Mapping[str, int]) -> Record:
        """Pass a failed candidate on as it is: it keeps its bracket place and trains no more.

        Args:
            model: of the candidate.
            record: of the candidate.
            batches: that were to be trained, by round; if it fails here, they count as spent.
        """
        record = self._copy(model, record)
        if self.failure and record.status == Status.OK:
            return self._write_untrained(self.failed(record), batches)
        return self._write_untrained(record, dict.fromkeys(batches, 0))

    def fail(self, record: Record, batches: Mapping[str, int]) -> Record:
        """Record an offspring that failed in its first training, with an empty model file.

        Args:
            record: of the offspring, untrained.
            batches: that were to be trained, by round; they count as spent, because otherwise a
                search in which everything fails would not end.
        """
        with atomic_path(self.output) as temporary:
            temporary.touch()
        failed = replace(self.failed(record), model_sha256=sha256(self.output))
        return self._write_untrained(failed, batches)

    def failed(self, record: Record) -> Record:
        """The record of a candidate that failed as this step did."""
        assert self.failure
        return replace(record, status=self.failure, score=None)

    def _write_untrained(self, record: Record, batches: Mapping[str, int]) -> Record:
        skipped = replace(record.skipped(batches), wall_seconds=0.0, seconds={}, began=0.0)
        self.dependencies.write(record_path(self.output), skipped.to_json())
        return skipped
