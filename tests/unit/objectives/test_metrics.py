"""Metrics: which direction is better, and which fit a task."""

import pytest

from netsurgery.objectives.metrics import BUILTIN, is_maximized, keras_metrics


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
    assert {"r2_score", "mean_squared_error"} <= {*keras_metrics("regression")}
    assert "auc" not in keras_metrics("regression")
    assert "auc" in keras_metrics("classification")


def test_the_first_built_in_metric_is_the_default_objective():
    assert [next(iter(metrics)) for metrics in BUILTIN.values()] == ["accuracy", "loss"]
