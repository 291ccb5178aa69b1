"""Least squares for removal: which features to spare, and weights that make up for what is gone."""

from __future__ import annotations

import numpy as np

ROUNDS = 32  # in which features are dropped, a share in each
RIDGE = 1e-6  # of the features' mean square: keeps their Gram matrix invertible
# candidates for the ridge of a refit, relative to the largest eigenvalue of the Gram matrix
PENALTIES = np.logspace(-8, 2, 21)


def spare(features: np.ndarray, weights: np.ndarray, kept: int) -> tuple[np.ndarray, np.ndarray]:
    """Drop features one share after the other, those first whose loss can best be made up for.

    As in optimal brain surgery (Hassibi and Stork 1993), here for `features @ weights`: dropping
    feature j and refitting the others costs |w_j|^2 / (G^-1)_jj, with G the Gram matrix.

    Args:
        features: (n, c) what the weights are multiplied by.
        weights: (c, m).
        kept: how many features stay.

    Returns:
        Indices of the features that stay, sorted, (kept,), and their refitted weights, (kept, m).
    """
    count = features.shape[1]
    gram = features.T @ features
    gram[np.diag_indices(count)] += RIDGE * np.trace(gram) / count + np.finfo(np.float64).tiny
    inverse = np.linalg.inv(gram)
    left, weights = np.arange(count), weights.copy()
    share = -(-(count - kept) // ROUNDS)
    while len(left) > kept:
        dropping = min(share, len(left) - kept)
        costs = np.square(weights).sum(axis=1) / np.diag(inverse)
        order = np.argsort(costs, kind="stable")
        gone, stay = order[:dropping], np.sort(order[dropping:])
        made_up = np.linalg.solve(inverse[np.ix_(gone, gone)], inverse[np.ix_(gone, stay)]).T
        weights = weights[stay] - made_up @ weights[gone]
        inverse = inverse[np.ix_(stay, stay)] - made_up @ inverse[np.ix_(gone, stay)]
        left = left[stay]
    return left, weights


def correction(features: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """The change of weights, (f, o), that best adds what is missing, and no larger than it must be.

    Ridge regression; its penalty by generalised cross-validation (Golub, Heath and Wahba 1979).

    Args:
        features: (n, f).
        missing: (n, o).
    """
    samples, count = features.shape
    if not samples or not count:
        return np.zeros((count, missing.shape[1]))
    wide = count > samples  # then the Gram matrix of the samples is the smaller one
    gram = features @ features.T if wide else features.T @ features
    eigenvalues, vectors = np.linalg.eigh(gram)
    eigenvalues = np.maximum(eigenvalues, 0)
    largest = eigenvalues[-1]
    if largest <= 0:
        return np.zeros((count, missing.shape[1]))
    total = np.square(missing).sum()
    projected = vectors.T @ (missing if wide else features.T @ missing)
    energy = np.square(projected).sum(axis=1)
    if wide:
        energy = energy * eigenvalues  # |V^T A^T R|^2 of the same direction

    def unexplained(penalty: float) -> float:
        damped = eigenvalues + penalty
        error = total - (energy * (eigenvalues + 2 * penalty) / np.square(damped)).sum()
        freedom = samples - (eigenvalues / damped).sum()
        return max(error, 0.0) / freedom**2

    penalty = min(PENALTIES * largest, key=unexplained)
    solved = vectors @ (projected / (eigenvalues + penalty)[:, None])
    return features.T @ solved if wide else solved
