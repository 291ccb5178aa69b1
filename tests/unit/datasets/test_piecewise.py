"""Numbers of rows as pieces: bins between quantiles, the same in numpy, TensorFlow and Keras."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from netsurgery import datasets
from netsurgery.datasets import DataError, piecewise
from netsurgery.keras_io import archive, preprocessing
from netsurgery.training.samples import Batches
from tests.support.factories import complete_dataset

NUMBERS = st.floats(-1e6, 1e6).map(lambda number: np.float32(round(number, 3)))
COLUMNS = arrays(np.float32, st.integers(1, 60), elements=NUMBERS | st.just(np.float32(np.nan)))


@settings(max_examples=50, deadline=None)
@given(COLUMNS, st.integers(1, 12))
def test_bins_add_up_to_the_number_itself(values, most):
    found = piecewise.edges(values, most)
    assert (np.diff(found) > 0).all()
    assert len(found) <= most + 1
    if len(found) < 2:
        assert len(np.unique(values[np.isfinite(values)])) < 2
        return
    x, shift, scale = values[np.isfinite(values), None], np.zeros(1), np.ones(1)
    shift, scale, pieces = piecewise.fit(x, shift, scale, np.array([True]), most)
    inputs = datasets.Scaling(shift, scale, pieces=pieces).apply(x)
    assert inputs.min() >= 0
    assert inputs.max() <= 1
    width = np.ptp(found.astype(float))
    total = found[0] + (inputs / scale.astype(float)).sum(axis=1)
    np.testing.assert_allclose(total, x[:, 0], atol=1e-5 * width + 1e-6 * abs(found).max())


def test_bins_hold_about_as_many_numbers_each():
    values = np.random.default_rng(0).lognormal(size=1000).astype(np.float32)
    counts, _ = np.histogram(values, piecewise.edges(values, 8))
    assert counts.tolist() == [125] * 8


def test_a_frequent_value_is_an_edge_and_the_others_share_the_rest():
    rng = np.random.default_rng(0)
    values = np.concatenate([np.zeros(900), rng.uniform(1, 2, 100)]).astype(np.float32)
    found = piecewise.edges(values, 10)
    assert found[0] == 0
    assert (np.histogram(values[900:], found[1:])[0] >= 10).all()
    assert len(found) == 11


@pytest.mark.parametrize(
    ("how", "shape", "samples", "bins"),
    [
        ("scaled", (3,), 10**6, 0),
        ("auto", (3,), 10**6, 32),
        ("auto", (3,), 3000, 10),
        ("auto", (3,), 2399, 0),  # too few samples
        ("auto", (300,), 10**6, 0),  # too many numbers
        ("auto", (8, 8, 1), 10**6, 0),
        ("piecewise_linear", (3,), 100, 32),
    ],
)
def test_bins_fit_the_number_of_samples(how, shape, samples, bins):
    assert piecewise.bins_for(how, np.ones(shape, bool), samples) == bins


def test_images_have_no_bins():
    with pytest.raises(DataError, match=r"\(8, 8, 1\).*needs rows of features"):
        piecewise.bins_for("piecewise_linear", np.ones((8, 8, 1), bool), 1000)


TABLE = "age,sex,born,huge,target\n" + "".join(
    f"{i % 61 if i % 7 else ''},{'mf'[i % 2]},{10**9 + i},{i * i * 1e20:.3e},{'xyz'[i % 3]}\n"
    for i in range(200)
)


@pytest.fixture(scope="module", params=["table", "array"])
def prepared(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "table":
        (folder / "t.csv").write_text(TABLE)
        given = {"source": "csv", "path": str(folder / "t.csv"), "target": "target"}
    else:
        x = np.random.default_rng(0).normal(size=(200, 4)) * [1, 1e-20, 1, 1e5] + [0, 0, 1e8, 0]
        np.savez(folder / "x.npz", x_train=x, y_train=np.arange(200) % 3)
        given = {"source": "npz", "path": str(folder / "x.npz")}
    datasets.prepare("d", complete_dataset(given), folder)
    split = datasets.SplitSettings(0.2, 0.2, numbers="piecewise_linear")
    datasets.write_split(folder, folder / "split.npz", split, 0)
    return folder


def test_inputs_in_pieces_are_the_same_in_numpy_and_tensorflow(prepared):
    samples = datasets.read_part(prepared, prepared / "split.npz", "validation")
    expected = samples.inputs(np.arange(len(samples)))
    assert expected.shape[1:] == samples.input_shape
    assert len(samples.input_shape) == 1
    assert expected.shape[1] > 3 * samples.x.shape[1]
    batches = Batches(samples)
    found, _ = batches.take(np.arange(len(samples), dtype=np.int32), *batches.tensors)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_model_of_raw_rows_has_the_inputs_in_pieces(prepared):
    samples = datasets.read_part(prepared, prepared / "split.npz", "test")
    inner = keras.Sequential([keras.Input(samples.input_shape), keras.layers.Dense(3, "softmax")])
    data = datasets.describe(prepared)
    model = preprocessing.with_preprocessing(inner, data, samples.scaling, samples.target)
    archive.save(model, prepared / "model.keras")
    (raw,) = datasets.raw_samples(data, samples.indices)
    if isinstance(raw, dict):
        raw = {name: keras.ops.convert_to_tensor(values[:, None]) for name, values in raw.items()}
    found = keras.models.load_model(prepared / "model.keras")(raw)
    inputs = samples.inputs(np.arange(len(samples)))
    assert ((inputs > 0) & (inputs < 1)).any()
    np.testing.assert_allclose(found, inner(inputs), atol=1e-5)


def test_pieces_are_fitted_to_the_training_samples_alone(prepared):
    split = np.load(prepared / "split.npz")
    rows = np.load(prepared / "x.npy")[split["training"]]
    for j in np.unique(split["columns"][split["bins"]]):
        own = (split["columns"] == j) & split["bins"]
        ends = split["shift"][own][0], (split["shift"] + 1 / split["scale"])[own][-1]
        np.testing.assert_allclose(ends, [np.nanmin(rows[:, j]), np.nanmax(rows[:, j])], rtol=1e-5)


def test_inputs_in_pieces_know_their_sign(prepared):
    samples = datasets.read_part(prepared, prepared / "split.npz", "training")
    inputs = samples.inputs(np.arange(len(samples)))
    assert samples.non_negative == (inputs.min() >= 0)
