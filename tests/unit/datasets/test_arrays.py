"""Arrays: what is stored of them, whatever their layout."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netsurgery import datasets
from netsurgery.datasets import array_files, source
from tests.unit.datasets.array_examples import RNG, X, Y, prepared, saved


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
    read = array_files.ArrayFile.chunks

    def watched(self, rows):
        for piece in read(self, rows):
            sizes.append(len(piece))
            yield piece

    monkeypatch.setattr(array_files.ArrayFile, "chunks", watched)
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


def test_parts_of_different_dtypes_get_a_note(tmp_path):
    parts = {"x_train": X[..., None], "y_train": Y, "y_test": Y}
    *_, lines = prepared(tmp_path, saved(tmp_path, **parts, x_test=X[..., None] / 255))
    assert "x_test has dtype float64, but x_train uint8; both must have the same unit" in lines[0]
    (tmp_path / "same").mkdir()
    *_, lines = prepared(tmp_path, saved(tmp_path / "same", **parts, x_test=X[..., None] + 1))
    assert lines == []


@pytest.mark.parametrize(
    ("shape", "dtype", "taken_for"),
    [
        ((8, 8), "u1", None),
        ((8, 8), "f4", "grey images of 8 x 8 pixels; set `source: series`"),
        ((8, 8), "i2", "grey images of 8 x 8 pixels; set `source: series`"),
        ((30, 40), "f8", "grey images of 30 x 40 pixels; set `source: series`"),
        ((40, 5), "u1", "grey images of 40 x 5 pixels; set `source: series`"),
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
