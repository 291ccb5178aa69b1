"""Epochs and evaluations as compiled loops.

Keras's own `fit` spends a second in its first call, which for small networks is most of a job; the
epoch below is one compiled loop around the same optimizer, loss and metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import tensorflow as tf

from netsurgery.clock import Clock
from netsurgery.datasets import Samples
from netsurgery.measures import Measures, Scores, measures
from netsurgery.training.learner import Learner
from netsurgery.training.samples import batches

EVALUATION_BATCH = 1000
ORDER = (tf.TensorSpec([None], tf.int32),)

Sums = Callable[[np.ndarray], np.ndarray]


def _compiled(function: Callable[[tf.Tensor], tf.Tensor], harmless: int = 0) -> Sums:
    """A function of positions, int32 (n,), ready to run: traced, and its kernels made.

    Args:
        function: of positions.
        harmless: how many positions it can be tried with and change nothing.
    """
    compiled = tf.function(function, autograph=False, input_signature=ORDER).get_concrete_function()

    def run(positions: np.ndarray) -> np.ndarray:
        return compiled(tf.constant(positions)).numpy().astype(np.float64)

    run(np.zeros(harmless, np.int32))
    return run


def _compiled_epoch(
    learner: Learner, samples: Samples, batch_size: int, measured: Measures
) -> Sums:
    """A function from the samples' order, int32 (n,), to the measures' sums over the epoch."""
    batch = batches(samples)
    weights = learner.weights

    def step(start: tf.Tensor, order: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, ...]:
        x, y = batch(order[start : start + batch_size])
        with tf.GradientTape() as tape:
            predicted = learner(x, training=True)
            losses = measured.losses(y, predicted)
        count = tf.shape(losses)
        shares = tf.fill(count, 1 / tf.cast(count[0], tf.float32))  # of each loss in their mean
        gradients = tape.gradient(
            losses, [weight.value for weight in weights], output_gradients=shares
        )
        learner.optimizer.apply(gradients, weights)
        return start + batch_size, order, sums + measured.sums(y, predicted, losses)

    def epoch(order: tf.Tensor) -> tf.Tensor:
        count = tf.shape(order)[0]
        start = (0, order, tf.zeros(measured.width))
        return tf.while_loop(lambda done, *_: done < count, step, start, parallel_iterations=1)[2]

    return _compiled(epoch)


def _compiled_evaluation(
    learner: Learner, samples: Samples, measured: Measures
) -> Callable[[], Scores]:
    """A function of nothing that gives the loss and metrics over all samples."""
    batch = batches(samples)

    def of_batch(positions: tf.Tensor) -> tf.Tensor:
        x, y = batch(positions)
        predicted = learner(x, training=False)
        return measured.sums(y, predicted, measured.losses(y, predicted))

    sums = _compiled(of_batch, harmless=1)

    def evaluation() -> Scores:
        everything = np.arange(len(samples), dtype=np.int32)
        starts = range(0, len(samples), EVALUATION_BATCH)
        parts = [sums(everything[start : start + EVALUATION_BATCH]) for start in starts]
        totals = np.sum(parts, axis=0)
        return measured.scores(totals, len(samples))

    return evaluation


def evaluate(learner: Learner, samples: Samples, metrics: Sequence[str] = ()) -> Scores:
    """Loss and metrics of a network over samples (see `netsurgery.measures`)."""
    measured = measures(samples, learner.loss, learner.outputs, metrics)
    return _compiled_evaluation(learner, samples, measured)()


def finite(values: Iterable[float]) -> bool:
    """Whether no value is a NaN or an infinity."""
    return bool(np.isfinite(list(values)).all())


class Course:
    """A learner and its samples, made ready once to be trained as often as is wanted.

    Args:
        learner: its variables change in place, its optimizer's state included.
        training: the samples to learn from.
        validation: the samples to be scored on.
        batch_size: samples per batch; the last one of a whole epoch may be smaller.
        metrics: names of metrics besides those that are always measured.
        class_weights: (classes,) of the training samples' losses; None: all are 1.
        clock: is told where the time goes.
    """

    def __init__(
        self,
        learner: Learner,
        training: Samples,
        validation: Samples,
        batch_size: int,
        metrics: Sequence[str] = (),
        class_weights: np.ndarray | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.samples, self.batch_size = len(training), batch_size
        self.clock = clock or Clock()
        with self.clock("build"):
            loss, outputs = learner.loss, learner.outputs
            self.measured = measures(training, loss, outputs, metrics, class_weights)
            self.epoch = _compiled_epoch(learner, training, batch_size, self.measured)
            validating = measures(validation, loss, outputs, metrics)
            self.evaluation = _compiled_evaluation(learner, validation, validating)

    def run(self, batches: Sequence[int], rng: np.random.Generator) -> list[Scores]:
        """Train, and score after every epoch.

        Args:
            batches: of each epoch; fewer than the data give is a part of an epoch.
            rng: draws the order of the samples.

        Returns:
            Loss and metrics of each epoch, and those of the validation samples as val_loss etc.
            Training stops behind an epoch that gives a NaN or an infinity: the list ends with it.
        """
        history: list[Scores] = []
        for count in batches:
            order = rng.permutation(self.samples)[: count * self.batch_size].astype(np.int32)
            with self.clock("training"):
                trained = self.measured.scores(self.epoch(order), len(order))
            with self.clock("validation"):
                validated = self.evaluation()
            scores = trained | {f"val_{name}": value for name, value in validated.items()}
            history.append(scores)
            if not finite(scores.values()):
                break
        return history


def train(
    learner: Learner,
    training: Samples,
    validation: Samples,
    batches: Sequence[int],
    batch_size: int,
    rng: np.random.Generator,
    metrics: Sequence[str] = (),
    class_weights: np.ndarray | None = None,
) -> list[Scores]:
    """Train a network once (see `Course`)."""
    course = Course(learner, training, validation, batch_size, metrics, class_weights)
    return course.run(batches, rng)
