"""Random generators that depend on a seed and their purpose alone."""

from __future__ import annotations

import hashlib

import numpy as np


def random_stream(seed: int, *purpose: str | int) -> np.random.Generator:
    """A new generator for one purpose in one search, independent of all earlier draws.

    Args:
        seed: of the search; 0 is as good as any other.
        purpose: what it is for, such as a candidate and its step.
    """
    words = "/".join(map(str, (seed, *purpose)))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(words.encode()).digest()[:16]))
