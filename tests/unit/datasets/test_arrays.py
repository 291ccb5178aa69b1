"""Prepared datasets: what is stored of each source, and what is rejected."""

import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netsurgery import datasets
from netsurgery.datasets import DataError, arrays, labels, source


def test_digits_are_stored_unchanged(tmp_path):
    from sklearn.datasets import load_digits

    datasets.prepare("digits", {"source": "sklearn", "name": "digits"}, tmp_path)
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert x.dtype == np.uint8
    np.testing.assert_array_equal(x[..., 0], load_digits().images)
    described = datasets.describe(tmp_path)
    assert described["samples"] == 1797
    assert described["shape"] == [8, 8, 1]
    assert described["outputs"] == len(described["classes"]) == 10
    assert described["scaling"] == {"method": "unit", "largest": 16}
    assert sum(described["class_counts"]["training"].values()) == 1797


# --- arrays ---------------------------------------------------------------------------------------

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


@pytest.mark.parametrize("kind", ["npz", "npy"])
def test_parts_are_concatenated_and_grayscale_gets_a_channel(kind, tmp_path):
    given = saved(tmp_path, kind, x_train=X[:8], y_train=Y[:8], x_test=X[8:], y_test=Y[8:])
    x, y, described, _ = prepared(tmp_path, given)
    np.testing.assert_array_equal(x, X[..., None])
    assert x.dtype == np.uint8
    np.testing.assert_array_equal(y, Y)
    assert described["parts"] == {"training": 8, "test": 4}
    assert described["shape"] == [4, 5, 1]
    assert described["scaling"] == {"method": "unit", "largest": 255}


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("compressed", [False, True])
def test_arrays_are_read_in_chunks(order, compressed, tmp_path, monkeypatch):
    save = np.savez_compressed if compressed else np.savez
    save(tmp_path / "data.npz", x_train=np.array(X, order=order), y_train=Y)
    sizes = []
    read = arrays.ArrayFile.chunks

    def watched(self, rows):
        for piece in read(self, rows):
            sizes.append(len(piece))
            yield piece

    monkeypatch.setattr(arrays.ArrayFile, "chunks", watched)
    monkeypatch.setattr(source, "CHUNK_BYTES", 5 * 4 * 5)
    x, y, _, _ = prepared(tmp_path, {"source": "npz", "path": str(tmp_path / "data.npz")})
    np.testing.assert_array_equal(x[..., 0], X)
    np.testing.assert_array_equal(y, Y)
    assert sorted(set(sizes)) == [2, 5]


def in_a_larger_array(array):
    larger = np.zeros([2 * side for side in array.shape], array.dtype)
    larger[tuple(slice(None, None, 2) for _ in array.shape)] = array
    return larger[tuple(slice(None, None, 2) for _ in array.shape)]


def from_a_table(array):
    return pd.DataFrame(array).to_numpy() if array.ndim == 2 else np.asfortranarray(array)


# the same values in other layouts of memory
LAYOUTS = [
    np.ascontiguousarray,
    np.asfortranarray,
    lambda array: np.ascontiguousarray(array.T).T,
    lambda array: np.ascontiguousarray(array[::-1])[::-1],
    lambda array: np.moveaxis(np.ascontiguousarray(np.moveaxis(array, -1, 0)), 0, -1),
    lambda array: array.astype(array.dtype.newbyteorder(">")),
    lambda array: np.asfortranarray(array.astype(array.dtype.newbyteorder(">"))),
    in_a_larger_array,
    from_a_table,
]
SAMPLE_SHAPES = st.sampled_from([(1,), (3,), (4, 4, 1), (2, 3, 3)])
LABELS = {"classification": [((), "i8"), ((1,), "u1")], "regression": [((), "f4"), ((2,), "f8")]}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["npz", "npy"]),
    SAMPLE_SHAPES,
    st.sampled_from(["u1", "i2", "f4", "f8"]),
    st.sampled_from([(task, *label) for task, kinds in LABELS.items() for label in kinds]),
    st.lists(st.sampled_from(LAYOUTS), min_size=4, max_size=4),
    st.sampled_from([16, 10**6]),
)
def test_the_layout_of_values_in_memory_never_matters(kind, shape, dtype, labels, layouts, chunk):
    task, label_shape, label_dtype = labels
    rng = np.random.default_rng(0)
    contiguous = {}
    for part, count in {"train": 8, "test": 4}.items():
        contiguous[f"x_{part}"] = rng.integers(0, 99, (count, *shape)).astype(dtype)
        alternating = np.tile(np.arange(count) % 2, (*label_shape, 1)).T.reshape(
            count, *label_shape
        )
        contiguous[f"y_{part}"] = rng.permuted(alternating, axis=0).astype(label_dtype)
    laid_out = {
        name: layout(array)
        for (name, array), layout in zip(contiguous.items(), layouts, strict=True)
    }
    written = []
    for named in (contiguous, laid_out):
        with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
            patch.setattr(source, "CHUNK_BYTES", chunk)
            folder = Path(name)
            datasets.prepare("d", saved(folder, kind, **named) | {"task": task}, folder / "data")
            written.append([(folder / "data" / stem).read_bytes() for stem in ("x.npy", "y.npy")])
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("u1", "u1"),
        ("?", "u1"),
        (">u2", "u2"),
        ("i2", "i2"),
        ("i8", "f4"),
        ("f8", "f4"),
        ("f2", "f4"),
    ],
)
def test_small_integers_keep_their_dtype(kind, stored, tmp_path):
    x, _, described, _ = prepared(tmp_path, saved(tmp_path, x_train=X.astype(kind), y_train=Y))
    assert x.dtype == np.dtype(stored)
    assert described["type"] == x.dtype.name
    np.testing.assert_array_equal(x[..., 0], X.astype(kind))


def test_class_names_are_numbered_alphabetically(tmp_path):
    names = np.array(["dog", "ant", "cat"])
    _, y, described, _ = prepared(tmp_path, saved(tmp_path, x_train=X, y_train=names[Y]))
    assert described["classes"] == ["ant", "cat", "dog"]
    np.testing.assert_array_equal(np.array(described["classes"])[y], names[Y])


def test_class_names_may_be_bytes(tmp_path):
    names = np.array(["dog", "ant", "cät"])
    encoded = np.char.encode(names, "utf-8")
    _, y, described, _ = prepared(tmp_path, saved(tmp_path, x_train=X, y_train=encoded[Y]))
    assert described["classes"] == ["ant", "cät", "dog"]
    np.testing.assert_array_equal(np.array(described["classes"])[y], names[Y])


def test_parts_of_different_dtypes_get_a_note(tmp_path):
    parts = {"x_train": X[..., None], "y_train": Y, "y_test": Y}
    *_, lines = prepared(tmp_path, saved(tmp_path, **parts, x_test=X[..., None] / 255))
    assert "x_test has dtype float64, but x_train uint8; both must have the same unit" in lines[0]
    (tmp_path / "same").mkdir()
    *_, lines = prepared(tmp_path, saved(tmp_path / "same", **parts, x_test=X[..., None]))
    assert lines == []


@given(
    st.lists(st.sampled_from(["ant", "bee", "1", "-2", "10"]), min_size=2).filter(
        lambda names: len(set(names)) > 1
    ),
    st.booleans(),
)
def test_class_names_map_to_numbers_for_any_label_shape(names, standing):
    array = np.array(names)[:, None] if standing else np.array(names)
    numbers, classes = labels.class_numbers({"training": array}, {"training": "y"})
    assert [classes[number] for number in numbers["training"]] == names
    if all(name.removeprefix("-").isdecimal() for name in names):
        assert list(classes) == sorted(classes, key=int)
    else:
        assert list(classes) == sorted(classes)


@pytest.mark.parametrize("kind", ["?", "u1", "i8", "u8"])
def test_class_numbers_may_have_any_integer_dtype(kind):
    array = np.array([0, 1, 1]).astype(kind)
    numbers, classes = labels.class_numbers({"training": array}, {"training": "y"})
    np.testing.assert_array_equal(numbers["training"], [0, 1, 1])
    assert classes == ("0", "1")


def test_imbalanced_classes_give_a_warning(tmp_path):
    uneven = np.array([0] * 9 + [1] * 3)
    *_, described, warnings = prepared(tmp_path, saved(tmp_path, x_train=X, y_train=uneven))
    assert described["warnings"] == warnings
    assert warnings[0].startswith("imbalanced classes: 0 has 9 training samples (75%)")
    (tmp_path / "even").mkdir()
    assert prepared(tmp_path, saved(tmp_path / "even", x_train=X, y_train=Y))[3] == []


@pytest.mark.parametrize(
    ("shape", "dtype", "taken_for"),
    [
        ((8, 8), "u1", None),
        ((8, 8), "f4", "grey images of 8 x 8 pixels; set series: true"),
        ((8, 8), "i2", "grey images of 8 x 8 pixels; set series: true"),
        ((30, 40), "f8", "grey images of 30 x 40 pixels; set series: true"),
        ((40, 5), "u1", "grey images of 40 x 5 pixels; set series: true"),
        ((40, 5, 1), "f4", None),
        ((8, 8, 3), "f4", None),
        ((8, 8, 12), "f4", "images of 8 x 8 pixels with 12 channels"),
        ((40,), "f4", None),
    ],
)
def test_a_note_says_what_samples_were_taken_for(shape, dtype, taken_for, tmp_path):
    x = RNG.integers(0, 99, (12, *shape)).astype(dtype)
    *_, lines = prepared(tmp_path, saved(tmp_path, x_train=x, y_train=Y))
    assert len(lines) == (taken_for is not None)
    if taken_for:
        assert f"x_train has shape (12, {str(shape)[1:]} and is taken for {taken_for}" in lines[0]


class Harmful:
    """Unpickling it would be noticed."""

    def __reduce__(self):
        return pytest.fail, ("it was unpickled",)


NAN = X.astype(float)
NAN[7, 2, 1] = np.nan
ROWS = RNG.random((12, 4))
ROWS[3, 2] = np.inf
WRONG = {
    "x_train is missing; found a, y_train": {"a": X, "y_train": Y},
    "y_train is missing": {"x_train": X},
    "y_test is missing": {"x_train": X, "y_train": Y, "x_test": X},
    "y_train (11,); each sample needs one label": {"x_train": X, "y_train": Y[:11]},
    "x_train has shape (12,); images must be (samples, height, width, channels)": {
        "x_train": Y,
        "y_train": Y,
    },
    "x_train is missing; found arr_0, arr_1 (required: x_train, y_train; optional: x_val": {
        "arr_0": X,
        "arr_1": Y,
    },
    "x_train: has named columns (a, b); save a plain array": {
        "x_train": np.zeros(12, [("a", "f4"), ("b", "f4")]),
        "y_train": Y,
    },
    "channels must be the last axis": {"x_train": np.zeros((12, 3, 8, 8)), "y_train": Y},
    "x_test has shape (12, 5, 4), but x_train (12, 4, 5)": {
        "x_train": X,
        "y_train": Y,
        "x_test": X.transpose(0, 2, 1),
        "y_test": Y,
    },
    "x_train: has dtype <U3": {"x_train": X.astype("U3"), "y_train": Y},
    "labels are floats (0.0, ...); classes must be integers from 0 (for a numeric target": {
        "x_train": X,
        "y_train": Y.astype(float),
    },
    "y_train has shape (12, 3); class numbers must be (samples,); take the argmax": {
        "x_train": X,
        "y_train": np.eye(3, dtype=int)[Y],
    },
    "y_train has shape (12, 3); class numbers must be (samples,); these are several labels per": {
        "x_train": X,
        "y_train": np.array([[0, 1, 1], [0, 0, 0], [1, 0, 0]])[Y],
    },
    "y_train has shape (12, 2); class numbers must be (samples,); use one column, or set `task": {
        "x_train": X,
        "y_train": np.stack([Y, Y + 1], axis=1),
    },
    "y_train has shape (12, 3, 1); class numbers must be (samples,)": {
        "x_train": X,
        "y_train": np.eye(3, dtype=int)[Y][..., None],
    },
    "x_train has shape (12, 50, 6): images, or series of steps and features? Add an axis of": {
        "x_train": RNG.random((12, 50, 6)),
        "y_train": Y,
    },
    "x_train has shape (12, 6, 24): images, or series of steps and features? Add an axis of": {
        "x_train": RNG.integers(0, 999, (12, 6, 24)),
        "y_train": Y,
    },
    "y_train: labels range from 1 to 3, but no sample is of class 0; number the classes from 0": {
        "x_train": X,
        "y_train": Y + 1,
    },
    "y_train: labels are floats (0.0, ...)": {"x_train": X, "y_train": Y.astype(float)[:, None]},
    "y_train: -1 is not a class": {"x_train": X, "y_train": Y - 1},
    "y_test: sample 1 is 3, which is not a class of the training samples ('0', '1', '2')": {
        "x_train": X,
        "y_train": Y,
        "x_test": X[:2],
        "y_test": np.array([0, 3]),
    },
    "y_train: all samples are of one class (0); at least two classes are needed": {
        "x_train": X,
        "y_train": Y * 0,
    },
    "training sample 7, value (2, 1, 0) is nan": {"x_train": NAN, "y_train": Y},
    "training sample 3, column 2 is inf": {"x_train": ROWS, "y_train": Y},
    "x_train: contains pickled Python objects": {
        "x_train": np.array([Harmful()] * 12, dtype=object),
        "y_train": Y,
    },
    "y_train: contains pickled Python objects": {
        "x_train": X,
        "y_train": np.array([Harmful()] * 12, dtype=object),
    },
    "the training part has no samples": {"x_train": X[:0], "y_train": Y[:0]},
}


@pytest.mark.parametrize("line", WRONG)
def test_invalid_arrays_give_one_line_that_names_the_file(line, tmp_path):
    given = saved(tmp_path, **WRONG[line])
    with pytest.raises(DataError) as caught:
        prepared(tmp_path, given)
    message = str(caught.value)
    assert line in message
    assert "\n" not in message
    assert message.startswith(given["path"])
    assert not (tmp_path / "prepared" / "data.json").exists()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["npz", "npy"])
def test_a_truncated_array_is_rejected_in_any_order(kind, order, tmp_path):
    given = saved(tmp_path, kind, x_train=np.array(X, order=order), y_train=Y)
    short = io.BytesIO()
    np.save(short, np.array(X, order=order))
    short.truncate(len(short.getvalue()) - 10)
    if kind == "npy":
        (tmp_path / "arrays" / "x_train.npy").write_bytes(short.getvalue())
    else:
        whole = io.BytesIO()
        np.save(whole, Y)
        with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
            archive.writestr("x_train.npy", short.getvalue())
            archive.writestr("y_train.npy", whole.getvalue())
    with pytest.raises(DataError, match="x_train: is truncated: it ends before the last sample"):
        prepared(tmp_path, given)


def test_a_truncated_archive_is_rejected(tmp_path):
    given = saved(tmp_path, x_train=X, y_train=Y)
    whole = (tmp_path / "data.npz").read_bytes()
    (tmp_path / "data.npz").write_bytes(whole[:300])
    with pytest.raises(DataError, match="is not an npz file"):
        prepared(tmp_path, given)


LARGE = """
import json, resource, sys
from pathlib import Path
from netsurgery import datasets
import sklearn.model_selection
limit = int(sys.argv[3]) + 1024 * int(next(
    line.split()[1] for line in open("/proc/self/status") if line.startswith("VmData")
))
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
folder = Path(sys.argv[2])
settings = {"source": "npz", "path": sys.argv[1], "task": "classification", "scaling": "standard"}
datasets.prepare("large", settings, folder)
fractions = datasets.SplitSettings(0.1, 0.1)
datasets.write_split(folder, folder / "split.npz", fractions, 0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits its memory as Linux does")
def test_a_file_larger_than_memory_is_prepared_and_split(tmp_path):
    samples, mib = 3000, 2**20
    images = np.zeros((samples, 256, 256), np.uint8)
    images[:, 0, 0] = 255
    np.savez(tmp_path / "large.npz", x_train=images, y_train=np.arange(samples) % 2)
    limit = images.nbytes // 2
    assert 80 * mib < limit
    files = [str(tmp_path / "large.npz"), str(tmp_path / "prepared")]
    command = [sys.executable, "-c", LARGE, *files, str(limit)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    prepared = np.load(tmp_path / "prepared" / "x.npy", mmap_mode="r")
    assert (prepared[::500, 0, 0, 0] == 255).all()
    assert len(prepared) == samples
