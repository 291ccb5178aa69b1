"""Epochs and evaluations as compiled loops.

The first call of Keras's `fit` takes a second, which for small networks is most of a job. An epoch
here is one compiled loop around the same optimizer, loss and metrics.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from netsurgery.datasets import Samples
from netsurgery.objectives.keras_catalog import Setting
from netsurgery.objectives.training_settings import BFLOAT16, FLOAT32
from netsurgery.storage.timer import Timer
from netsurgery.training import graphs, onednn
from netsurgery.training.forward import Forward
from netsurgery.training.graphs import Graph, GraphCache, TensorFunction
from netsurgery.training.latency import median_seconds
from netsurgery.training.metrics import MetricSums, Scores, metric_sums
from netsurgery.training.model import TrainableNetwork
from netsurgery.training.samples import Batches
from netsurgery.training.tensorflow_internals import can_load_functions

EVALUATION_BATCH = 1000
LOSSES = ("loss", "val_loss")

SumsFunction = Callable[..., np.ndarray]  # arrays, of the samples of an epoch or so -> (width,)
POSITIONS = tf.TensorSpec([None], tf.int32)
RATES = tf.TensorSpec([None], tf.float32)
NO_MOVES = np.zeros((0, 0), np.int32)  # of samples that stay where they are


def _graph_name(
    kind: str, network: TrainableNetwork, batches: Batches, with_onednn: bool, *more: object
) -> str:
    """A name for a graph: a hash of everything it depends on, which excludes the weights."""
    samples = batches.samples
    key = [
        kind,
        network.topology.to_json(),
        replace(network.settings, learning_rate=0.0),  # a variable
        [str(spec) for spec in batches.signature],
        [samples.variants, samples.shift, samples.scaling, samples.target],
        len(tf.config.list_physical_devices("GPU")) > 0,
        with_onednn,
        *more,
    ]
    text = json.dumps(key, sort_keys=True, default=_to_json)
    return f"{kind}_{hashlib.sha256(text.encode()).hexdigest()}"


def _uses_onednn(batches: Batches, precision: str = FLOAT32) -> bool:
    """Whether a graph over these samples that computes in this precision uses oneDNN's kernels."""
    if precision == BFLOAT16:  # TensorFlow's default kernels for it are several times slower
        return onednn.has_bfloat16()
    return onednn.is_faster(math.prod(batches.samples.x.shape[1:]))


def _to_json(value: Any) -> object:
    """Arrays and scalings as JSON values."""
    if isinstance(value, np.ndarray | np.generic):
        return [str(value.dtype), value.tolist()]
    return asdict(value)


def _load_or_trace(
    function: TensorFunction,
    arguments: Sequence[tf.TensorSpec],
    name: str,
    network: TrainableNetwork,
    metrics: MetricSums,
    batches: Batches,
    cache: GraphCache,
    with_onednn: bool,
) -> TensorFunction:
    """A function of arguments and the samples' tensors, from the cache if its graph is there."""
    signature = [*arguments, *batches.signature]
    if not can_load_functions():
        return graphs.as_function(function, signature)
    handles = [variable.value.handle for variable in [*network.variables, *metrics.variables]]

    def trace() -> Graph:
        graph = graphs.trace(function, signature, handles, name)
        if with_onednn:
            onednn.use_onednn_kernels(graph.functions)
        return graph

    try:
        return graphs.load(cache.get(name, trace), handles)
    except graphs.OutsideTensorError:  # a Keras layer has one of its own, such as a factor
        return graphs.as_function(function, signature)


def _compile(
    function: TensorFunction,
    arguments: Sequence[tf.TensorSpec],
    name: str,
    network: TrainableNetwork,
    metrics: MetricSums,
    batches: Batches,
    cache: GraphCache,
    with_onednn: bool,
    warm_up: int = 0,
) -> SumsFunction:
    """A function of arrays whose kernels exist already.

    Args:
        function: of the arrays and the samples' tensors.
        arguments: what the arrays are, with an entry per sample or batch.
        name: of its graph.
        network: whose variables it uses.
        metrics: whose variables it uses, too.
        batches: of the samples.
        cache: of graphs.
        with_onednn: whether to use the kernels of oneDNN.
        warm_up: the length of the arrays in a first call, which creates the kernels; such a call
            must change nothing.
    """
    compiled = _load_or_trace(
        function, arguments, name, network, metrics, batches, cache, with_onednn
    )

    def run(*arrays: np.ndarray) -> np.ndarray:
        return compiled(*map(tf.constant, arrays), *batches.tensors).numpy().astype(np.float64)

    for_warm_up = ([warm_up, *each.shape[1:]] for each in arguments)
    types = (each.dtype.as_numpy_dtype for each in arguments)
    run(*map(np.zeros, for_warm_up, types))
    return run


def _losses(metrics: MetricSums, y: tf.Tensor, given: Forward) -> tf.Tensor:
    """The loss of each sample (n,), with the penalties of the network, as in Keras."""
    losses = metrics.losses(y, given.output)
    return losses + tf.add_n(given.penalties) if given.penalties else losses


def _compile_epoch(
    network: TrainableNetwork,
    samples: Samples,
    batch_size: int,
    metrics: MetricSums,
    cache: GraphCache,
    precision: str,
) -> SumsFunction:
    """A function that trains an epoch, and gives the sums over it.

    It takes the order of the samples, int32 (n,), the learning rate of each batch, float32, and how
    the samples move, int32 (n, ...), where they do.
    """
    batches = Batches(samples)
    weights = network.weights

    def epoch(
        order: tf.Tensor, rates: tf.Tensor, moves: tf.Tensor, *tensors: tf.Tensor
    ) -> tf.Tensor:
        def step(batch: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, ...]:
            first = batch * batch_size
            start = tf.expand_dims(first, 0)
            # faster than a slice from one scalar to another
            own = tf.strided_slice(order, start, start + batch_size, (1,))
            shifts = moves[first : first + batch_size] if samples.shift else None
            x, y = batches.take(own, *tensors, moves=shifts)
            with tf.GradientTape() as tape:
                given = network.forward(x, training=True, precision=precision)
                losses = _losses(metrics, y, given)
            count = tf.shape(losses)
            shares = tf.fill(count, 1 / tf.cast(count[0], tf.float32))  # of each loss in their mean
            gradients = tape.gradient(
                losses,
                [weight.value for weight in weights],
                output_gradients=shares,
                # biases before a batch normalization are left out (see `forward`)
                unconnected_gradients=tf.UnconnectedGradients.ZERO,
            )
            rate = tf.gather(rates, batch)
            network.decay_weights(rate)
            with network.learning_rate(rate):
                network.optimizer.apply(gradients, weights)
            return batch + 1, sums + metrics.sums(y, given.output, losses)

        count = tf.size(rates)
        begin = (0, tf.zeros(metrics.width))
        return tf.while_loop(lambda done, _: done < count, step, begin, parallel_iterations=1)[1]

    with_onednn = _uses_onednn(batches, precision)
    more = precision, batch_size, metrics.settings, metrics.weights
    name = _graph_name("epoch", network, batches, with_onednn, *more)
    arguments = POSITIONS, RATES, batches.moves
    return _compile(epoch, arguments, name, network, metrics, batches, cache, with_onednn)


@dataclass(frozen=True)
class Evaluation:
    """Scores a network over samples, in inference mode.

    Attributes:
        sums: from positions of samples to sums over them.
        metrics: that make scores of sums.
        samples: how many there are.
    """

    sums: SumsFunction
    metrics: MetricSums
    samples: int

    def __call__(self) -> Scores:
        """The loss and metrics over all samples."""
        self.metrics.reset()
        positions = np.arange(self.samples, dtype=np.int32)
        starts = range(0, self.samples, EVALUATION_BATCH)
        parts = [self.sums(positions[start : start + EVALUATION_BATCH]) for start in starts]
        return self.metrics.scores(np.sum(parts, axis=0), self.samples)

    def latency(self, batch: int) -> float:
        """Seconds to predict and score a batch of samples, the median of repeated calls."""
        positions = np.arange(batch, dtype=np.int32) % self.samples
        return median_seconds(lambda: self.sums(positions))


def _compile_evaluation(
    network: TrainableNetwork, samples: Samples, metrics: MetricSums, cache: GraphCache
) -> Evaluation:
    """The evaluation of a network over samples."""
    batches = Batches(samples)

    def evaluate_batch(positions: tf.Tensor, *tensors: tf.Tensor) -> tf.Tensor:
        x, y = batches.take(positions, *tensors)
        given = network.forward(x, training=False)
        return metrics.sums(y, given.output, _losses(metrics, y, given))

    with_onednn = _uses_onednn(batches)
    name = _graph_name("evaluation", network, batches, with_onednn, metrics.settings)
    known = name, network, metrics, batches, cache, with_onednn
    sums = _compile(evaluate_batch, (POSITIONS,), *known, warm_up=1)
    return Evaluation(sums, metrics, len(samples))


def evaluate(
    network: TrainableNetwork, samples: Samples, metrics: Sequence[Setting] = ()
) -> Scores:
    """Loss and metrics of a network over samples (see `netsurgery.training.metrics`)."""
    sums = metric_sums(samples, network.loss, network.outputs, metrics, logits=network.logits)
    return _compile_evaluation(network, samples, sums, GraphCache())()


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
    ) -> None:
        cache = cache or GraphCache()
        self.network, self.samples, self.batch_size = network, len(training), batch_size
        self.shift = training.shift
        self.timer = timer or Timer()
        with self.timer("build"):
            known = network.loss, network.outputs, metrics
            self.metrics = metric_sums(training, *known, class_weights, logits=network.logits)
            fixed = network, training, batch_size, self.metrics, cache
            self.epoch = _compile_epoch(*fixed, precision)
            validation_metrics = metric_sums(validation, *known, logits=network.logits)
            self.evaluation = _compile_evaluation(network, validation, validation_metrics, cache)

    def run(
        self,
        batches: Sequence[int],
        rng: np.random.Generator,
        rates: np.ndarray | None = None,
    ) -> list[Scores]:
        """Train, and score after every epoch.

        Args:
            batches: of each epoch; fewer than the samples fill is a part of an epoch.
            rng: draws the order of the samples, how they move, and what layers such as dropout
                start from.
            rates: the learning rate of each batch, float32 (sum of `batches`,); by default that of
                the network's settings.

        Returns:
            Loss and metrics of each epoch, and those of the validation samples as val_loss etc.
            Training stops after an epoch whose loss is a NaN or an infinity; its entry is the last.
            Other metrics may be NaN without harm, such as a correlation with a constant.
        """
        if rates is None:
            rates = np.full(sum(batches), self.network.settings.learning_rate, np.float32)
        history: list[Scores] = []
        for count, end in zip(batches, np.cumsum(batches), strict=True):
            order = rng.permutation(self.samples)[: count * self.batch_size].astype(np.int32)
            moves = self.shift.draw(len(order), rng) if self.shift else NO_MOVES
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
            if not finite(scores[name] for name in LOSSES):
                break
        return history

    def seconds(self, batches: int) -> float:
        """The time to train some batches, of the processor where it trains; changes the network."""
        on_gpu = tf.config.list_physical_devices("GPU")
        clock = time.perf_counter if on_gpu else time.process_time  # other jobs take turns
        order = np.arange(batches * self.batch_size, dtype=np.int32) % self.samples
        moves = self.shift.draw(len(order), np.random.default_rng(0)) if self.shift else NO_MOVES
        start = clock()
        self.epoch(order, np.zeros(batches, np.float32), moves)
        return clock() - start
