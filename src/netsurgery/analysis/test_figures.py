"""The one test figure that a table shows of a model, which compares with those of other models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def test_figure(metrics: Mapping[str, float | None]) -> str:
    """The accuracy; of a regression the explained share of the variance.

    Args:
        metrics: of the test samples; None where they are not finite.
    """
    if (accuracy := metrics.get("accuracy")) is not None:
        return f"{accuracy:.1%}"
    r2 = metrics.get("r2")
    return "-" if r2 is None else f"r2 {r2:.3f}"


def figure_of(summary: Mapping[str, Any]) -> str:
    """The figure of a finished search."""
    return test_figure(summary.get("test_metrics", {}) | {"accuracy": summary["test_accuracy"]})
