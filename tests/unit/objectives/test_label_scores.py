"""Scores of several labels and of several numbers are those of scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from netsurgery.objectives.label_scores import BINS, LARGEST, LabelCounts
from netsurgery.objectives.number_scores import NumberScores


def in_bins(probabilities):
    """Probabilities as counts know them: the middle of their bin."""
    logits = np.log(probabilities / (1 - probabilities))
    middle = (np.floor((logits / LARGEST + 1) * BINS / 2) + 0.5) / (BINS / 2) - 1
    return 1 / (1 + np.exp(-middle * LARGEST))


@settings(max_examples=30)
@given(seed=st.integers(0, 999), labels=st.integers(2, 5), samples=st.integers(2, 40))
def test_scores_of_labels_are_those_of_sklearn(seed, labels, samples):
    rng = np.random.default_rng(seed)
    y = (rng.random((samples, labels)) < 0.4).astype(np.uint8)
    y[0], y[1] = 1, 0  # every label has samples with and without it
    p = in_bins(rng.uniform(0.01, 0.99, y.shape))
    found, said = LabelCounts.of(y, p).scores(), p >= 0.5
    assert found == pytest.approx(
        {
            "mean_average_precision": metrics.average_precision_score(y, p, average="macro"),
            "macro_f1": metrics.f1_score(y, said, average="macro", zero_division=np.nan),
            "exact_match": np.mean((y == said).all(axis=1)),
            "label_accuracy": np.mean(y == said),
        }
    )


def test_bins_hardly_change_the_average_precision():
    rng = np.random.default_rng(0)
    y = (rng.random((300, 3)) < (0.5, 0.2, 0.02)).astype(np.uint8)
    p = 1 / (1 + np.exp(3 - 2 * y - rng.normal(size=y.shape)))
    exact = metrics.average_precision_score(y, p, average="macro")
    assert LabelCounts.of(y, p).scores()["mean_average_precision"] == pytest.approx(exact, abs=0.01)


def test_a_label_without_samples_is_left_out_of_means():
    y = np.array([[1, 0], [0, 0], [1, 0]], np.uint8)
    p = np.array([[0.9, 0.1], [0.2, 0.2], [0.8, 0.1]])
    counts = LabelCounts.of(y, p)
    assert np.isnan(counts.by_label()["average_precision"][1])
    assert counts.scores()["mean_average_precision"] == 1
    assert counts.scores()["macro_f1"] == 1


@pytest.mark.parametrize("unit", [1.0, 1e-13, 1e24])
def test_scores_of_numbers_are_means_over_targets(unit):
    rng = np.random.default_rng(1)
    true = rng.normal(size=(40, 3)) * (1, 10, unit) + (5, 0, 0)
    predicted = true + rng.normal(size=true.shape) * (0.1, 3, 0.2 * unit)
    found = NumberScores.of(true, predicted).scores()
    assert found == pytest.approx(
        {
            "mae": metrics.mean_absolute_error(true, predicted),
            "rmse": metrics.root_mean_squared_error(true, predicted),
            "r2": metrics.r2_score(true, predicted),
        }
    )


def test_a_target_that_does_not_vary_has_no_r2():
    true = np.array([[1.0, 2.0], [1.0, 3.0], [1.0, 4.0]])
    scores = NumberScores.of(true, true + 0.1)
    assert np.isnan(scores.r2).tolist() == [True, False]
    assert scores.scores()["r2"] == pytest.approx(scores.r2[1])
