"""Splits of a subset of the samples."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.datasets import SplitSettings, splits
from netsurgery.datasets.drawing import Drawing

Y = np.repeat(np.arange(4), 75)


@given(st.integers(1, 100), st.integers(60, 400), st.integers(0, 5))
def test_a_subset_keeps_the_test_samples_and_every_class(percent, least, seed):
    given_ = {"training": np.arange(240), "test": np.arange(240, 300)}
    settings = SplitSettings(0.1, 0.1, percent / 100, least)
    found = splits.split(Drawing(Y, list("abcd"), seed), given_, settings)
    used = len(found["training"]) + len(found["validation"])
    assert list(found["test"]) == list(given_["test"])
    wanted = min(240, max(-(-percent * 240 // 100), least))
    assert used == (wanted if 240 - wanted >= 4 else 240)
    assert not set(found["training"]) & set(found["validation"])


def test_the_whole_set_is_split_as_without_a_subset():
    drawing, every = Drawing(Y, list("abcd"), 0), {"training": np.arange(300)}
    plain = splits.split(drawing, every, SplitSettings(0.1, 0.1))
    same = splits.split(drawing, every, SplitSettings(0.1, 0.1, 1.0, 2000))
    for part, indices in plain.items():
        np.testing.assert_array_equal(indices, same[part])
