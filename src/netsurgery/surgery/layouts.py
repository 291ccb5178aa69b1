"""Where the channels of each group lie among the features of a layer's output.

The features are the last axis of the output: the channels of an image, the units of a dense layer,
or the channels of all pixels, one pixel after the other, behind a flatten layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEW = -1  # stands for a channel of the child that comes from none of the parent


@dataclass(frozen=True)
class Segment:
    """Consecutive channels that belong to one group.

    Attributes:
        group: the number of the group.
        width: how many channels.
    """

    group: int
    width: int


@dataclass(frozen=True)
class Run:
    """Consecutive features: the same segments once for each pixel.

    Attributes:
        pixels: how often the segments are repeated; 1 but behind a flatten layer.
        segments: of one pixel.
    """

    pixels: int
    segments: tuple[Segment, ...]


Layout = tuple[Run, ...]


def sources(layout: Layout, group: int, index: np.ndarray) -> np.ndarray:
    """Where the features of a child come from if one group of channels changes.

    Args:
        layout: of the parent.
        group: the number of the group that changes.
        index: the source of each channel that the group has in the child, or `NEW`.

    Returns:
        (child's features,): indices of the parent's features, or `NEW`.
    """
    found, start = [], 0
    for run in layout:
        pixel, width = [], 0
        for segment in run.segments:
            channels = index if segment.group == group else np.arange(segment.width)
            pixel.append(np.where(channels == NEW, NEW, channels + width))
            width += segment.width
        channels = np.concatenate(pixel)
        starts = start + width * np.arange(run.pixels)[:, None]
        found.append(np.where(channels == NEW, NEW, starts + channels).reshape(-1))
        start += run.pixels * width
    return np.concatenate(found)


def occurrences(layout: Layout, group: int, width: int | None = None) -> list[np.ndarray]:
    """The features that hold the channels of a group, once for each segment of it.

    Args:
        layout: of the parent.
        group: the number of the group.
        width: of the group in the child, to get the child's features; None for the parent's.

    Returns:
        Arrays of indices: (channels,), or (pixels, channels) behind a flatten layer.
    """
    found: list[np.ndarray] = []
    start = 0
    for run in layout:
        offsets, offset = [], 0
        for segment in run.segments:
            own = segment.group == group
            size = width if own and width is not None else segment.width
            if own:
                offsets.append(offset + np.arange(size))
            offset += size
        starts = start + offset * np.arange(run.pixels)[:, None]
        of_pixels = [starts + channels for channels in offsets]
        found += [each[0] for each in of_pixels] if run.pixels == 1 else of_pixels
        start += run.pixels * offset
    return found


def part(array: np.ndarray, features: np.ndarray, axis: int) -> np.ndarray:
    """Some features of an array: `features` replaces its negative `axis`; a view if it is all."""
    if features.size == array.shape[axis]:
        after = array.shape[array.ndim + axis + 1 :]
        return array.reshape(*array.shape[:axis], *features.shape, *after)
    return np.take(array, features, axis=axis)
