"""The scores of a network over samples, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from netsurgery.datasets import Samples
from netsurgery.objectives.keras_catalog import Setting
from netsurgery.training.compiler import POSITIONS, Compiler, SumsFunction
from netsurgery.training.graphs import GraphCache
from netsurgery.training.latency import median_seconds
from netsurgery.training.metrics import MetricSums, Scores, metric_sums
from netsurgery.training.model import TrainableNetwork
from netsurgery.training.samples import Batches

BATCH = 1000  # samples that are scored at once
COMPARED = 100  # samples whose outputs are compared
SAME = 1e-6  # difference of outputs, which are probabilities or scaled targets


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
        starts = range(0, self.samples, BATCH)
        parts = [self.sums(positions[start : start + BATCH]) for start in starts]
        return self.metrics.scores(np.sum(parts, axis=0), self.samples)

    def latency(self, batch: int) -> float:
        """Seconds to predict and score a batch of samples, the median of repeated calls."""
        positions = np.arange(batch, dtype=np.int32) % self.samples
        return median_seconds(lambda: self.sums(positions))


def compile_evaluation(
    network: TrainableNetwork, samples: Samples, metrics: MetricSums, cache: GraphCache
) -> Evaluation:
    """The evaluation of a network over samples."""
    batches = Batches(samples)

    def evaluate_batch(positions: tf.Tensor, *tensors: tf.Tensor) -> tf.Tensor:
        x, y = batches.take(positions, *tensors)
        given = network.forward(x, training=False)
        losses = given.with_penalties(metrics.losses(y, given.output))
        return metrics.sums(y, given.output, losses)

    compiler = Compiler(network, metrics, batches, cache)
    sums = compiler.compile("evaluation", evaluate_batch, (POSITIONS,), warm_up=1)
    return Evaluation(sums, metrics, len(samples))


def evaluate(
    network: TrainableNetwork, samples: Samples, metrics: Sequence[Setting] = ()
) -> Scores:
    """Loss and metrics of a network over samples (see `netsurgery.training.metrics`)."""
    known = samples.y, samples.target, network.loss, network.outputs
    sums = metric_sums(*known, metrics, logits=network.logits)
    return compile_evaluation(network, samples, sums, GraphCache())()


def constant_outputs(network: TrainableNetwork, samples: Samples) -> int:
    """How many samples a network gives the same output for; 0 if its outputs differ.

    Args:
        network: whose outputs are compared.
        samples: of which at most 100 are compared, evenly spread.
    """
    count = len(samples.indices)
    positions = np.unique(np.linspace(0, count - 1, min(count, COMPARED)).astype(int))
    x = samples.inputs(positions)
    outputs = np.asarray(network(tf.constant(x), training=False))
    is_constant = bool(np.all(np.ptp(outputs, axis=0) <= SAME))
    return len(positions) if is_constant and np.any(x != x[:1]) else 0
