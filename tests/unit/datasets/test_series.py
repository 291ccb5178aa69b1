"""Series: arrays of steps with channels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netsurgery import datasets
from netsurgery.config.errors import ConfigError
from netsurgery.datasets import DataError, SplitSettings
from tests.unit.config.examples import load

Y = np.arange(40) % 2


def saved(folder: Path, shape: tuple[int, ...], dtype: str = "f4") -> dict[str, Any]:
    """Random series as a source; its settings."""
    x = np.random.default_rng(0).normal(5, 2, (len(Y), *shape)) * np.arange(1, shape[-1] + 1)
    np.savez(folder / "series.npz", x_train=x.astype(dtype), y_train=Y)
    return {"source": "series", "path": str(folder / "series.npz")}


@pytest.mark.parametrize(
    ("shape", "stored"),
    [((20,), (20, 1)), ((20, 3), (20, 3)), ((20, 20), (20, 20)), ((3, 1), (3, 1))],
)
def test_series_keep_steps_and_channels(
    shape: tuple[int, ...], stored: tuple[int, int], tmp_path: Path
) -> None:
    settings = saved(tmp_path, shape)
    assert datasets.known_shape(settings) == (stored, None)
    assert not datasets.is_flat(settings)
    assert datasets.prepare("gait", settings, tmp_path / "data") == []
    assert datasets.describe(tmp_path / "data")["shape"] == list(stored)
    x = np.load(tmp_path / "data/x.npy")
    original = np.load(settings["path"])["x_train"]
    np.testing.assert_array_equal(x, original.reshape(len(Y), *stored))


@pytest.mark.parametrize("dtype", ["f4", "i2"])
def test_series_are_scaled_by_channel(dtype: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    datasets.prepare("gait", saved(tmp_path, (30, 3), dtype), data)
    datasets.write_split(data, tmp_path / "split.npz", SplitSettings(0.1, 0.1), 0)
    samples = datasets.read_part(data, tmp_path / "split.npz", "training")
    x = samples.inputs(np.arange(len(samples.indices)))
    np.testing.assert_allclose(x.mean(axis=(0, 1)), 0, atol=1e-4)
    np.testing.assert_allclose(x.std(axis=(0, 1)), 1, atol=1e-4)


def test_more_channels_than_steps_get_a_note(tmp_path: Path) -> None:
    (line,) = datasets.prepare("gait", saved(tmp_path, (3, 20)), tmp_path / "data")
    assert "taken for series of 3 steps with 20 channels" in line
    assert "x_train.transpose(0, 2, 1)" in line


@pytest.mark.parametrize("shape", [(4, 4, 3), (0, 3)])
def test_what_is_no_series_is_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    message = r"series must be \(samples, steps, channels\) or \(samples, steps\)"
    with pytest.raises(DataError, match=message):
        datasets.prepare("gait", saved(tmp_path, shape), tmp_path / "data")


def test_series_take_no_augmentation_of_images(tmp_path: Path) -> None:
    top = {"datasets": {"gait": saved(tmp_path, (20, 3))}}
    assert load(top=top, dataset="gait", topology="ff-small")
    with pytest.raises(ConfigError, match="'sixfold' needs images, but 'gait' has series"):
        load(top=top, dataset="gait", topology="ff-small", augmentation="sixfold")
    with pytest.raises(ConfigError, match=r"\(allowed: none, shift\)"):
        load(top=top, dataset="gait", topology="ff-small", augmentation="flip_shift")
    assert load(top=top, dataset="gait", topology="ff-small", augmentation="shift")
