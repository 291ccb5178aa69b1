"""Samples that are there more than once: what a test says of new samples suffers from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import numpy as np

from netsurgery.datasets.source import TRAINING, rows_per_chunk

FEW = 50  # samples of which chance repeats some
NOTABLE = 0.01  # share of repeated samples that is worth a word


def _digests(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A number for each sample and its label, int64 (n,); equal samples have equal ones."""
    found = np.empty(len(x), np.int64)
    rows = rows_per_chunk(x.shape[1:], x.dtype)
    for start in range(0, len(x), rows):
        samples, labels = x[start : start + rows], y[start : start + rows]
        for i, (sample, label) in enumerate(zip(samples, labels, strict=True), start):
            digest = hashlib.blake2b(sample.tobytes() + label.tobytes(), digest_size=8)
            found[i] = int.from_bytes(digest.digest(), "little", signed=True)
    return found


def warnings(
    x: np.ndarray, y: np.ndarray, parts: Mapping[str, np.ndarray], origin: str
) -> Iterator[str]:
    """Warnings about samples that equal others, label included.

    Args:
        x: (n, *shape) all samples.
        y: (n,) or (n, targets).
        parts: indices of the samples of each part that the source provides.
        origin: of the data, for the messages.
    """
    digests = _digests(x, y)
    training = digests[parts[TRAINING]]
    for part, indices in parts.items():
        if part == TRAINING or not len(indices):
            continue
        same = int(np.isin(digests[indices], training).sum())
        if same:
            yield (
                f"{origin}: {same:,} of {len(indices):,} {part} samples equal a training sample, "
                f"label included; results on them say nothing about new samples: remove them"
            )
    again = len(training) - len(np.unique(training))
    if len(training) >= FEW and again >= NOTABLE * len(training):
        yield (
            f"{origin}: {again:,} of {len(training):,} training samples repeat another one, label "
            f"included; samples drawn from them for validation or test may equal training samples: "
            f"remove copies, unless they are measurements of their own"
        )
