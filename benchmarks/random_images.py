"""Random images, which are sufficient to measure times."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def write_images(path: Path) -> None:
    """Write random colour images in the shape of CIFAR-10, with 45,000 training samples."""
    rng = np.random.default_rng(0)
    parts = {"train": 50_000, "test": 1000}
    arrays = {}
    for part, count in parts.items():
        arrays[f"x_{part}"] = rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
        arrays[f"y_{part}"] = np.arange(count) % 10
    np.savez(path, **arrays)
