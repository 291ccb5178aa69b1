"""Metrics: which direction is better, and which fit a task."""

import pytest

from netsurgery.objectives.metrics import is_maximized
from netsurgery.objectives.tasks import TASKS


@pytest.mark.parametrize(
    ("metric", "maximized"),
    [
        ("val_accuracy", True),
        ("val_loss", False),
        ("val_r2", True),
        ("val_rmse", False),
        ("val_auc", True),
        ("val_mean_squared_error", False),
    ],
)
def test_a_metric_has_a_direction(metric, maximized):
    assert is_maximized(metric) is maximized


def test_an_unknown_metric_is_an_error():
    with pytest.raises(KeyError):
        is_maximized("val_nothing")


def test_regression_takes_metrics_of_numbers_only():
    assert {"r2_score", "mean_squared_error"} <= {*TASKS["regression"].every_keras_metric}
    assert "auc" not in TASKS["regression"].every_keras_metric
    assert "auc" in TASKS["classification"].every_keras_metric


def test_the_first_built_in_metric_is_the_default_objective():
    first = {task.name: next(iter(task.metrics)) for task in TASKS.values()}
    assert first == {
        "classification": "accuracy",
        "multilabel": "mean_average_precision",
        "regression": "loss",
    }
