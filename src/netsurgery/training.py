"""Training and evaluating one Keras model, the same way wherever and whenever it runs.

Keras's own `fit` spends a second in its first call, which for small networks is most of a job; the
epoch below is one compiled loop around the same optimizer, loss and metrics, traced in a third of
that. There is one thread, and the order of the samples comes from the caller's generator, so that a
training step gives the same weights every time.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Sequence
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from netsurgery import augmentation
from netsurgery.datasets import Samples, Scaling
from netsurgery.measures import CROSSENTROPY, Measures, Scores, loss_of, measures

OPTIMIZERS = {
    "sgd": keras.optimizers.SGD,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
}
EVALUATION_BATCH = 1000


def use_one_thread() -> None:
    """One thread per training job; the workflow runs as many jobs as there are cores.

    Must be called before TensorFlow runs its first operation.
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()


def compile_model(model: keras.Model, settings: dict[str, Any]) -> None:
    """Give a model a fresh optimizer and the loss and metrics of the search."""
    arguments = {"learning_rate": settings["learning_rate"], "name": "optimizer"}
    if settings["momentum"]:
        arguments["momentum"] = settings["momentum"]
    model.compile(
        optimizer=OPTIMIZERS[settings["optimizer"]](**arguments),
        loss=loss_of(model, settings["loss"]),
        metrics=["accuracy"] if settings["loss"] == CROSSENTROPY else ["mae"],
        jit_compile=False,
    )
    model.optimizer.build(model.trainable_variables)


def _tensor(array: np.ndarray) -> tf.Tensor:
    """The array itself, not a copy of it, unless there is another device to put it on.

    TensorFlow wants memory aligned to 64 bytes, as the arrays of mapped `.npy` files are; and what
    it is handed through DLPack must not be marked as read-only, which mapped files are.
    """
    address = array.ctypes.data
    if address % 64 or not array.size:
        return tf.constant(array)
    memory: Any = (ctypes.c_char * array.nbytes).from_address(address)
    memory.owner = array  # which stays mapped as long as the tensor lives
    unmarked = np.frombuffer(memory, array.dtype).reshape(array.shape)
    return tf.identity(tf.experimental.dlpack.from_dlpack(unmarked.__dlpack__()))


def _scaled(raw: tf.Tensor, scaling: Scaling) -> tf.Tensor:
    values = tf.cast(raw, tf.float32)
    if np.any(scaling.shift):
        values -= scaling.shift
    values *= scaling.scale
    return tf.where(tf.math.is_nan(values), 0.0, values) if scaling.missing else values


def _variants(x: tf.Tensor, variants: tf.Tensor) -> tf.Tensor:
    """Each image in its own variant of the sixfold set."""
    _, height, width, channels = x.shape
    pixels = tf.reshape(x, (-1, height * width, channels))
    framed = tf.concat([pixels, tf.zeros_like(pixels[:, :1])], axis=1)
    chosen = tf.gather(tf.constant(augmentation.sources(height, width)), variants)
    return tf.reshape(tf.gather(framed, chosen, batch_dims=1), (-1, height, width, channels))


def _batch(samples: Samples) -> Any:
    """A function from positions in the samples, int32 (n,), to what networks see and learn."""
    x, y, indices = _tensor(samples.x), _tensor(samples.y), tf.constant(samples.indices)

    def batch(positions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        chosen = tf.gather(indices, positions % len(samples.indices))
        raw, labels = tf.gather(x, chosen), tf.gather(y, chosen)
        if samples.variants > 1:
            raw = _variants(raw, positions // len(samples.indices))
        if samples.target is not None:
            labels = _scaled(labels, samples.target)
        return _scaled(raw, samples.scaling), labels

    return batch


def _compiled_epoch(
    model: keras.Model, samples: Samples, batch_size: int, measured: Measures
) -> Any:
    """A function from the samples' order, int32 (n,), to the measures' sums over the epoch."""
    variables = model.trainable_variables
    batch = _batch(samples)

    def step(start: tf.Tensor, order: tf.Tensor, sums: tf.Tensor) -> Any:
        x, y = batch(order[start : start + batch_size])
        with tf.GradientTape() as tape:
            of_batch = measured.sums(y, model(x, training=True))
            mean = of_batch[0] / tf.cast(tf.shape(y)[0], tf.float32)
        model.optimizer.apply(tape.gradient(mean, variables), variables)
        return start + batch_size, order, sums + of_batch

    def epoch(order: tf.Tensor) -> Any:
        count = tf.shape(order)[0]
        start = (0, order, tf.zeros(measured.width))
        return tf.while_loop(lambda done, *_: done < count, step, start, parallel_iterations=1)[2]

    return tf.function(epoch, autograph=False, input_signature=[tf.TensorSpec([None], tf.int32)])


def _compiled_evaluation(model: keras.Model, samples: Samples, measured: Measures) -> Any:
    """A function of nothing that gives the loss and metrics over all samples."""
    batch = _batch(samples)

    def sums(positions: tf.Tensor) -> Any:
        x, y = batch(positions)
        return measured.sums(y, model(x, training=False))

    compiled = tf.function(sums, autograph=False, input_signature=[tf.TensorSpec([None], tf.int32)])

    def evaluation() -> Scores:
        starts = range(0, len(samples), EVALUATION_BATCH)
        batches = (
            np.arange(s, min(s + EVALUATION_BATCH, len(samples)), dtype=np.int32) for s in starts
        )
        totals = np.sum([compiled(b).numpy().astype(np.float64) for b in batches], axis=0)
        return measured.scores(totals, len(samples))

    return evaluation


def evaluate(model: keras.Model, samples: Samples, metrics: Sequence[str] = ()) -> Scores:
    """Loss and metrics of a compiled model over samples (see `netsurgery.measures`)."""
    return _compiled_evaluation(model, samples, measures(model, samples, metrics))()


def finite(values: Iterable[float]) -> bool:
    """Whether no value is a NaN or an infinity."""
    return bool(np.isfinite(list(values)).all())


class Course:
    """A compiled model and its samples, made ready once to be trained as often as is wanted."""

    def __init__(
        self,
        model: keras.Model,
        training: Samples,
        validation: Samples,
        batch_size: int,
        metrics: Sequence[str] = (),
        class_weights: np.ndarray | None = None,
    ) -> None:
        self.samples, self.batch_size = len(training), batch_size
        self.measured = measures(model, training, metrics, class_weights)
        self.epoch = _compiled_epoch(model, training, batch_size, self.measured)
        validating = measures(model, validation, metrics)
        self.evaluation = _compiled_evaluation(model, validation, validating)

    def run(self, batches: Sequence[int], rng: np.random.Generator) -> list[Scores]:
        """Train, and score after every epoch (see `train`)."""
        history: list[Scores] = []
        for count in batches:
            order = rng.permutation(self.samples)[: count * self.batch_size].astype(np.int32)
            sums = self.epoch(tf.constant(order)).numpy().astype(np.float64)
            trained = self.measured.scores(sums, len(order))
            scores = trained | {f"val_{name}": value for name, value in self.evaluation().items()}
            history.append(scores)
            if not finite(scores.values()):
                break
        return history


def train(
    model: keras.Model,
    training: Samples,
    validation: Samples,
    batches: Sequence[int],
    batch_size: int,
    rng: np.random.Generator,
    metrics: Sequence[str] = (),
    class_weights: np.ndarray | None = None,
) -> list[Scores]:
    """Train a compiled model and score it on the validation samples after every epoch.

    Args:
        model: changed in place, its optimizer's state included.
        training: the samples to learn from.
        validation: the samples to be scored on.
        batches: batches of each epoch; fewer than the data give is a part of an epoch.
        batch_size: samples per batch; the last one of a whole epoch may be smaller.
        rng: draws the order of the samples.
        metrics: names of metrics besides those that are always measured.
        class_weights: (classes,) of the training samples' losses; None: all are 1.

    Returns:
        Loss and metrics of each epoch, and those of the validation samples as val_loss etc.
        Training stops behind an epoch that gives a NaN or an infinity: the list then ends with it.
    """
    course = Course(model, training, validation, batch_size, metrics, class_weights)
    return course.run(batches, rng)
