"""Groups of images and arrays, by which they are split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from netsurgery import datasets
from netsurgery.datasets import DataError
from netsurgery.datasets.path_groups import group_of


@pytest.mark.parametrize(
    ("setting", "file", "group"),
    [
        (None, "p1/a.png", None),
        ("folder", "p1/left/a.png", "p1/left"),
        (r"p(\d+)", "p1/left/a.png", "1"),
        (r"^\w+-\d+", "wing-07_3.png", "wing-07"),
        ("folder", "a.png", r"lies in the folder of its class.*\(`group: folder`\)"),
        (r"p\d", "x/a.png", "'x/a.png' does not match"),
    ],
)
def test_a_path_names_the_group(setting: str | None, file: str, group: str | None) -> None:
    folder = Path("images/oak")
    if group and " " in group:
        with pytest.raises(DataError, match=group):
            group_of(folder / file, folder, setting)
    else:
        assert group_of(folder / file, folder, setting) == group


def images(folder: Path) -> dict[str, Any]:
    for i in range(24):
        place = folder / "images" / "ab"[i % 2] / f"p{i // 4}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 4), i, np.uint8)).save(place / f"{i}.png")
    return {"source": "image_folder", "path": str(folder / "images"), "group": "folder"}


def arrays(folder: Path) -> dict[str, Any]:
    x = np.arange(24, dtype=np.uint8).repeat(16).reshape(24, 4, 4)
    i = np.arange(24)
    np.savez(folder / "x.npz", x_train=x, y_train=i % 2, patient_train=i // 4, odd_train=i[:3])
    return {"source": "npz", "path": str(folder / "x.npz"), "group": "patient"}


@pytest.mark.parametrize("saved", [images, arrays])
def test_a_patient_is_on_one_side(saved: Any, tmp_path: Path) -> None:
    data, split = tmp_path / "data", tmp_path / "split.npz"
    notes = datasets.prepare("d", saved(tmp_path), data)
    assert sum("6 groups, none of them on two sides" in note for note in notes) == 1
    datasets.write_split(data, split, datasets.SplitSettings(0.2, 0.2), 0)
    parts = np.load(split)
    patients = np.load(data / "x.npy")[:, 0, 0, 0] // 4
    seen = [set(patients[parts[part]]) for part in ("training", "validation", "test")]
    assert sum(map(len, seen)) == 6


def test_times_of_arrays_order_the_split(tmp_path: Path) -> None:
    settings = arrays(tmp_path) | {"time": "patient"}
    del settings["group"]
    datasets.prepare("d", settings, tmp_path)
    datasets.write_split(tmp_path, tmp_path / "s.npz", datasets.SplitSettings(0.2, 0.2), 0)
    parts = np.load(tmp_path / "s.npz")
    assert parts["training"].max() < parts["validation"].min() < parts["test"].min()


def test_an_array_of_groups_fits_the_samples(tmp_path: Path) -> None:
    settings = arrays(tmp_path)
    with pytest.raises(DataError, match="person_train"):
        datasets.prepare("d", settings | {"group": "person"}, tmp_path)
    with pytest.raises(DataError, match=r"shape \(3,\).*each of the 24 samples"):
        datasets.prepare("d", settings | {"group": "odd"}, tmp_path)
