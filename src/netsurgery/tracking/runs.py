"""A run as MLflow stores it, as plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from netsurgery.storage.mlflow_sqlite import PREFIX, Measurement, Point, digest

RUNNING, FINISHED, FAILED = "RUNNING", "FINISHED", "FAILED"
RESULTS, NAME, SEED, KIND, CANDIDATE = (
    PREFIX + name for name in ("results", "search", "seed", "kind", "candidate")
)
PARENT_RUN, RUN_NAME = "mlflow.parentRunId", "mlflow.runName"  # tags of MLflow
MAX_PARAM_LENGTH, MAX_TAG_LENGTH = 6000, 8000  # characters that MLflow stores


@dataclass(frozen=True)
class Run:
    """What MLflow should store as a run. Times are Unix times in milliseconds."""

    name: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    points: frozenset[Point]
    status: str
    started: int
    ended: int
    times: Mapping[int, int] = field(default_factory=dict)  # of the points, by step
    measured: Mapping[Measurement, float] = field(default_factory=dict)

    def with_tags(self, tags: Mapping[str, str]) -> Run:
        """The same run with further tags."""
        return replace(self, tags={**self.tags, **tags})

    def digest(self) -> str:
        """Hash of the run without its times; its tags imply its name."""
        tags = {name: value for name, value in self.tags.items() if name.startswith(PREFIX)}
        return digest(tags, self.params, self.points, self.status, self.measured)


def milliseconds(seconds: float) -> int:
    """A time as MLflow stores it."""
    return int(1000 * seconds)


def finite_points(metrics: Mapping[tuple[str, int], float | None]) -> frozenset[Point]:
    """The points of metrics by name and step, without None, which records hold for NaN."""
    return frozenset(
        (name, float(value), step) for (name, step), value in metrics.items() if value is not None
    )


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Values as params: text as it is, other values as JSON, nested ones under dotted names."""
    params: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            params |= flatten(value, f"{prefix}{name}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value)
            params[prefix + name] = truncate(text, MAX_PARAM_LENGTH)
    return params


def truncate(text: str, length: int) -> str:
    """A text that is no longer than MLflow stores."""
    return text if len(text) <= length else text[: length - 3] + "..."
