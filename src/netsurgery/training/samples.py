"""Batches of samples, gathered from the mapped file by their positions."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import tensorflow as tf

from netsurgery.datasets import Samples, Scaling, augmentation


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
    chosen = tf.gather(tf.constant(augmentation.source_pixels(height, width)), variants)
    return tf.reshape(tf.gather(framed, chosen, batch_dims=1), (-1, height, width, channels))


class Batches:
    """What networks see and learn of samples, by their positions."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self.tensors = _tensor(samples.x), _tensor(samples.y), tf.constant(samples.indices)

    @property
    def signature(self) -> list[tf.TensorSpec]:
        """Of positions, int32 (n,), and of the tensors that they are looked up in."""
        tensors = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in self.tensors]
        return [tf.TensorSpec([None], tf.int32), *tensors]

    def take(
        self, positions: tf.Tensor, x: tf.Tensor, y: tf.Tensor, indices: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """A batch: what networks see, and what they learn.

        Args:
            positions: int32 (n,).
            x: all samples as they are stored,
            y: their classes or targets, and
            indices: those of this part: the three tensors.
        """
        samples, count = self.samples, len(self.samples.indices)
        chosen = tf.gather(indices, positions % count if samples.variants > 1 else positions)
        raw, labels = tf.gather(x, chosen), tf.gather(y, chosen)
        if samples.variants > 1:
            raw = _variants(raw, positions // count)
        if samples.target is not None:
            labels = _scaled(labels, samples.target)
        return _scaled(raw, samples.scaling), labels
