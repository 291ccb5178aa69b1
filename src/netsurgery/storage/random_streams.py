"""Random generators that depend on what they are for and on nothing else."""

from __future__ import annotations

import hashlib

import numpy as np


def random_stream(seed: int, *purpose: str | int) -> np.random.Generator:
    """A generator for one purpose in one search, whatever was drawn elsewhere before.

    Args:
        seed: the search's seed; 0 is one like any other.
        purpose: what it is for, such as a candidate and its step.
    """
    words = "/".join(map(str, (seed, *purpose)))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(words.encode()).digest()[:16]))
