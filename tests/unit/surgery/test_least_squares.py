"""Ridge corrections and pruning of features."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from netsurgery.surgery.least_squares import prune_features, ridge_correction
from tests.support.strategies import SEEDS


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.integers(1, 30), st.integers(1, 4), SEEDS)
def test_correction_recovers_a_linear_map(count: int, outputs: int, seed: int) -> None:
    rng = generator(seed)
    features = rng.normal(size=(50 * count + 5, count))
    missing = features @ rng.normal(size=(count, outputs))
    for level in (0, 3):  # what is missing from all samples alike goes to the bias
        change, shift = ridge_correction(features, missing + level, intercept=bool(level))
        assert change.shape == (count, outputs)
        error = np.linalg.norm(features @ change + shift - level - missing)
        assert error < 0.1 * np.linalg.norm(missing)
        assert shift.any() == bool(level)


def test_constant_features_change_nothing() -> None:
    """With more features than samples, the Gram matrix of the samples gives the same result."""
    rng = generator()
    features, missing = rng.normal(size=(30, 12)), rng.normal(size=(30, 2))
    for intercept in (False, True):
        unseen = np.hstack([features, np.zeros((30, 40))])
        change, shift = ridge_correction(unseen, missing, intercept=intercept)
        same, same_shift = ridge_correction(features, missing, intercept=intercept)
        np.testing.assert_allclose(change[:12], same, atol=1e-6)
        np.testing.assert_allclose(shift, same_shift, atol=1e-6)
        assert not change[12:].any()


def test_correction_does_not_fit_noise() -> None:
    rng = generator()
    features, noise = rng.normal(size=(60, 50)), rng.normal(size=(60, 1))
    plain = np.linalg.lstsq(features, noise, rcond=None)[0]
    change, _ = ridge_correction(features, noise, intercept=True)
    assert np.linalg.norm(change) < 0.2 * np.linalg.norm(plain)


def test_no_samples_or_features_correct_nothing() -> None:
    change, shift = ridge_correction(np.zeros((5, 3)), np.ones((5, 2)), intercept=True)
    assert not change.any()
    assert (shift == 1).all()
    for array in ridge_correction(np.zeros((0, 3)), np.ones((0, 2)), intercept=True):
        assert not array.any()


@settings(max_examples=50)
@given(st.integers(3, 6), st.integers(1, 3), SEEDS)
def test_pruning_drops_the_feature_of_least_cost(count: int, outputs: int, seed: int) -> None:
    rng = generator(seed)
    features = rng.normal(size=(40, count)) @ rng.normal(size=(count, count))
    weights = rng.normal(size=(count, outputs))
    wanted = features @ weights

    def best(kept: tuple[int, ...]) -> float:
        chosen = features[:, list(kept)]
        return float(
            np.linalg.norm(chosen @ np.linalg.lstsq(chosen, wanted, rcond=None)[0] - wanted)
        )

    kept, fitted = prune_features(features.T @ features, weights, count - 1)
    costs = {left: best(left) for left in combinations(range(count), count - 1)}
    found = float(np.linalg.norm(features[:, kept] @ fitted - wanted))
    assert found <= min(costs.values()) * (1 + 1e-3) + 1e-3 * np.abs(wanted).max()
