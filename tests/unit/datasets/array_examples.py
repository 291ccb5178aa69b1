"""Small arrays, saved as users save them, and what becomes of them."""

import numpy as np

from netsurgery import datasets

RNG = np.random.default_rng(0)


X, Y = RNG.integers(0, 256, (12, 4, 5), dtype=np.uint8), np.arange(12) % 3


def saved(folder, kind="npz", **named):
    """Arrays saved as one kind of source; its settings."""
    if kind == "npz":
        path = folder / "data.npz"
        np.savez(path, **named)
    else:
        path = folder / "arrays"
        path.mkdir()
        for name, array in named.items():
            np.save(path / f"{name}.npy", array)
    return {"source": kind, "path": str(path)}


def prepared(folder, settings):
    warnings = datasets.prepare("mine", settings, folder / "prepared")
    x, y = (np.load(folder / "prepared" / f"{stem}.npy") for stem in "xy")
    return x, y, datasets.describe(folder / "prepared"), warnings
