"""Epochs and evaluations as compiled loops.

Keras's own `fit` spends a second in its first call, which for small networks is most of a job; the
epoch below is one compiled loop around the same optimizer, loss and metrics.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import tensorflow as tf

from netsurgery.datasets import Samples
from netsurgery.objectives.keras_catalog import Setting
from netsurgery.storage.timer import Timer
from netsurgery.training import onednn
from netsurgery.training.graphs import Graph, GraphCache, ready, trace
from netsurgery.training.metrics import MetricSums, Scores, metric_sums
from netsurgery.training.model import TrainableNetwork
from netsurgery.training.samples import Batches

EVALUATION_BATCH = 1000
LOSSES = ("loss", "val_loss")

Sums = Callable[[np.ndarray], np.ndarray]


def _name(kind: str, learner: TrainableNetwork, batches: Batches, *more: object) -> str:
    """A name for a graph: a hash of all that it depends on, which is all but values."""
    samples = batches.samples
    said = [
        kind,
        learner.topology.to_json(),
        learner.settings,
        [str(spec) for spec in batches.signature],
        [samples.variants, samples.scaling, samples.target],
        len(tf.config.list_physical_devices("GPU")) > 0,
        _by_onednn(batches),
        *more,
    ]
    text = json.dumps(said, sort_keys=True, default=_plain)
    return f"{kind}_{hashlib.sha256(text.encode()).hexdigest()}"


def _by_onednn(batches: Batches) -> bool:
    """Whether it computes a graph over these samples."""
    return onednn.pays(math.prod(batches.samples.x.shape[1:]))


def _plain(value: Any) -> object:
    """Arrays and scalings, for JSON."""
    if isinstance(value, np.ndarray | np.generic):
        return [str(value.dtype), value.tolist()]
    return asdict(value)


def _compiled(
    function: Callable[..., tf.Tensor],
    name: str,
    learner: TrainableNetwork,
    measured: MetricSums,
    batches: Batches,
    shelf: GraphCache,
    harmless: int = 0,
) -> Sums:
    """A function of positions, int32 (n,), ready to run: its graph there, and its kernels made.

    Args:
        function: of positions and the samples' tensors.
        name: of its graph.
        learner: whose variables it uses.
        measured: whose variables it uses, too.
        batches: of the samples.
        shelf: where its graph is kept.
        harmless: how many positions it can be tried with and change nothing.
    """
    handles = [variable.value.handle for variable in [*learner.variables, *measured.variables]]

    def traced() -> Graph:
        graph = trace(function, batches.signature, handles, name)
        if _by_onednn(batches):
            onednn.put_into(graph.library.function)
        return graph

    graph = shelf.get(name, traced)
    compiled = ready(graph, handles)

    def run(positions: np.ndarray) -> np.ndarray:
        return compiled(tf.constant(positions), *batches.tensors).numpy().astype(np.float64)

    run(np.zeros(harmless, np.int32))
    return run


def _compiled_epoch(
    learner: TrainableNetwork,
    samples: Samples,
    batch_size: int,
    measured: MetricSums,
    shelf: GraphCache,
) -> Sums:
    """A function from the samples' order, int32 (n,), to the measures' sums over the epoch."""
    batches = Batches(samples)
    weights = learner.weights

    def epoch(order: tf.Tensor, *tensors: tf.Tensor) -> tf.Tensor:
        def step(start: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, ...]:
            x, y = batches.take(order[start : start + batch_size], *tensors)
            with tf.GradientTape() as tape:
                predicted = learner(x, training=True)
                losses = measured.losses(y, predicted)
            count = tf.shape(losses)
            shares = tf.fill(count, 1 / tf.cast(count[0], tf.float32))  # of each loss in their mean
            gradients = tape.gradient(
                losses,
                [weight.value for weight in weights],
                output_gradients=shares,
                unconnected_gradients=tf.UnconnectedGradients.ZERO,  # biases that are left out
            )
            learner.optimizer.apply(gradients, weights)
            return start + batch_size, sums + measured.sums(y, predicted, losses)

        count = tf.shape(order)[0]
        begin = (0, tf.zeros(measured.width))
        return tf.while_loop(lambda done, _: done < count, step, begin, parallel_iterations=1)[1]

    name = _name("epoch", learner, batches, batch_size, measured.metrics, measured.weights)
    return _compiled(epoch, name, learner, measured, batches, shelf)


def _compiled_evaluation(
    learner: TrainableNetwork, samples: Samples, measured: MetricSums, shelf: GraphCache
) -> Callable[[], Scores]:
    """A function of nothing that gives the loss and metrics over all samples."""
    batches = Batches(samples)

    def evaluation_of(positions: tf.Tensor, *tensors: tf.Tensor) -> tf.Tensor:
        x, y = batches.take(positions, *tensors)
        predicted = learner(x, training=False)
        return measured.sums(y, predicted, measured.losses(y, predicted))

    name = _name("evaluation", learner, batches, measured.metrics)
    sums = _compiled(evaluation_of, name, learner, measured, batches, shelf, harmless=1)

    def evaluation() -> Scores:
        measured.reset()
        everything = np.arange(len(samples), dtype=np.int32)
        starts = range(0, len(samples), EVALUATION_BATCH)
        parts = [sums(everything[start : start + EVALUATION_BATCH]) for start in starts]
        totals = np.sum(parts, axis=0)
        return measured.scores(totals, len(samples))

    return evaluation


def evaluate(
    learner: TrainableNetwork, samples: Samples, metrics: Sequence[Setting] = ()
) -> Scores:
    """Loss and metrics of a network over samples (see `netsurgery.training.metrics`)."""
    logits = learner.logits
    measured = metric_sums(samples, learner.loss, learner.outputs, metrics, logits=logits)
    return _compiled_evaluation(learner, samples, measured, GraphCache())()


def finite(values: Iterable[float]) -> bool:
    """Whether no value is a NaN or an infinity."""
    return bool(np.isfinite(list(values)).all())


class TrainingLoop:
    """A learner and its samples, made ready once to be trained as often as is wanted.

    Args:
        learner: its variables change in place, its optimizer's state included.
        training: the samples to learn from.
        validation: the samples to be scored on.
        batch_size: samples per batch; the last one of a whole epoch may be smaller.
        metrics: those to measure besides what always is (see `netsurgery.training.metrics`).
        class_weights: (classes,) of the training samples' losses; None: all are 1.
        clock: is told where the time goes.
        shelf: where graphs are kept for other courses of networks of the same topology.
    """

    def __init__(
        self,
        learner: TrainableNetwork,
        training: Samples,
        validation: Samples,
        batch_size: int,
        metrics: Sequence[Setting] = (),
        class_weights: np.ndarray | None = None,
        clock: Timer | None = None,
        shelf: GraphCache | None = None,
    ) -> None:
        shelf = shelf or GraphCache()
        self.samples, self.batch_size = len(training), batch_size
        self.clock = clock or Timer()
        with self.clock("build"):
            known = learner.loss, learner.outputs, metrics
            self.measured = metric_sums(training, *known, class_weights, logits=learner.logits)
            self.epoch = _compiled_epoch(learner, training, batch_size, self.measured, shelf)
            validating = metric_sums(validation, *known, logits=learner.logits)
            self.evaluation = _compiled_evaluation(learner, validation, validating, shelf)

    def run(self, batches: Sequence[int], rng: np.random.Generator) -> list[Scores]:
        """Train, and score after every epoch.

        Args:
            batches: of each epoch; fewer than the data give is a part of an epoch.
            rng: draws the order of the samples.

        Returns:
            Loss and metrics of each epoch, and those of the validation samples as val_loss etc.
            Training stops behind an epoch whose loss is a NaN or an infinity: the list ends with
            it. Metrics may be so and mean nothing by it: a correlation with what is constant.
        """
        history: list[Scores] = []
        for count in batches:
            order = rng.permutation(self.samples)[: count * self.batch_size].astype(np.int32)
            with self.clock("training"):
                self.measured.reset()
                trained = self.measured.scores(self.epoch(order), len(order))
            with self.clock("validation"):
                validated = self.evaluation()
            scores = trained | {f"val_{name}": value for name, value in validated.items()}
            history.append(scores)
            if not finite(scores[name] for name in LOSSES):
                break
        return history
