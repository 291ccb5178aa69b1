"""Batches of samples, gathered from the mapped file by their positions."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from netsurgery import augmentation
from netsurgery.datasets import Samples, Scaling

Batch = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


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


def batches(samples: Samples) -> Batch:
    """A function from positions in the samples, int32 (n,), to what networks see and learn."""
    x, y, indices = _tensor(samples.x), _tensor(samples.y), tf.constant(samples.indices)

    def batch(positions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        raw_positions = positions
        if samples.variants > 1:
            raw_positions = positions % len(samples.indices)
        chosen = tf.gather(indices, raw_positions)
        raw, labels = tf.gather(x, chosen), tf.gather(y, chosen)
        if samples.variants > 1:
            raw = _variants(raw, positions // len(samples.indices))
        if samples.target is not None:
            labels = _scaled(labels, samples.target)
        return _scaled(raw, samples.scaling), labels

    return batch
