"""Blocked matrix products equal those computed at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.surgery import blocked_matmul
from tests.support.strategies import SEEDS

SIDE = st.integers(0, 9)
LEAD = st.lists(st.integers(1, 3), max_size=2)


@given(LEAD, SIDE, SIDE, SIDE, st.sampled_from([1, 7, 10**6]), SEEDS)
def test_blocked_products_match_double_precision(
    lead: list[int], rows: int, inner: int, columns: int, block: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(rows, inner)).astype(np.float32)
    b = rng.normal(size=(*lead, inner, columns)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("BLOCK", "LARGE_BLOCK", "ROWS"):
            patch.setattr(blocked_matmul, name, block)
        found = blocked_matmul.product(a, b), blocked_matmul.product(a, b, np.float64)
        moments = blocked_matmul.gram(a)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    assert [array.dtype for array in found] == [np.float32, np.float64]
    np.testing.assert_array_equal(found[0], found[1].astype(np.float32))
    np.testing.assert_allclose(found[1], exact, rtol=1e-12, atol=1e-12)
    double = a.astype(np.float64)
    np.testing.assert_allclose(moments, double.T @ double, rtol=1e-12, atol=1e-12)


@given(st.integers(0, 10**5), st.integers(0, 10**5))
def test_blocks_cover_a_matrix_within_the_memory_bound(length: int, across: int) -> None:
    blocks = list(blocked_matmul._blocks(length, across))
    starts = [block.start for block in blocks]
    assert starts == [0, *(block.stop for block in blocks[:-1])][: len(blocks)]
    assert not length or blocks[-1].stop >= length
    largest = max(blocked_matmul.LARGE_BLOCK, across)
    assert all((block.stop - block.start) * across <= largest for block in blocks)


@pytest.mark.parametrize("across", [512, 1024, 2048, 4096, 8192, 25_088])
def test_wide_matrices_are_not_cut_into_thin_blocks(across: int) -> None:
    """The sum of a Gram matrix is read and written once per block, however few rows it has."""
    first = next(blocked_matmul._blocks(25_088, across))
    rows = first.stop - first.start
    assert rows >= 512 or rows * across * 2 > blocked_matmul.LARGE_BLOCK
