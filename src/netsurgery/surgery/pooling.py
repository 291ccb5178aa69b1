"""Adapt weights, images and series to another size, after a pooling is inserted or removed.

Pooling has no weights and convolutions do not depend on the image's size, but the first dense layer
does. Its kernel is viewed as (*sides, channels, out) (ECToNAS A.2, figure 7).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def nearest(length: int, other: int) -> np.ndarray:
    """For each of `length` pixels of a side, the corresponding one of a side of `other` pixels.

    If one side is half of the other, rounded up, these are the blocks of 2x2 pooling; the image's
    edge may cut the last one.
    """
    return np.arange(length) * other // length


def resampled(kernel: np.ndarray, sides: Sequence[int]) -> np.ndarray:
    """Weights for a series or an image of another size: (*old sides, c, out) to (*sides, c, out).

    A pixel of a smaller image gets the sum of its block's weights, which is the best estimate of
    the block's contribution given its average. For max pooling no rule works well, and the sum is
    the best of those tried: with a pooling inserted before the flatten layer of networks trained on
    digits (six runs), it kept 30 % of the validation accuracy, the weights of largest magnitude
    (the paper's rule) 25 %, the signed maximum (the published code's) 15 %. The pixels of a larger
    image share their block's weight equally, which is exact for average pooling, including blocks
    that the image's edge cuts.
    """
    sources = []
    for axis, length in enumerate(sides):
        side = kernel.shape[axis]
        if length < side:
            starts = np.searchsorted(nearest(side, length), np.arange(length))
            kernel = np.add.reduceat(kernel, starts, axis=axis)
        sources.append(nearest(length, kernel.shape[axis]))
    if kernel.shape[: len(sources)] == tuple(sides):
        return kernel
    kernel = kernel[np.ix_(*sources)]
    for axis, source in enumerate(sources):
        shares = np.bincount(source)[source].astype(kernel.dtype)
        kernel /= np.expand_dims(shares, tuple(set(range(kernel.ndim)) - {axis}))
    return kernel


def aggregated(kernel: np.ndarray, sides: Sequence[int], pooling: str) -> np.ndarray:
    """The same as published: (*old sides, c, out) to (*sides, c, out).

    A pixel of a smaller image gets what the pooling makes of its block's weights: their mean, or
    the one of largest magnitude (ECToNAS A.2; the published code takes the largest). The pixels of
    a larger image repeat their block's weight.

    Args:
        kernel: of the first dense layer.
        sides: of the image in the child.
        pooling: average or max.
    """
    for axis, length in enumerate(sides):
        side = kernel.shape[axis]
        blocks = nearest(side, length)
        if length >= side:
            kernel = kernel.take(nearest(length, side), axis=axis)
            continue
        starts = np.searchsorted(blocks, np.arange(length))
        if pooling == "max":
            largest = np.maximum.reduceat(kernel, starts, axis=axis)
            smallest = np.minimum.reduceat(kernel, starts, axis=axis)
            kernel = np.where(largest >= -smallest, largest, smallest)
        else:
            counts = np.bincount(blocks).astype(kernel.dtype)
            counts = np.expand_dims(counts, tuple(set(range(kernel.ndim)) - {axis}))
            kernel = np.add.reduceat(kernel, starts, axis=axis) / counts
    return kernel


def resized(image: np.ndarray, sides: Sequence[int]) -> np.ndarray:
    """Resize series or images by blocks: (n, *old sides, c) to (n, *sides, c).

    A pixel of a smaller image is the average of its block; a larger image repeats pixels.
    """
    for axis, length in enumerate(sides, start=1):
        side = image.shape[axis]
        if length > side:
            image = image.take(nearest(length, side), axis=axis)
        elif length < side:
            blocks = nearest(side, length)
            starts = np.searchsorted(blocks, np.arange(length))
            counts = np.bincount(blocks).astype(image.dtype)
            shape = [-1 if i == axis else 1 for i in range(image.ndim)]
            image = np.add.reduceat(image, starts, axis=axis) / counts.reshape(shape)
    return image
