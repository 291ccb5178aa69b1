"""Who trains, who validates, who tests; and the scaling fitted on those who train."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsurgery import datasets
from netsurgery.datasets import DataError, SplitSettings, splits
from netsurgery.datasets.drawing import Drawing
from netsurgery.datasets.source import PARTS


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    datasets.prepare("digits", {"source": "sklearn", "name": "digits"}, folder)
    return folder


NAMES = [str(i) for i in range(10)]


def split(y, seed=0, validation=0.1, test=0.1, classes=NAMES, given_parts=None):
    given_parts = given_parts or {"training": np.arange(len(y))}
    drawing = Drawing(y, classes, seed)
    return splits.split(drawing, given_parts, SplitSettings(validation, test))


def test_split_is_a_partition_stratified_by_class(digits):
    y = np.load(digits / "y.npy")
    parts = split(y)
    everything = np.sort(np.concatenate(list(parts.values())))
    np.testing.assert_array_equal(everything, np.arange(len(y)))
    assert [len(parts[p]) for p in PARTS] == [1455, 162, 180]
    for indices in parts.values():
        shares = np.bincount(y[indices], minlength=10) / len(indices)
        np.testing.assert_allclose(shares, np.bincount(y) / len(y), atol=0.01)


@pytest.mark.parametrize(("percent", "samples"), [(7, 100), (14, 100), (28, 50), (10, 1797)])
@pytest.mark.parametrize("classes", [["a", "b"], None])
def test_parts_have_the_share_that_was_asked_for(percent, samples, classes):
    fraction = percent / 100
    parts = split(np.arange(samples) % 2, validation=fraction, test=fraction, classes=classes)
    drawn = -(-percent * samples // 100)
    assert len(parts["test"]) == drawn
    assert len(parts["validation"]) == -(-percent * (samples - drawn) // 100)


def test_split_depends_on_the_seed_and_zero_is_a_seed(digits):
    y = np.load(digits / "y.npy")
    zero, again, one = (split(y, seed)["test"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(zero, again)
    assert set(zero) != set(one)


def test_missing_parts_are_drawn_from_the_training_part():
    y = np.arange(100) % 2
    test = {"training": np.arange(70), "test": np.arange(70, 100)}
    parts = split(y, classes=["a", "b"], given_parts=test)
    np.testing.assert_array_equal(parts["test"], np.arange(70, 100))
    assert len(parts["validation"]) == 7
    np.testing.assert_array_equal(
        np.sort(np.concatenate([parts["training"], parts["validation"]])), np.arange(70)
    )
    both = test | {"training": np.arange(50), "validation": np.arange(50, 70)}
    for part, indices in split(y, classes=["a", "b"], given_parts=both).items():
        np.testing.assert_array_equal(indices, both[part])


@pytest.mark.parametrize(
    ("y", "classes", "line"),
    [
        ([0] * 30 + [1], ["often", "once"], "class once has too few samples.*1 left"),
        ([0, 0, 1, 1, 2, 2, 3, 3], ["a", "b", "c", "d"], "8 samples are too few.*4 classes"),
        ([0.5], None, "1 samples are too few"),
    ],
)
def test_too_few_samples_are_rejected(y, classes, line):
    with pytest.raises(DataError, match=line):
        split(np.array(y), classes=classes)


@settings(max_examples=50)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(9, 4), (30, 2), (12, 3, 4, 2)]),
    st.sampled_from(["range", "standard"]),
)
def test_scaling_fits_the_training_samples_alone(seed, shape, method):
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=shape) * 10 + 1000 * rng.random(shape[-1])).astype(np.float32)
    training = np.sort(rng.choice(shape[0], shape[0] // 2, replace=False))
    rest = np.setdiff1d(np.arange(shape[0]), training)
    axes = tuple(range(x.ndim - 1))
    shift, scale = splits.fit_scaling(x, training, method, 1.0, None)
    scaled = ((x - shift) * scale)[training]
    if method == "range":
        np.testing.assert_allclose(scaled.min(axis=axes), 0, atol=1e-4)
        np.testing.assert_allclose(scaled.max(axis=axes), 1, atol=1e-4)
    else:
        np.testing.assert_allclose(scaled.mean(axis=axes), 0, atol=1e-3)
        np.testing.assert_allclose(scaled.std(axis=axes), 1, atol=1e-3)
    x[rest] += 500
    again = splits.fit_scaling(x, training, method, 1.0, None)
    np.testing.assert_array_equal(shift, again[0])
    np.testing.assert_array_equal(scale, again[1])


def test_scaling_fitted_in_chunks_is_the_same(monkeypatch):
    x = np.random.default_rng(0).normal(3, 2, (100, 5)).astype(np.float32)
    whole = splits.fit_scaling(x, np.arange(100), "standard", 1.0, None)
    monkeypatch.setattr(splits, "rows_per_chunk", lambda *_: 7)
    for one, other in zip(
        whole, splits.fit_scaling(x, np.arange(100), "standard", 1.0, None), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_constant_empty_and_0_1_columns_are_not_scaled():
    x = np.array([[1, np.nan, 7, 0], [3, np.nan, 7, 1], [np.nan, np.nan, 7, 1]], np.float32)
    keep = np.array([False, False, False, True])
    shift, scale = splits.fit_scaling(x, np.arange(3), "standard", 1.0, keep)
    np.testing.assert_allclose(
        (x - shift) * scale, [[-1, np.nan, 0, 0], [1, np.nan, 0, 1], [np.nan, np.nan, 0, 1]]
    )


def test_parts_read_back_are_those_of_the_split(digits, tmp_path):
    fractions = splits.SplitSettings(0.2, 0.3)
    splits.write_split(digits, tmp_path / "split.npz", fractions, 5)
    found = datasets.read_part(digits, tmp_path / "split.npz", "validation")
    indices = split(np.load(digits / "y.npy"), 5, 0.2, 0.3)["validation"]
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_array_equal(found.x, np.load(digits / "x.npy"))
    np.testing.assert_array_equal(found.y, np.load(digits / "y.npy"))
    assert (found.x.max() - found.scaling.shift) * found.scaling.scale == 1


@pytest.mark.parametrize(
    ("dtype", "low", "scaling", "non_negative"),
    [
        ("uint8", 0, None, True),  # images of integers are divided by the largest value
        ("uint8", 0, "standard", False),
        ("uint8", 0, "range", True),
        ("int16", 0, "unit", True),
        ("int16", -9, "unit", False),
        ("float32", 0, None, False),  # images of floats get mean 0
        ("float32", 0, "none", True),
        ("float32", -9, "none", False),
        ("float32", 0, "unit", True),
        ("float32", -9, "unit", False),
        ("float32", -9, "range", True),
    ],
)
def test_a_split_knows_the_sign_of_scaled_samples(dtype, low, scaling, non_negative, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.integers(low, 100, (40, 4, 4, 1)).astype(dtype)
    x[0, 0, 0] = low
    settings = {"source": "npz", "path": str(tmp_path / "x.npz")}
    settings |= {"scaling": scaling} if scaling else {}
    np.savez(tmp_path / "x.npz", x_train=x, y_train=np.arange(40) % 2)
    datasets.prepare("d", settings, tmp_path)
    datasets.write_split(tmp_path, tmp_path / "split.npz", datasets.SplitSettings(0.2, 0.2), 0)
    found = datasets.read_part(tmp_path, tmp_path / "split.npz", "training")
    assert found.non_negative == non_negative
    scaled = found.inputs(np.arange(len(found.indices)))
    assert not (non_negative and scaled.min() < 0)
