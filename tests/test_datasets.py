"""Prepared data and their splits."""

import numpy as np
import pytest

from netsurgery import datasets


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    datasets.prepare("digits", folder)
    return folder


def test_digits_are_stored_as_their_source_has_them(digits):
    from sklearn.datasets import load_digits

    x = np.load(digits / "x.npy", mmap_mode="r")
    assert x.dtype == np.uint8
    np.testing.assert_array_equal(x[..., 0], load_digits().images)
    described = datasets.describe(digits)
    assert described["samples"] == 1797
    assert described["shape"] == [8, 8, 1]
    assert described["classes"] == 10
    assert x.max() * described["scale"] == 1


def test_split_is_a_partition_stratified_by_class(digits):
    y = np.load(digits / "y.npy")
    parts = datasets.split(y, 0.1, 0.1, seed=0)
    everything = np.sort(np.concatenate(list(parts.values())))
    np.testing.assert_array_equal(everything, np.arange(len(y)))
    assert [len(parts[p]) for p in datasets.PARTS] == [1455, 162, 180]
    for indices in parts.values():
        shares = np.bincount(y[indices], minlength=10) / len(indices)
        np.testing.assert_allclose(shares, np.bincount(y) / len(y), atol=0.01)


def test_split_depends_on_the_seed_and_zero_is_a_seed(digits):
    y = np.load(digits / "y.npy")
    zero, again, one = (datasets.split(y, 0.1, 0.1, seed)["test"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(zero, again)
    assert set(zero) != set(one)


def test_parts_read_back_are_those_of_the_split(digits, tmp_path):
    fractions = {"validation_fraction": 0.2, "test_fraction": 0.3}
    datasets.write_split(digits, tmp_path / "split.npz", fractions, 5)
    x, y = datasets.read_part(digits, tmp_path / "split.npz", "validation")
    indices = datasets.split(np.load(digits / "y.npy"), 0.2, 0.3, 5)["validation"]
    np.testing.assert_array_equal(x, np.load(digits / "x.npy")[indices])
    np.testing.assert_array_equal(y, np.load(digits / "y.npy")[indices])
