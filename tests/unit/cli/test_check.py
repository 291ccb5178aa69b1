"""`netsurgery check`: what the data of a configuration became."""

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from netsurgery.config.files import SCHEMA

RNG = np.random.default_rng(0)


@pytest.fixture
def checked(netsurgery, tmp_path, monkeypatch):
    """Check a dataset, and return what is printed; paths are relative."""
    monkeypatch.chdir(tmp_path)

    def run(**dataset):
        search = {"algorithm": "baseline", "dataset": "mine"}
        config = {"datasets": {"mine": dataset}, "searches": {"s": search}}
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
        return netsurgery("check", "config.yaml")

    return run


def test_each_column_of_a_table_is_listed(checked, tmp_path):
    frame = pd.DataFrame(
        {
            "subject": range(60),
            "size": [*RNG.normal(size=59).round(1), None],
            "colour": ["red", "blue", "green"] * 20,
            "class": ["a", "b"] * 30,
            "free text": [f"remark {i}" for i in range(60)],
        }
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    found = checked(source="csv", path="t.csv", target="class", drop=["free text"])
    rows = {line.strip()[:9].strip(): line.split() for line in found.splitlines()}
    assert rows["colour"] == ["colour", "category", *"3 levels: blue, green, red".split(), "3"]
    assert rows["size"][1] == "number"
    assert rows["size"][-2:] == ["1", "2"]  # one is missing, so there are two features
    assert rows["class"] == ["class", "target", *"2 levels: a, b".split()]
    assert rows["free text"] == ["free", "text", "left", "out", "`drop`"]
    assert "2 classes: a 30, b 30" in found
    assert "warning: 'subject' counts the rows" in found
    assert "search s: 48 training, 6 validation, 6 test samples (seed 42)" in found
    assert "starts from ff-small with" in found


def test_arrays_and_images_are_described(checked, tmp_path):
    y = np.arange(40) % 2
    np.savez(tmp_path / "a.npz", x_train=RNG.integers(0, 200, (40, 6, 6)).astype("u1"), y_train=y)
    found = checked(source="npz", path="a.npz")
    assert "samples: 40; images of 6 x 6 pixels, 1 channel" in found
    assert "values: 0 to 199" in found
    np.savez(tmp_path / "b.npz", x_train=RNG.normal(size=(40, 3)), y_train=3.0 * y)
    found = checked(source="npz", path="b.npz", task="regression")
    assert "target: numbers, 0 to 3" in found
    for i in range(24):
        file = tmp_path / "images" / "ab"[i % 2] / f"{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(RNG.integers(0, 255, (5, 4)).astype("u1")).save(file)
    (tmp_path / "images" / "notes.txt").touch()
    found = checked(source="image_folder", path="images")
    assert "images of 5 x 4 pixels, 1 channel" in found
    assert "2 classes: a 12, b 12" in found
    assert "warning: skipped 1 files that are not images" in found


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("searches: {s: {dataset: digits, budgett: 3}}", "config: searches.s.budgett: unknown key"),
        ("searches: {s: {dataset: [", "c.yaml: line 2: is not YAML"),
        ("just words", "c.yaml: is no configuration"),
        (
            "searches: {s: {dataset: d}}\ndatasets: {d: {source: csv, path: t.csv, target: class}}",
            "t.csv: column 'v' mixes",
        ),
        (
            "searches: {s: {dataset: d}}\n"
            "datasets: {d: {source: csv, path: t.csv, target: class, drop: [v]}}",
            "t.csv: class b has too few samples for a test part",
        ),
    ],
)
def test_what_could_not_run_is_one_line(content, message, error_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{i % 7}.5,1,a\n" for i in range(30))
    (tmp_path / "t.csv").write_text(f"n,v,class\n{rows}1,many,b\n")
    (tmp_path / "c.yaml").write_text(content)
    assert error_of("check", "c.yaml").startswith(message)


def test_the_schema_of_the_checkout_is_found():
    assert SCHEMA.is_file()
