"""Datasets that need no settings: what their names stand for."""

from __future__ import annotations

from typing import Any

NAMED: dict[str, dict[str, Any]] = {
    "digits": {"source": "sklearn", "name": "digits"},
}
