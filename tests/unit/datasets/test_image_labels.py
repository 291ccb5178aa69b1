"""Images whose labels are in a table beside their folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from netsurgery import datasets
from netsurgery.config import loading
from netsurgery.config.errors import ConfigError
from netsurgery.datasets import DataError
from tests.support.factories import SCHEMA

NAMES = ["b/1.png", "a/1.png", "2.png", "c.d.png", "5.png", "10.png"]
LABELS = ["wet", "dry", "dry", "wet", "wet", "dry"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images whose grey value is their place in `NAMES`."""
    for value, name in enumerate(NAMES):
        file = tmp_path / "images" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((3, 4), value, np.uint8)).save(file)
    (tmp_path / "images/Thumbs.db").touch()
    return tmp_path


def prepared(folder: Path, text: str, **settings: Any) -> tuple[Any, Any, dict[str, Any]]:
    """The grey value of each image, its label, and the description."""
    (folder / "labels.csv").write_text(text)
    source = {"source": "image_folder", "path": str(folder / "images")}
    given = source | {"labels": str(folder / "labels.csv")} | settings
    config = {"datasets": {"d": given}, "searches": {"s": {"dataset": "d"}}}
    full = loading.load(config, SCHEMA).datasets["d"].settings
    datasets.prepare("d", full, folder / "data")
    x, y = (np.load(folder / "data" / f"{stem}.npy") for stem in "xy")
    return x[:, 0, 0, 0], y, datasets.describe(folder / "data")


def table(names: list[str], labels: list[Any], header: str = "image,label\n") -> str:
    return header + "".join(f"{n},{la}\n" for n, la in zip(names, labels, strict=True))


@pytest.mark.parametrize(
    "names",
    [NAMES, [f"images/{n}" for n in NAMES], [n.removesuffix(".png") for n in NAMES]],
)
@pytest.mark.parametrize("header", ["image,label\n", ""])
def test_images_get_their_classes(names: list[str], header: str, folder: Path) -> None:
    values, y, data = prepared(folder, table(names, LABELS, header))
    assert [data["classes"][label] for label in y] == [LABELS[value] for value in values]
    assert sorted(values) == list(range(6))
    assert any("skipped 1 hidden or system" in line for line in data["warnings"])
    raw = [np.asarray(batch) for batch in datasets.raw_samples(data, np.array([0, 3]))]
    np.testing.assert_array_equal(np.concatenate(raw)[:, 0, 0, 0], values[[0, 3]])


def test_numbers_and_groups_follow_their_images(folder: Path) -> None:
    text = "file,height,age,plot\n" + "".join(
        f"{name},{value * 1.5},{value * 2},p{value // 2}\n" for value, name in enumerate(NAMES)
    )
    values, y, data = prepared(
        folder, text, task="regression", target=["height", "age"], group="plot"
    )
    np.testing.assert_allclose(y, np.stack([values * 1.5, values * 2], 1))
    assert (data["classes"], data["targets"]) == (None, ["height", "age"])
    groups = np.load(folder / "data/split_by.npy")
    np.testing.assert_array_equal(groups, values // 2)


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("{f},wet,dry\n", {}),
        ("{f},wet,dry,mm\n", {"target": ["wet", "dry"]}),
        ("{f},what\n", {"label_separator": " "}),
    ],
)
def test_images_get_any_number_of_labels(text: str, settings: dict[str, Any], folder: Path) -> None:
    labels = [(1, 0), (1, 1), (0, 0), (0, 1), (1, 1), (0, 0)]
    rows = {2: "{},{}", 3: "{},{},7.5", 1: "{}"}[text.count(",")]
    words = [" ".join(w for w, has in zip(("wet", "dry"), of, strict=True) if has) for of in labels]
    lines = [
        f"{name},{rows.format(*(('yes', 'no')[1 - has] for has in of)) if rows != '{}' else word}\n"
        for name, of, word in zip(NAMES, labels, words, strict=True)
    ]
    values, y, data = prepared(
        folder, text.format(f="image") + "".join(lines), task="multilabel", **settings
    )
    names = data["labels"]
    assert sorted(names) == ["dry", "wet"]
    found = y[:, [names.index("wet"), names.index("dry")]]
    assert found.tolist() == [list(labels[value]) for value in values]


def test_rows_and_images_without_a_partner_are_counted(folder: Path) -> None:
    _, _, data = prepared(folder, table([*NAMES[:5], "gone.png"], LABELS))
    said = "\n".join(data["warnings"])
    assert "1 of 6 rows name no image" in said
    assert "1 of 6 images have no row" in said
    assert data["samples"] == 5


@pytest.mark.parametrize(
    ("text", "settings", "line"),
    [
        (table(["x", "y"], ["a", "b"]), {}, "no column names the images.*columns: image, label"),
        (table(["1", *NAMES[2:]], LABELS[:5]), {}, None),  # `1` may be two images
        (table([*NAMES, "2"], [*LABELS, "dry"]), {}, r"rows 3 and 7 are both for 2\.png"),
        (table(NAMES, [*LABELS[:5], ""]), {}, r"label is missing for 1 images, such as 10\.png"),
        (table(NAMES, LABELS), {"task": "regression"}, "target 'label', row 1 is 'wet'"),
        (table(NAMES, LABELS), {"target": "colour"}, "has no column 'colour'"),
        ("f,a,b\n2.png,1,2\n", {}, r"which column is the label.*columns: a, b"),
        ("f,a,b\n2.png,1,0\n", {}, r"for several labels, a, b, set `task: multilabel`"),
        ("f,a,b\n2.png,1,2\n", {"target": ["a", "b"], "task": "multilabel"}, "'b', row 1 is '2'"),
    ],
)
def test_unclear_labels_get_one_line(
    text: str, settings: dict[str, Any], line: str | None, folder: Path
) -> None:
    if line is None:
        assert prepared(folder, text, **settings)[2]["samples"] == 4
        return
    with pytest.raises(DataError, match=line):
        prepared(folder, text, **settings)


def test_labels_are_of_the_images_that_are_split(folder: Path) -> None:
    with pytest.raises(ConfigError, match="test_path: remove it"):
        prepared(folder, table(NAMES, LABELS), test_path=str(folder / "images"))
    source = {"source": "image_folder", "path": str(folder / "images"), "task": "regression"}
    with pytest.raises(ConfigError, match="task: folders are classes; set `labels`"):
        loading.load({"datasets": {"d": source}, "searches": {"s": {"dataset": "d"}}}, SCHEMA)
