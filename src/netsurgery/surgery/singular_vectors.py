"""Singular vectors of a matrix, by its smaller Gram matrix."""

from __future__ import annotations

import numpy as np

from netsurgery.surgery.blocked_matmul import gram, product


def right_singular_vectors(matrix: np.ndarray, count: int) -> np.ndarray:
    """The first columns of V in matrix = U S V^T (ECToNAS eq. 6), by falling singular value.

    The signs of singular vectors are arbitrary, but matter before a relu: each vector is given the
    sign that makes the sum of its entries positive, so that a new unit is a mostly positive mixture
    of the old ones.

    Args:
        matrix: (rows, columns).
        count: how many columns of V.

    Returns:
        (columns, count).
    """
    rows, columns = matrix.shape
    wide = count < rows < columns
    _, vectors = np.linalg.eigh(gram(matrix.T if wide else matrix))
    vectors = vectors[:, : -count - 1 : -1]
    if wide:
        vectors = product(matrix.T, vectors, np.float64)
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=0), np.finfo(np.float64).tiny)
    return vectors * np.where(vectors.sum(axis=0) < 0, -1.0, 1.0)
