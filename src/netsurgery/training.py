"""Training and evaluating one Keras model, the same way wherever and whenever it runs.

Keras's own `fit` spends a second in its first call, which for small networks is most of a job; the
epoch below is one compiled loop around the same optimizer, loss and metrics, traced in a third of
that. There is one thread, and the order of the samples comes from the caller's generator, so that a
training step gives the same weights every time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from netsurgery.datasets import Samples, Scaling

Scores = dict[str, float]

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
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=gives_logits(model)),
        metrics=["accuracy"],
        jit_compile=False,
    )
    model.optimizer.build(model.trainable_variables)


def gives_logits(model: keras.Model) -> bool:
    """Whether the output layer has no activation: the loss is then computed from logits."""
    return getattr(model.layers[-1], "activation", None) is keras.activations.linear


class _Sums:
    """Loss and accuracy of a batch, summed over its samples."""

    names = ("loss", "accuracy")

    @staticmethod
    def of(y: tf.Tensor, predicted: tf.Tensor, logits: bool) -> tuple[tf.Tensor, tf.Tensor]:
        losses = keras.losses.sparse_categorical_crossentropy(y, predicted, from_logits=logits)
        hits = keras.metrics.sparse_categorical_accuracy(y, predicted)
        return tf.reduce_sum(losses), tf.reduce_sum(hits)


def _tensor(array: np.ndarray) -> tf.Tensor:
    """The array itself, not a copy of it, unless there is another device to put it on.

    TensorFlow wants memory aligned to 64 bytes, as the arrays of mapped `.npy` files are.
    """
    if array.ctypes.data % 64:
        return tf.constant(array)
    return tf.identity(tf.experimental.dlpack.from_dlpack(array.__dlpack__()))


def _scaled(raw: tf.Tensor, scaling: Scaling) -> tf.Tensor:
    values = tf.cast(raw, tf.float32)
    if np.any(scaling.shift):
        values -= scaling.shift
    values *= scaling.scale
    return tf.where(tf.math.is_nan(values), 0.0, values) if scaling.missing else values


def _batch(samples: Samples) -> Any:
    """A function from positions in the samples, int32 (n,), to what networks see and learn."""
    x, y, indices = _tensor(samples.x), _tensor(samples.y), tf.constant(samples.indices)

    def batch(positions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        chosen = tf.gather(indices, positions)
        return _scaled(tf.gather(x, chosen), samples.scaling), tf.gather(y, chosen)

    return batch


def _compiled_epoch(model: keras.Model, samples: Samples, batch_size: int) -> Any:
    """A function from the samples' order, int32 (n,), to the mean loss and accuracy."""
    variables, logits = model.trainable_variables, gives_logits(model)
    batch = _batch(samples)

    def step(start: tf.Tensor, order: tf.Tensor, loss: tf.Tensor, hits: tf.Tensor) -> Any:
        x, y = batch(order[start : start + batch_size])
        with tf.GradientTape() as tape:
            batch_loss, batch_hits = _Sums.of(y, model(x, training=True), logits)
            mean = batch_loss / tf.cast(tf.shape(y)[0], tf.float32)
        model.optimizer.apply(tape.gradient(mean, variables), variables)
        return start + batch_size, order, loss + batch_loss, hits + batch_hits

    def epoch(order: tf.Tensor) -> Any:
        count = tf.shape(order)[0]
        _, _, loss, hits = tf.while_loop(
            lambda start, *_: start < count, step, (0, order, 0.0, 0.0), parallel_iterations=1
        )
        samples_seen = tf.cast(count, tf.float32)
        return loss / samples_seen, hits / samples_seen

    return tf.function(epoch, autograph=False, input_signature=[tf.TensorSpec([None], tf.int32)])


def _compiled_evaluation(model: keras.Model, samples: Samples) -> Any:
    """A function of nothing that gives the loss and accuracy over all samples."""
    batch = _batch(samples)

    def sums(indices: tf.Tensor) -> Any:
        x, y = batch(indices)
        return _Sums.of(y, model(x, training=False), gives_logits(model))

    compiled = tf.function(sums, autograph=False, input_signature=[tf.TensorSpec([None], tf.int32)])

    def evaluation() -> Scores:
        starts = range(0, len(samples), EVALUATION_BATCH)
        batches = (
            np.arange(s, min(s + EVALUATION_BATCH, len(samples)), dtype=np.int32) for s in starts
        )
        totals = np.sum([[float(v) for v in compiled(b)] for b in batches], axis=0)
        return dict(zip(_Sums.names, (totals / len(samples)).tolist(), strict=True))

    return evaluation


def evaluate(model: keras.Model, samples: Samples) -> Scores:
    """Mean loss and accuracy over samples."""
    return _compiled_evaluation(model, samples)()


def finite(values: Iterable[float]) -> bool:
    """Whether no value is a NaN or an infinity."""
    return bool(np.isfinite(list(values)).all())


def train(
    model: keras.Model,
    training: Samples,
    validation: Samples,
    batches: Sequence[int],
    batch_size: int,
    rng: np.random.Generator,
) -> list[Scores]:
    """Train a compiled model and score it on the validation samples after every epoch.

    Args:
        model: changed in place, its optimizer's state included.
        training: the samples to learn from.
        validation: the samples to be scored on.
        batches: batches of each epoch; fewer than the data give is a part of an epoch.
        batch_size: samples per batch; the last one of a whole epoch may be smaller.
        rng: draws the order of the samples.

    Returns:
        Loss, accuracy, val_loss, val_accuracy of each epoch. Training stops behind an epoch that
        gives a NaN or an infinity: the list then ends with it.
    """
    epoch = _compiled_epoch(model, training, batch_size)
    evaluation = _compiled_evaluation(model, validation)
    history: list[Scores] = []
    for count in batches:
        order = rng.permutation(len(training))[: count * batch_size].astype(np.int32)
        trained = dict(zip(_Sums.names, (float(v) for v in epoch(tf.constant(order))), strict=True))
        scores = trained | {f"val_{name}": value for name, value in evaluation().items()}
        history.append(scores)
        if not finite(scores.values()):
            break
    return history
