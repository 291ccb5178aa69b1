"""A run as MLflow is to show it: plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from netsurgery.storage.mlflow_sqlite import PREFIX, Point, digest

RUNNING, FINISHED, FAILED = "RUNNING", "FINISHED", "FAILED"
RESULTS, NAME, SEED, KIND, CANDIDATE = (
    PREFIX + name for name in ("results", "search", "seed", "kind", "candidate")
)
LONGEST_PARAM, LONGEST_TAG = 6000, 8000  # characters that MLflow stores


@dataclass(frozen=True)
class Run:
    """What MLflow is to show as a run. Times are in milliseconds since 1970."""

    name: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    points: frozenset[Point]
    status: str
    started: int
    ended: int
    times: Mapping[int, int] = field(default_factory=dict)  # of the points, by step
    seconds: Mapping[int, float] = field(default_factory=dict)  # wall time up to a step

    def digest(self) -> str:
        """Hash of what it shows but its times; its name follows from its tags."""
        own = {name: value for name, value in self.tags.items() if name.startswith(PREFIX)}
        return digest(own, self.params, self.points, self.status, self.seconds)


def finite(points: Mapping[tuple[str, int], float | None]) -> frozenset[Point]:
    """Without what is None: records have that where a value was not finite."""
    return frozenset((m, float(v), step) for (m, step), v in points.items() if v is not None)


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Params: texts as they are, other values as JSON, those of mappings by dotted names."""
    found: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value)
            found[prefix + name] = cut(text, LONGEST_PARAM)
    return found


def cut(text: str, length: int) -> str:
    """A text that is not longer than MLflow stores."""
    return text if len(text) <= length else text[: length - 3] + "..."
