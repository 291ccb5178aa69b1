"""Training: epochs, and scores after each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf

from netsurgery.datasets import Samples
from netsurgery.objectives.keras_catalog import Setting
from netsurgery.objectives.training_settings import FLOAT32
from netsurgery.storage.timer import Timer
from netsurgery.training.compiler import Compiler
from netsurgery.training.distillation import Distilled, with_predictions
from netsurgery.training.epoch import NO_MOVES, compile_epoch
from netsurgery.training.evaluation import compile_evaluation
from netsurgery.training.graphs import GraphCache
from netsurgery.training.metrics import Scores, metric_sums
from netsurgery.training.model import TrainableNetwork
from netsurgery.training.samples import Batches

LOSSES = ("loss", "val_loss")


def finite(values: Iterable[float]) -> bool:
    """Whether no value is a NaN or an infinity."""
    return bool(np.isfinite(list(values)).all())


class TrainingLoop:
    """A network and its samples, compiled once and then trained as often as needed.

    Args:
        network: its variables change in place, including its optimizer's state.
        training: the samples to train on.
        validation: the samples to score on.
        batch_size: samples per batch; the last batch of a whole epoch may be smaller.
        metrics: additional metrics (see `netsurgery.training.metrics`).
        class_weights: (classes,) weights of the training samples' losses; None: all are 1.
        timer: measures where the time goes.
        cache: of graphs, shared with other loops over networks of the same topology.
        precision: of training; scores are computed in float32.
        batch_parts: into which each batch is split (see `netsurgery.training.batch_parts`).
        taught: (N, classes) what a teacher predicts for the training samples, which the network
            learns beside their classes; None: it has no teacher.
    """

    def __init__(
        self,
        network: TrainableNetwork,
        training: Samples,
        validation: Samples,
        batch_size: int,
        metrics: Sequence[Setting] = (),
        class_weights: np.ndarray | None = None,
        timer: Timer | None = None,
        cache: GraphCache | None = None,
        precision: str = FLOAT32,
        batch_parts: int = 1,
        taught: np.ndarray | None = None,
    ) -> None:
        cache = cache or GraphCache()
        self.network, self.samples, self.batch_size = network, len(training), batch_size
        self.change = training.change
        self.timer = timer or Timer()
        with self.timer("build"):
            known = network.loss, network.outputs, metrics
            of_training, of_validation = ((e.y, e.target, *known) for e in (training, validation))
            if taught is None:
                self.metrics = metric_sums(*of_training, class_weights, logits=network.logits)
            else:
                self.metrics = Distilled(*known, class_weights, logits=network.logits)
                training = replace(training, y=with_predictions(training.y, taught))
            compiler = Compiler(network, self.metrics, Batches(training), cache, precision)
            self.epoch = compile_epoch(compiler, batch_size, batch_parts)
            validation_metrics = metric_sums(*of_validation, logits=network.logits)
            self.evaluation = compile_evaluation(network, validation, validation_metrics, cache)

    def run(
        self,
        batches: Sequence[int],
        rng: np.random.Generator,
        rates: np.ndarray | None = None,
        may_stop: Callable[[Sequence[Scores]], bool] = lambda _: False,
    ) -> list[Scores]:
        """Train, and score after every epoch.

        Args:
            batches: of each epoch; fewer than the samples fill is a part of an epoch.
            rng: draws the order of the samples, how they change, and what layers such as dropout
                start from.
            rates: the learning rate of each batch, float32 (sum of `batches`,); by default that of
                the network's settings.
            may_stop: whether to stop, from the entries of the epochs so far.

        Returns:
            Loss and metrics of each epoch, and those of the validation samples as val_loss etc.
            Training also stops after an epoch whose loss is a NaN or an infinity; its entry is the
            last.
            Other metrics may be NaN without harm, such as a correlation with a constant.
        """
        if rates is None:
            rates = np.full(sum(batches), self.network.settings.learning_rate, np.float32)
        history: list[Scores] = []
        for count, end in zip(batches, np.cumsum(batches), strict=True):
            order = rng.permutation(self.samples)[: count * self.batch_size].astype(np.int32)
            moves = self.change.draw(len(order), rng) if self.change else NO_MOVES
            self.network.draw_seed(rng)
            with self.timer("training"):
                self.metrics.reset()
                sums = self.epoch(order, rates[end - count : end], moves)
                trained = self.metrics.scores(sums, len(order))
            self.network.optimizer.learning_rate.assign(rates[end - 1])  # for the files
            with self.timer("validation"):
                validated = self.evaluation()
            scores = trained | {f"val_{name}": value for name, value in validated.items()}
            history.append(scores)
            if not finite(scores[name] for name in LOSSES) or may_stop(history):
                break
        return history

    def seconds(self, batches: int) -> float:
        """The time to train some batches, of the processor where it trains; changes the network."""
        on_gpu = tf.config.list_physical_devices("GPU")
        clock = time.perf_counter if on_gpu else time.process_time  # other jobs take turns
        order = np.arange(batches * self.batch_size, dtype=np.int32) % self.samples
        moves = self.change.draw(len(order), np.random.default_rng(0)) if self.change else NO_MOVES
        start = clock()
        self.epoch(order, np.zeros(batches, np.float32), moves)
        return clock() - start
