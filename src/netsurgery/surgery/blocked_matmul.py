"""Matrix products in double precision that never convert a whole matrix.

Weights and samples have single precision; products are summed in double precision, one block at a
time, so that surgery on a large network needs little more memory than the child network.

Blocks of wide matrices are not thin: a block is square, within `ROWS` and `LARGE_BLOCK`. Each block
reads the other matrix or writes the sum once, which takes longer than to multiply thin ones.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import DTypeLike

# numbers converted to double precision at a time
BLOCK = 2**17  # of a narrow matrix: 1 MB
LARGE_BLOCK = 2**22  # of a wide one: 32 MB
ROWS = 1024  # of a wide one


def _blocks(length: int, across: int) -> Iterator[slice]:
    """Parts of one side of a matrix whose other side has length `across`."""
    across = max(1, across)
    step = max(1, BLOCK // across, min(across, ROWS, LARGE_BLOCK // across))
    return (slice(start, start + step) for start in range(0, length, step))


def product(a: np.ndarray, b: np.ndarray, dtype: DTypeLike = np.float32) -> np.ndarray:
    """The product of (n, k) and (..., k, m), computed in double precision, as `dtype`."""
    result = np.empty((*b.shape[:-2], len(a), b.shape[-1]), dtype)
    if b.ndim == 2 and a.size > b.size:
        b = b.astype(np.float64, copy=False)
        for rows in _blocks(*a.shape):
            result[rows] = a[rows] @ b
        return result
    a = a.astype(np.float64, copy=False)
    for lead in np.ndindex(b.shape[:-2]):
        for columns in _blocks(*b.shape[:-3:-1]):
            result[lead][:, columns] = a @ b[lead][:, columns]
    return result


def gram(matrix: np.ndarray) -> np.ndarray:
    """The Gram matrix, matrix^T matrix, (columns, columns), in double precision."""
    columns = matrix.shape[1]
    total = np.zeros((columns, columns))
    for rows in _blocks(*matrix.shape):
        part = matrix[rows].astype(np.float64, copy=False)
        total += part.T @ part
    return total
