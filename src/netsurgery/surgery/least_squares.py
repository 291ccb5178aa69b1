"""Least squares for removal: which features to spare, and weights that make up for what is gone."""

from __future__ import annotations

import numpy as np

from netsurgery.surgery.blocked_matmul import gram, product

ROUNDS = 32  # in which features are dropped, a share in each
RIDGE = 1e-6  # of the features' mean square: keeps their Gram matrix invertible
# Candidates for the ridge of a refit, relative to the largest eigenvalue of the Gram matrix. With
# smaller ones the parent is reproduced a little better, but weights grow (behind a pooling put in
# on MNIST their square 9 times; with these twice), and many such networks collapse in training.
PENALTIES = np.logspace(-1.5, 2, 15)


def prune_features(
    moments: np.ndarray, weights: np.ndarray, kept: int
) -> tuple[np.ndarray, np.ndarray]:
    """Drop features one share after the other, those first whose loss can best be made up for.

    As in optimal brain surgery (Hassibi and Stork 1993), here for `features @ weights`: dropping
    feature j and refitting the others costs |w_j|^2 / (G^-1)_jj, with G the Gram matrix.

    Args:
        moments: (c, c), G: the Gram matrix of what the weights are multiplied by.
        weights: (c, m).
        kept: how many features stay.

    Returns:
        Indices of the features that stay, sorted, (kept,), and their refitted weights, (kept, m).
    """
    count = len(moments)
    regular = moments.copy()
    regular[np.diag_indices(count)] += RIDGE * np.trace(moments) / count + np.finfo(np.float64).tiny
    inverse = np.linalg.inv(regular)
    left, weights = np.arange(count), weights.astype(np.float64)
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


def ridge_correction(
    features: np.ndarray, missing: np.ndarray, *, intercept: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The change of weights and bias that best adds what is missing, no larger than it must be.

    Ridge regression; its penalty by generalised cross-validation (Golub, Heath and Wahba 1979).

    Args:
        features: (n, f).
        missing: (n, o).
        intercept: whether the bias may change; it is not penalised.

    Returns:
        (f, o) and (o,); the second is zero without an intercept.
    """
    samples, count = features.shape
    outputs = missing.shape[1]
    none = np.zeros((count, outputs), np.float32), np.zeros(outputs)
    if not samples or not count:
        return none
    mean, offset = np.zeros(count), np.zeros(outputs)
    if intercept:
        mean = features.mean(axis=0, dtype=np.float64)
        offset = missing.mean(axis=0, dtype=np.float64)
    missing = missing - offset
    wide = count > samples  # then the Gram matrix of the samples is the smaller one
    if wide:
        level = product(features, mean[:, None], np.float64)
        moments = gram(features.T) - level - level.T + mean @ mean
    else:
        moments = gram(features) - samples * np.outer(mean, mean)
        missing_moments = product(features.T, missing, np.float64)
        missing_moments -= np.outer(mean, missing.sum(axis=0))
    eigenvalues, vectors = np.linalg.eigh(moments)
    eigenvalues = np.maximum(eigenvalues, 0)
    largest = eigenvalues[-1]
    if largest <= 0:
        return none[0], offset
    total = np.square(missing).sum()
    projected = vectors.T @ (missing if wide else missing_moments)
    energy = np.square(projected).sum(axis=1)
    if wide:
        energy = energy * eigenvalues  # |V^T A^T R|^2 of the same direction

    def unexplained(penalty: float) -> float:
        damped = eigenvalues + penalty
        error = total - (energy * (eigenvalues + 2 * penalty) / np.square(damped)).sum()
        freedom = samples - (eigenvalues / damped).sum()
        return max(error, 0.0) / freedom**2

    penalty = min(PENALTIES * largest, key=unexplained)
    change = vectors @ (projected / (eigenvalues + penalty)[:, None])
    if wide:
        if intercept:
            change -= change.mean(axis=0)  # as if the features were centred
        change = product(features.T, change)
    return change, offset - mean @ change
