"""Batches of samples, gathered by position from the memory-mapped file."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from netsurgery.datasets import Samples, Scaling, augmentation


def _tensor(array: np.ndarray) -> tf.Tensor:
    """The array as a tensor that shares its memory, unless it goes to another device.

    TensorFlow requires values in C order in memory aligned to 64 bytes, as in memory-mapped `.npy`
    files of prepared datasets. DLPack rejects read-only arrays, which memory-mapped files are, so
    the tensor is made from the bare memory.
    """
    address = array.ctypes.data
    if address % 64 or not array.size or not array.flags.c_contiguous or not array.dtype.isnative:
        return tf.constant(array.astype(array.dtype.newbyteorder("="), order="C", copy=False))
    memory: Any = (ctypes.c_char * array.nbytes).from_address(address)
    memory.owner = array  # keeps it mapped as long as the tensor lives
    writable = np.frombuffer(memory, array.dtype).reshape(array.shape)
    return tf.identity(tf.experimental.dlpack.from_dlpack(writable.__dlpack__()))


def _scaled(raw: tf.Tensor, scaling: Scaling) -> tf.Tensor:
    values, pieces = tf.cast(raw, tf.float32), scaling.pieces
    if pieces is not None:
        values = tf.gather(values, pieces.columns, axis=-1)
    if np.any(scaling.shift):
        values -= scaling.shift
    values *= scaling.scale
    if pieces is not None:
        values = tf.where(pieces.bins, tf.clip_by_value(values, 0.0, 1.0), values)
    return tf.where(tf.math.is_nan(values), 0.0, values) if scaling.missing else values


def _variants(x: tf.Tensor, variants: tf.Tensor) -> tf.Tensor:
    """Each image as one of its six variants."""
    _, height, width, channels = x.shape
    pixels = tf.reshape(x, (-1, height * width, channels))
    padded = tf.concat([pixels, tf.zeros_like(pixels[:, :1])], axis=1)
    chosen = tf.gather(tf.constant(augmentation.source_pixels(height, width)), variants)
    return tf.reshape(tf.gather(padded, chosen, batch_dims=1), (-1, height, width, channels))


def _moved(x: tf.Tensor, moves: tf.Tensor) -> tf.Tensor:
    """Each sample perhaps mirrored along its last axis, and then moved along all.

    Args:
        x: (n, *sides, channels).
        moves: int32 (n, axes + 1 or more) (see `RandomChange.draw`).
    """
    sides = x.shape[1:-1]
    mirrored = moves[:, len(sides) : len(sides) + 1] == 1
    for axis, side in enumerate(sides, 1):
        places = tf.range(side) - moves[:, axis - 1 : axis]
        if axis == len(sides):
            places = tf.where(mirrored, side - 1 - places, places)
        x = tf.gather(x, tf.clip_by_value(places, 0, side - 1), axis=axis, batch_dims=1)
    return x


def _cut_out(x: tf.Tensor, centres: tf.Tensor, lengths: Sequence[int]) -> tf.Tensor:
    """Each sample with a part replaced by the mean of each channel.

    Args:
        x: float32 (n, *sides, channels).
        centres: int32 (n, axes), the middle of the part.
        lengths: of the part along each axis.
    """
    sides = x.shape[1:-1]
    inside = tf.ones((1,) * (len(sides) + 2), tf.bool)
    for axis, (side, length) in enumerate(zip(sides, lengths, strict=True)):
        first = centres[:, axis : axis + 1] - length // 2
        places = tf.range(side)
        along = (places >= first) & (places < first + length)  # (n, side)
        inside &= tf.reshape(along, [-1, *(side if i == axis else 1 for i in range(len(sides))), 1])
    means = tf.reduce_mean(x, axis=list(range(1, len(sides) + 1)), keepdims=True)
    return tf.where(inside, means, x)


def _warped(x: tf.Tensor, turns: tf.Tensor, zooms: tf.Tensor) -> tf.Tensor:
    """Each image turned around its middle and zoomed; its edge is repeated.

    Args:
        x: (n, height, width, channels).
        turns: int32 (n,), tenths of a degree.
        zooms: int32 (n,), per mille.
    """
    _, height, width, _ = x.shape
    angle = tf.cast(turns, tf.float32) * (np.pi / 1800)
    size = 1 + tf.cast(zooms, tf.float32) / 1000
    cos, sin = tf.cos(angle) / size, tf.sin(angle) / size
    across, down = (width - 1) / 2, (height - 1) / 2
    zero = tf.zeros_like(cos)
    # from a pixel of the result to where it comes from
    transforms = tf.stack(
        [
            *(cos, -sin, across - cos * across + sin * down),
            *(sin, cos, down - sin * across - cos * down),
            *(zero, zero),
        ],
        axis=1,
    )
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(x, tf.float32),
        transforms=transforms,
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


class Batches:
    """Inputs and labels of samples, by position."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self.tensors = _tensor(samples.x), _tensor(samples.y), tf.constant(samples.indices)

    @property
    def signature(self) -> list[tf.TensorSpec]:
        """Of the three tensors to look positions up in."""
        return [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in self.tensors]

    @property
    def moves(self) -> tf.TensorSpec:
        """How the samples of an epoch change (see `RandomChange.draw`)."""
        change = self.samples.change
        return tf.TensorSpec([None, 0 if change is None else change.numbers], tf.int32)

    def take(
        self,
        positions: tf.Tensor,
        x: tf.Tensor,
        y: tf.Tensor,
        indices: tf.Tensor,
        *,
        moves: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """A batch: the network's inputs, float32 (n, *shape), and their labels, (n, ...).

        Args:
            positions: int32 (n,), of samples of this part and, with augmentation, their variants.
            x: all samples as stored.
            y: all classes or targets.
            indices: of the samples of this part.
            moves: int32 (n, numbers), of samples that change at random (see `RandomChange.draw`).
        """
        samples, count = self.samples, len(self.samples.indices)
        chosen = tf.gather(indices, positions % count if samples.variants > 1 else positions)
        raw, labels = tf.gather(x, chosen), tf.gather(y, chosen)
        if samples.variants > 1:
            raw = _variants(raw, positions // count)
        if moves is None or samples.change is None:
            inputs = _scaled(raw, samples.scaling)
        elif samples.parts:
            inputs = _with_changed_input(raw, samples, samples.change, moves)
        else:
            inputs = _changed(raw, samples.scaling, samples.change, moves)
        if samples.target is not None:
            labels = _scaled(labels, samples.target)
        return inputs, labels


def _with_changed_input(
    raw: tf.Tensor, samples: Samples, change: augmentation.RandomChange, moves: tf.Tensor
) -> tf.Tensor:
    """Stored samples of several inputs, of which one is changed at random."""
    inputs = _scaled(raw, samples.scaling)
    part = augmentation.changed_input(samples.parts)
    own = tf.reshape(raw[:, part.start : part.stop], (-1, *part.shape))
    changed = _changed(own, samples.scaling.of_input(part), change, moves)
    flat = tf.reshape(changed, (-1, part.stop - part.start))
    return tf.concat([inputs[:, : part.start], flat, inputs[:, part.stop :]], axis=1)


def _changed(
    raw: tf.Tensor, scaling: Scaling, change: augmentation.RandomChange, moves: tf.Tensor
) -> tf.Tensor:
    """Stored samples as inputs of the network, changed at random."""
    columns = change.columns
    raw = _moved(raw, moves)
    if place := columns.get(augmentation.ROTATE):
        warps = moves[:, place]
        raw = _warped(raw, warps[:, 0], warps[:, 1])
    if place := columns.get(augmentation.BRIGHTNESS):
        factor = 1 + tf.cast(moves[:, place], tf.float32) / 1000
        raw = tf.cast(raw, tf.float32) * factor[:, :, None, None]
    inputs = _scaled(raw, scaling)
    if place := columns.get(augmentation.CUTOUT):
        inputs = _cut_out(inputs, moves[:, place], change.cut)
    return inputs
