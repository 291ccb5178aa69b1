"""Samples of several inputs: rows of a table with an image or a series, or arrays by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from netsurgery import datasets
from netsurgery.config import loading
from netsurgery.config.errors import ConfigError
from netsurgery.datasets import DataError, Samples, SplitSettings, overview
from netsurgery.networks.packed_inputs import packed, unpacked
from tests.support.factories import SCHEMA, complete_dataset

ORDER = [3, 1, 4, 0, 5, 2, 7, 6, 9, 8, 11, 10]  # of the rows; an image shows its number
AGES = [20.0 + number for number in ORDER]


def image(number: int) -> np.ndarray:
    return np.stack([np.full((4, 3), value, np.uint8) for value in (number, 2 * number, 255)], -1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A table of patients, and a photograph of each."""
    (tmp_path / "photos").mkdir()
    for number in ORDER:
        Image.fromarray(image(number)).save(tmp_path / "photos" / f"{number}.png")
    write(tmp_path, [f"{number}.png" for number in ORDER])
    return tmp_path


def write(folder: Path, names: list[str], file: str = "patients.csv") -> None:
    rows = [
        f"{name},{age},{'ill' if age % 2 else 'well'},{'ab'[i % 2]}"
        for i, (name, age) in enumerate(zip(names, AGES, strict=False))
    ]
    (folder / file).write_text("\n".join(["photo,age,state,group", *rows]) + "\n")


def settings(folder: Path, **others: Any) -> dict[str, Any]:
    table = {"source": "csv", "path": str(folder / "patients.csv"), "target": "state"}
    return complete_dataset({**table, "images": str(folder / "photos"), **others})


def prepared(
    folder: Path, given: dict[str, Any]
) -> tuple[dict[str, np.ndarray], np.ndarray, dict[str, Any]]:
    """The inputs as stored, their labels, and the description."""
    datasets.prepare("d", given, folder / "data")
    x, y = (np.load(folder / "data" / f"{stem}.npy") for stem in "xy")
    data = datasets.describe(folder / "data")
    return unpacked(x, datasets.parts_of(data)), y, data


def part(folder: Path, name: str = "training") -> Samples:
    split = folder / "split.npz"
    datasets.write_split(folder / "data", split, SplitSettings(0.2, 0.2), 0)
    return datasets.read_part(folder / "data", split, name)


@pytest.mark.parametrize("exif", [True, False])
def test_images_of_rows_are_turned_by_exif_unless_not_wanted(folder: Path, exif: bool) -> None:
    pixels = np.arange(36, dtype=np.uint8).reshape(4, 3, 3)
    turned = Image.Exif()
    turned[0x0112] = 3  # upside down
    Image.fromarray(pixels).save(folder / "photos" / f"{ORDER[0]}.png", exif=turned)
    given = settings(folder, exif=exif)
    x, _, data = prepared(folder, given)
    np.testing.assert_array_equal(x["image"][0], pixels[::-1, ::-1] if exif else pixels)
    raw = datasets.raw_samples(data, np.arange(1))[0]
    np.testing.assert_array_equal(raw["image"], x["image"][:1])
    new = next(iter(datasets.read_new(data, folder / "patients.csv", labelled=False).batches))
    np.testing.assert_array_equal(new.inputs["image"], x["image"])


@pytest.mark.parametrize("suffix", [".png", ""])
def test_each_row_has_its_image(folder: Path, suffix: str) -> None:
    write(folder, [f"{number}{suffix}" for number in ORDER])
    x, _, data = prepared(folder, settings(folder))
    np.testing.assert_array_equal(x["image"], [image(number) for number in ORDER])
    np.testing.assert_allclose(x["features"][:, 0], AGES)
    assert [each["name"] for each in data["inputs"]] == ["features", "image"]
    became = {row[0]: row[1] for row in overview.column_rows(data)}
    assert became == {"photo": "image", "age": "number", "state": "target", "group": "category"}
    kinds = "features: rows of 3 features; image: images of 4 x 3 pixels, 3 channels"
    assert ("samples", f"12; {kinds}") in [*overview.facts(data)]
    raw = datasets.raw_samples(data, np.array([2, 5]))
    np.testing.assert_array_equal(raw[0]["image"], [image(4), image(2)])
    np.testing.assert_allclose(raw[0]["age"], [24, 22])


def test_rows_without_target_lose_their_image(folder: Path) -> None:
    lines = (folder / "patients.csv").read_text().splitlines()
    lines[2] = lines[2].replace("well", "").replace("ill", "")
    (folder / "patients.csv").write_text("\n".join(lines) + "\n")
    x, y, data = prepared(folder, settings(folder, drop_missing_target=True))
    assert x["image"][:, 0, 0, 0].tolist() == [n for n in ORDER if n != 1]
    assert len(y) == 11
    (raw,) = datasets.raw_samples(data, np.array([1]))
    assert raw["image"][0, 0, 0, 0] == 4


def test_each_input_has_its_own_scaling(folder: Path) -> None:
    prepared(folder, settings(folder))
    samples = part(folder)
    inputs = samples.as_taken(samples.inputs(np.arange(len(samples))))
    np.testing.assert_allclose(inputs["image"][..., 2], 1)
    assert abs(inputs["features"][:, 0].mean()) < 1e-5
    assert abs(inputs["features"][:, 0].std() - 1) < 1e-5
    assert set(np.unique(inputs["features"][:, 1:])) == {0, 1}


@pytest.mark.parametrize(
    ("names", "changed", "reason"),
    [
        (["none.png", *(f"{n}.png" for n in ORDER[1:])], {}, "1 of 12 rows name no image .*row 1"),
        ([f"x{n}" for n in ORDER], {}, "no column names the images"),
        ([f"{n}.png" for n in ORDER], {"image_column": "sheet"}, "has no column 'sheet'"),
        ([f"{n}.png" for n in ORDER], {"reshape_to": [1, 3]}, "remove `reshape_to`"),
    ],
)
def test_images_that_do_not_fit_are_named(
    folder: Path, names: list[str], changed: dict[str, Any], reason: str
) -> None:
    write(folder, names)
    with pytest.raises(DataError, match=reason) as refused:
        prepared(folder, settings(folder, **changed))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"images": "nowhere"}, "images: 'nowhere' does not exist"),
        ({"images": "patients.csv"}, "'patients.csv' is a file, but images are in a folder"),
        ({"images": None, "size": [4, 4]}, "images"),
    ],
)
def test_settings_of_images_are_checked(
    folder: Path, changed: dict[str, Any], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    given = {"source": "csv", "path": "patients.csv", "target": "state", **changed}
    given = {key: value for key, value in given.items() if value is not None}
    config = {"datasets": {"d": given}, "searches": {"s": {"dataset": "d"}}}
    with pytest.raises(ConfigError, match=reason):
        loading.load(config, SCHEMA)


# --- series of rows -------------------------------------------------------------------------------


def steps(number: int) -> np.ndarray:
    """The series of a patient: of another length than that of others, (steps, 2)."""
    values = np.arange(6.0 + number % 3) + 10 * number
    return np.stack([values, -values], axis=1)


def fitted(number: int, length: int) -> np.ndarray:
    values = steps(number)
    return values[np.minimum(np.arange(length), len(values) - 1)]


@pytest.fixture
def walks(folder: Path) -> Path:
    """The same patients, with a walk of each in a file of its own."""
    (folder / "walks").mkdir()
    for number in ORDER:
        frame = pd.DataFrame(steps(number), columns=["x", "y"])
        frame.to_csv(folder / "walks" / f"{number}.csv", index=False, sep=";")
    write(folder, [f"walks/{number}.csv" for number in ORDER])
    return folder


def with_walks(folder: Path, **others: Any) -> dict[str, Any]:
    given = {"source": "csv", "path": str(folder / "patients.csv"), "target": "state"}
    return complete_dataset({**given, "series": str(folder / "walks"), **others})


@pytest.mark.parametrize(("chosen", "length"), [({}, 8), ({"length": 3}, 3), ({"length": 9}, 9)])
def test_each_row_has_its_series(walks: Path, chosen: dict[str, int], length: int) -> None:
    x, _, data = prepared(walks, with_walks(walks, **chosen))
    expected = [fitted(number, length) for number in ORDER]
    np.testing.assert_allclose(x["series"], expected)
    np.testing.assert_allclose(x["features"][:, 0], AGES)
    became = {row[0]: row[1] for row in overview.column_rows(data)}
    assert became["photo"] == "series"
    assert any("repeat their last step" in note for note in data["warnings"])
    (raw,) = datasets.raw_samples(data, np.array([2, 5]))
    np.testing.assert_allclose(raw["series"], [expected[2], expected[5]])


def test_rows_may_have_an_image_and_a_series(walks: Path) -> None:
    write(walks, [str(number) for number in ORDER])  # as both are called
    x, _, data = prepared(walks, with_walks(walks, images=str(walks / "photos")))
    assert [*x] == ["features", "image", "series"]
    np.testing.assert_array_equal(x["image"], [image(number) for number in ORDER])
    np.testing.assert_allclose(x["series"], [fitted(number, 8) for number in ORDER])
    (raw,) = datasets.raw_samples(data, np.array([4]))
    np.testing.assert_allclose(raw["series"], [fitted(ORDER[4], 8)])
    np.testing.assert_array_equal(raw["image"], [image(ORDER[4])])


def test_columns_of_series_may_be_chosen(walks: Path) -> None:
    for number in ORDER:
        frame = pd.DataFrame(steps(number), columns=["x", "y"]).assign(mood="calm")
        frame.to_csv(walks / "walks" / f"{number}.csv", index=False)
    with pytest.raises(DataError, match="list the columns of numbers in `series_channels`"):
        prepared(walks, with_walks(walks))
    x, _, _ = prepared(walks, with_walks(walks, series_channels=["y"]))
    np.testing.assert_allclose(x["series"][0], fitted(ORDER[0], 8)[:, 1:])


def test_the_column_with_names_of_files_is_preferred(walks: Path) -> None:
    table = pd.read_csv(walks / "patients.csv")
    table.assign(nr=ORDER)[["nr", *table]].to_csv(walks / "patients.csv", index=False)
    _, _, data = prepared(walks, with_walks(walks))
    assert data["inputs"][1]["reading"]["column"] == "photo"
    _, _, data = prepared(walks, with_walks(walks, drop=["photo"]))
    assert data["inputs"][1]["reading"]["column"] == "nr"


@pytest.mark.parametrize(
    ("files", "changed", "reason"),
    [
        ({"5.csv": None}, {}, "1 of 12 rows name no series in .*walks/5.csv' in row 5"),
        ({"5.csv": "x;z\n1;2\n"}, {}, "its columns x, z are not those of .*3.csv"),
        ({"5.csv": "x;y\n1;z\n"}, {}, "column 'y', row 1 is 'z'"),
        ({}, {"series_channels": ["u"]}, r"has no column 'u' \(see `series_channels`\)"),
        ({}, {"series_column": "walk"}, r"has no column 'walk' \(see `series_column`\)"),
    ],
)
def test_series_that_do_not_fit_are_named(
    walks: Path, files: dict[str, str | None], changed: dict[str, Any], reason: str
) -> None:
    for name, content in files.items():
        (walks / "walks" / name).unlink()
        if content is not None:
            (walks / "walks" / name).write_text(content)
    with pytest.raises(DataError, match=reason) as refused:
        prepared(walks, with_walks(walks, **changed))
    assert "\n" not in str(refused.value)


# --- arrays ---------------------------------------------------------------------------------------


def arrays(folder: Path, **changed: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    saved = {
        "x_image_train": rng.integers(0, 256, (10, 5, 4, 3)).astype(np.uint8),
        "x_signal_train": rng.normal(2, 3, (10, 20, 2)),
        "x_row_train": rng.normal(1e12, 1e10, (10, 3)),
        "y_train": np.arange(10) % 2,
    }
    np.savez(folder / "a.npz", **{k: v for k, v in {**saved, **changed}.items() if v is not None})
    return complete_dataset({"source": "series", "path": str(folder / "a.npz")})


def test_arrays_by_name_are_inputs(tmp_path: Path) -> None:
    given = arrays(tmp_path)
    assert datasets.known_inputs(given) == {"image": (5, 4, 3), "row": (3,), "signal": (20, 2)}
    x, _, data = prepared(tmp_path, given)
    with np.load(tmp_path / "a.npz") as file:
        np.testing.assert_array_equal(x["image"], file["x_image_train"])
        np.testing.assert_allclose(x["signal"], file["x_signal_train"], rtol=1e-5)
        (raw,) = datasets.raw_samples(data, np.arange(10))
        np.testing.assert_allclose(raw["row"], file["x_row_train"], rtol=1e-5)
    samples = part(tmp_path)
    scaled = samples.as_taken(samples.inputs(np.arange(len(samples))))
    for name in ("signal", "row"):
        values = scaled[name].reshape(-1, scaled[name].shape[-1])
        np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(values.std(axis=0), 1, atol=1e-4)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"x_row_train": np.zeros((9, 3))}, "x_row_train has shape .*each sample needs one label"),
        ({"x_row_test": np.zeros((2, 3)), "y_test": np.zeros(2)}, "x_image_test is missing"),
    ],
)
def test_inputs_of_other_samples_are_refused(
    tmp_path: Path, changed: dict[str, Any], reason: str
) -> None:
    with pytest.raises(DataError, match=reason):
        prepared(tmp_path, arrays(tmp_path, **changed))


def test_packing_is_undone_by_unpacking() -> None:
    rng = np.random.default_rng(0)
    shapes = {"a": (2, 3), "b": (4,), "c": (1, 2, 2)}
    given = {name: rng.normal(size=(5, *shape)) for name, shape in shapes.items()}
    described = [{"name": name, "shape": shape} for name, shape in shapes.items()]
    found = unpacked(packed([*given.values()]), datasets.parts_of({"inputs": described}))
    for name, values in given.items():
        np.testing.assert_array_equal(found[name], values)
