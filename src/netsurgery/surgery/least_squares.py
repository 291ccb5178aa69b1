"""Least squares for removal: which features to drop, and weights that compensate for them."""

from __future__ import annotations

import numpy as np

from netsurgery.surgery.blocked_matmul import gram, product

ROUNDS = 32  # of dropping features, an equal share in each
RIDGE = 1e-6  # relative to the features' mean square; keeps their Gram matrix invertible
# Candidates for the penalty of a refit, relative to the largest eigenvalue of the Gram matrix.
# Smaller ones reproduce the parent slightly better, but weights grow (after an inserted pooling on
# MNIST their squared norm grows 9 times, with these twice) and many such networks then diverge.
PENALTIES = np.logspace(-1.5, 2, 15)


def prune_features(
    moments: np.ndarray, weights: np.ndarray, kept: int, rounding: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Drop features in rounds, first those whose loss the other features compensate best.

    As in the optimal brain surgeon (Hassibi and Stork 1993), here for `features @ weights`:
    dropping feature j and refitting the others costs |w_j|^2 / (G^-1)_jj, with G the Gram matrix.

    Args:
        moments: (c, c), the Gram matrix G of the features.
        weights: (c, m).
        kept: how many features to keep.
        rounding: bounds the rounding errors in `moments`. Where features hardly vary, these errors
            are all that it holds, and refits to them have no limit.

    Returns:
        The sorted indices of the features to keep, (kept,), and their refitted weights, (kept, m).
    """
    count = len(moments)
    regular = moments.copy()
    ridge = max(RIDGE * np.trace(moments) / count, rounding)
    regular[np.diag_indices(count)] += ridge + np.finfo(np.float64).tiny
    inverse = np.linalg.inv(regular)
    remaining, weights = np.arange(count), weights.astype(np.float64)
    share = -(-(count - kept) // ROUNDS)
    while len(remaining) > kept:
        dropping = min(share, len(remaining) - kept)
        costs = np.square(weights).sum(axis=1) / np.diag(inverse)
        order = np.argsort(costs, kind="stable")
        dropped, rest = order[:dropping], np.sort(order[dropping:])
        coupling, lost = inverse[np.ix_(dropped, rest)], weights[dropped]
        compensation = np.linalg.solve(inverse[np.ix_(dropped, dropped)], coupling).T
        # in place: for wide layers these are the largest arrays
        weights, inverse = weights[rest], inverse[np.ix_(rest, rest)]
        weights -= compensation @ lost
        inverse -= compensation @ coupling
        remaining = remaining[rest]
    return remaining, weights


def ridge_correction(
    features: np.ndarray, missing: np.ndarray, *, intercept: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The change of weights and bias that best adds what is missing, by ridge regression.

    Generalized cross-validation (Golub, Heath and Wahba 1979) chooses the penalty.

    Args:
        features: (n, f).
        missing: (n, o), what the outputs lack.
        intercept: whether the bias may change; it is not penalised.

    Returns:
        (f, o) for the weights and (o,) for the bias; the latter is zero without an intercept.
    """
    samples, count = features.shape
    outputs = missing.shape[1]
    nothing = np.zeros((count, outputs), np.float32), np.zeros(outputs)
    if not samples or not count:
        return nothing
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
        return nothing[0], offset
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
