"""Whether a final network is better than a guess."""

import pytest

from netsurgery.search.usefulness import why_no_better_than_a_guess

CLASSES = {"task": "classification", "samples": 8, "classes": ["a", "b"]}


@pytest.mark.parametrize(
    ("confusion", "accuracy", "found"),
    [
        (
            [[6, 0], [2, 0]],
            0.75,
            "test accuracy 75.0% is no better than 75.0%, which the answer 'a'",
        ),
        (
            [[0, 2], [3, 3]],
            0.375,
            "test accuracy 37.5% is no better than 75.0%, which the answer 'b'",
        ),
        ([[6, 0], [1, 1]], 0.875, None),
        ([[6, 0], [2, 0]], None, None),
    ],
)
def test_a_classifier_must_beat_the_most_frequent_class(confusion, accuracy, found):
    errors = CLASSES | {"confusion": confusion}
    said = why_no_better_than_a_guess(errors, {"accuracy": accuracy})
    assert said is None if found is None else said.startswith(found)


@pytest.mark.parametrize(("r2", "found"), [(-0.2, True), (0.0, True), (0.01, False), (None, False)])
def test_a_regression_must_beat_the_mean(r2, found):
    said = why_no_better_than_a_guess({"task": "regression", "samples": 8}, {"r2": r2})
    assert bool(said) == found
    assert said is None or said.startswith(f"test r2 {r2:.3f}: the mean of the target")


@pytest.mark.parametrize(("precision", "found"), [(0.25, True), (0.3, False), (None, False)])
def test_labels_must_be_ranked_better_than_by_chance(precision, found):
    rows = [{"samples": 1}, {"samples": 3}, {"samples": 0}]
    errors = {"task": "multilabel", "samples": 8, "by_label": rows}
    said = why_no_better_than_a_guess(errors, {"mean_average_precision": precision})
    assert bool(said) == found
    assert said is None or said.startswith("test mean average precision 0.250 is no better than")
