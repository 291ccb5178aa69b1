"""Units of stored values: what float32 would lose is kept, everything else stays as it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from netsurgery import datasets
from netsurgery.datasets import DataError, units
from netsurgery.datasets.units import UnitFitter, Units


def fitted(values, chunks=1):
    fitter = UnitFitter((0,))
    for chunk in np.array_split(values, chunks):
        fitter.update(chunk)
    return fitter.units()


numbers = st.floats(-1e300, 1e300, allow_subnormal=False)


@given(arrays.arrays(np.float64, (20, 3), elements=numbers), st.integers(1, 4))
def test_stored_values_keep_their_differences(values, chunks):
    found = fitted(values, chunks)
    spread = values.std(axis=0, dtype=np.longdouble)
    usable = (spread > 1e-14 * abs(values).max(axis=0)) & (spread > 1e-290)
    if found is None:
        restored = values.astype(np.float32).astype(np.float64)
    else:
        stored = found.store(values).astype(np.float32)
        assert np.isfinite(stored).all()
        restored = found.restore(stored)
    error = abs(restored - values).max(axis=0)
    assert (error <= 1.01 * units.MAX_LOSS * spread)[usable].all()


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=(50, 2)),
        np.random.default_rng(0).normal(2000, 10, (50, 2)),
        np.arange(100)[:, None] + 10_000_000,
        np.full((9, 1), 1e-13),
        np.array([[np.nan], [1.5], [2.5]]),
        np.array([[0], [1], [1]]),
    ],
    ids=["normal", "years", "integers", "constant", "missing", "levels"],
)
def test_ordinary_values_are_stored_as_they_are(values):
    assert fitted(values) is None


@pytest.mark.parametrize(
    ("values", "double"),
    [
        (1e-13 * np.arange(9.0), False),
        (1e25 * np.arange(9.0), False),
        (1e-60 * np.arange(9.0), True),
        (1e60 * np.arange(9.0), True),
        (1_700_000_000 + np.arange(9), True),
        (np.full(9, 1e60), True),
    ],
    ids=["small", "large", "tiny", "huge", "seconds", "huge constant"],
)
def test_units_bring_extreme_values_near_one(values, double):
    found = fitted(values[:, None])
    assert found.dtype == ("float64" if double else "float32")
    stored = found.store(values[:, None])
    assert abs(stored).max() < 10
    assert np.log2(found.unit) == np.round(np.log2(found.unit))
    np.testing.assert_allclose(found.restore(stored)[:, 0], values, rtol=1e-15)
    again = Units.from_json(found.to_json())
    np.testing.assert_array_equal(again.store(values[:, None]), stored)


def prepare(folder, x, y, **settings):
    np.savez(folder / "data.npz", x_train=x, y_train=y)
    given = {"source": "npz", "path": str(folder / "data.npz"), **settings}
    datasets.prepare("d", given, folder / "prepared")
    fractions = datasets.SplitSettings(0.2, 0.2)
    datasets.write_split(folder / "prepared", folder / "split.npz", fractions, 0)
    return datasets.read_part(folder / "prepared", folder / "split.npz", "training")


UNITS = {"picofarad": 1e-12, "tiny": 1e-40, "kilogram": 1e28, "huge": 1e60}


@pytest.mark.parametrize("factor", UNITS.values(), ids=UNITS)
def test_the_unit_of_the_data_does_not_matter(factor, tmp_path):
    x = np.random.default_rng(0).normal(3, 1, (60, 2))
    y = 5 * x[:, 0] - x[:, 1]
    inputs, targets = [], []
    for name, unit in (("a", 1.0), ("b", factor)):
        (tmp_path / name).mkdir()
        part = prepare(tmp_path / name, x * unit, y * unit, task="regression")
        inputs.append(part.inputs(np.arange(len(part))))
        targets.append(part.target.apply(part.y[part.indices]))
        original = part.target.restore(part.y[part.indices])[:, 0]
        np.testing.assert_allclose(original, y[part.indices] * unit, rtol=1e-6)
    np.testing.assert_allclose(*inputs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(*targets, rtol=1e-4, atol=1e-5)


def test_images_share_the_units_of_a_channel(tmp_path):
    x = np.random.default_rng(0).normal(size=(30, 4, 5, 2)) * [1e-13, 1.0]
    part = prepare(tmp_path, x, np.arange(30) % 2)
    assert part.scaling.units.unit.shape == (1, 1, 2)
    assert part.scaling.units.unit[0, 0, 1] == 1
    np.testing.assert_allclose(part.inputs(np.arange(18)).std(axis=(0, 1, 2)), 1, rtol=0.01)


def test_a_value_that_no_unit_holds_is_named(tmp_path):
    x = np.random.default_rng(0).normal(size=(30, 2))
    x[4, 1] = 1e39
    with pytest.raises(DataError, match=r"training sample 4, column 1 is 1e\+39, too large"):
        prepare(tmp_path, x, np.arange(30) % 2, scaling="none")
