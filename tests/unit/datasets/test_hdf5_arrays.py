"""Arrays in HDF5 files are read as those of `.npz` files are."""

import h5py
import numpy as np
import pytest

from netsurgery import datasets
from netsurgery.datasets import DataError, recognition
from tests.unit.datasets.table_examples import settings_of

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (40, 6, 5)).astype(np.uint8)
Y = np.arange(40) % 3
WHO = np.arange(40) // 4
NAMES = np.array(["oak", "ash", "yew"])[Y]


def write(path, **arrays):
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            if values.dtype.kind == "U":
                file.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
            else:
                file.create_dataset(name, data=values, chunks=True, compression="gzip")


def prepared(folder, path, **more):
    given = {"source": "hdf5", "path": str(path)} | more
    datasets.prepare("d", settings_of(given), folder / "prepared")
    x, y = (np.load(folder / "prepared" / f"{stem}.npy") for stem in "xy")
    return x, y, datasets.describe(folder / "prepared")


@pytest.mark.parametrize("labels", [Y, NAMES])
def test_arrays_of_an_hdf5_file_are_samples(tmp_path, labels, monkeypatch):
    monkeypatch.setattr("netsurgery.datasets.source.CHUNK_BYTES", 300)  # several chunks
    path = tmp_path / "d.h5"
    write(path, x_train=X[:30], y_train=labels[:30], x_test=X[30:], y_test=labels[30:])
    x, y, data = prepared(tmp_path, path)
    np.testing.assert_array_equal(x[..., 0], X)
    classes = np.array(data["classes"])
    assert classes[y].tolist() == labels.astype(str).tolist()
    assert [s.value for s in recognition.recognize(path)] == ["hdf5", str(path)]
    batches = datasets.read_new(data, path, labelled=True).batches
    np.testing.assert_array_equal(np.concatenate([b.inputs for b in batches])[..., 0], X[30:])


def test_groups_in_an_hdf5_file_stay_together(tmp_path):
    write(tmp_path / "d.hdf5", x_train=X, y_train=Y, who_train=WHO)
    prepared(tmp_path, tmp_path / "d.hdf5", group="who")
    split = tmp_path / "s.npz"
    datasets.write_split(tmp_path / "prepared", split, datasets.SplitSettings(0.2, 0.2), 0)
    test = datasets.read_part(tmp_path / "prepared", split, "test").indices
    assert len(test)
    assert not {*WHO[test]} & {*np.delete(WHO, test)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("nothing", "x_train is missing; found nothing"),
        ("table", "holds a table of pandas, not arrays.*to_parquet"),
        ("text", "is not an npz file"),
        ("damaged", "is not a readable HDF5 file"),
    ],
)
def test_other_hdf5_files_are_one_line(tmp_path, content, message):
    path = tmp_path / "d.h5"
    with h5py.File(path, "w") as file:
        if content == "table":
            file.create_group("df").attrs["pandas_type"] = "frame_table"
    if content == "text":
        path.write_text("size,kind\n1,a\n")
    if content == "damaged":
        path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DataError, match=message) as caught:
        prepared(tmp_path, path)
    assert "\n" not in str(caught.value)
