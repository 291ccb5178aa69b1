"""Labels of operations, scores and counts, as plots and reports show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netsurgery.networks.steps import Place
from netsurgery.plots.style import operation_style


def operation_label(operation: str | None, position: Place | None) -> str:
    """An operation and the position of its layer."""
    return operation_style(operation).label + ("" if position is None else f" (layer {position})")


def format_score(value: float | None) -> str:
    """A score with three decimals or, if large, three digits."""
    return "not finite" if value is None else f"{value:.3f}" if value < 1000 else f"{value:.3g}"


def pluralize(number: int, noun: str) -> str:
    """A number and a noun, such as 3 candidates."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def search_title(search: str, summary: Mapping[str, Any]) -> str:
    """The title of the plots of a search."""
    return f"{search}, seed {summary['seed']}"
