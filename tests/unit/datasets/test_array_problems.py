"""Arrays that are refused, each in one line that names the file."""

import io
import zipfile

import numpy as np
import pytest

from netsurgery.datasets import DataError
from tests.unit.datasets.array_examples import RNG, X, Y, prepared, saved


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
