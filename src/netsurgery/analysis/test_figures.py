"""The one test figure that a table shows of a model, which compares with those of other models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FIGURES = {"accuracy": "{:.1%}", "r2": "r2 {:.3f}", "mean_average_precision": "mAP {:.3f}"}


def test_figure(metrics: Mapping[str, float | None]) -> str:
    """The accuracy; of a regression the explained share of the variance; of labels mean AP.

    Args:
        metrics: of the test samples; None where they are not finite.
    """
    for name, form in FIGURES.items():
        if (value := metrics.get(name)) is not None:
            return form.format(value)
    return "-"


def figure_of(summary: Mapping[str, Any]) -> str:
    """The figure of a finished search."""
    return test_figure(summary.get("test_metrics", {}) | {"accuracy": summary["test_accuracy"]})
