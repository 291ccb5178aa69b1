"""Positions of labels."""

import numpy as np

from netsurgery.plots.layout import spread, stack


def test_spread_keeps_the_gap_and_moves_as_little_as_possible():
    assert list(spread([0, 5, 10], 2)) == [0, 5, 10]
    assert list(spread([4, 4, 20], 2)) == [3, 5, 20]
    assert list(spread([], 2)) == []
    crowded = spread([1, 1, 1, 2, 2.5, 9], 1)
    assert min(np.diff(crowded)) >= 1 - 1e-9


def test_stacked_texts_avoid_each_other_and_leader_lines():
    assert stack([], []) == []
    assert stack([0, 10], [5, 5]) == [0, 0]
    assert stack([0, 4, 8], [5, 5, 5]) == [2, 1, 0]
    assert stack([0, 4, 30], [5, 5, 5]) == [1, 0, 0]
    # the first one reaches over the second to the third
    assert stack([0, 4, 8], [9, 2, 5]) == [1, 0, 0]
