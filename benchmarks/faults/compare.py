"""Compare two results: every file byte by byte, and the content of MLflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from netsurgery.storage import mlflow_sqlite
from netsurgery.storage.dependencies import TIMES
from netsurgery.storage.files import read_json
from netsurgery.storage.provenance import CORES

IGNORED_FILES = ("tracked.json", "report.html")  # tracking state, and a page with times
# of all searches: a table with measured latencies as a page, and the checksums of both
IGNORED_SUMMARIES = ("summary.html", "summary.json")
IGNORED_FOLDERS = ("logs", "_logs", "_tracking", "mlflow-artifacts")  # logs, and MLflow ids
# with which code and where a step was trained; `without_times` drops these from records as well
PROVENANCE = ("version", "commit", "changed", "environment", "device", "host", "slurm_job", CORES)
IGNORED_TAGS = [mlflow_sqlite.PREFIX + name for name in ("results", "digest", "files", *PROVENANCE)]


def without_times(value: Any) -> Any:
    """A record without the times, which differ between two runs of a search."""
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMES}
    if isinstance(value, list):
        return [without_times(v) for v in value]
    return value


def content(path: Path) -> bytes:
    """A file; JSON and tables without times."""
    if path.suffix == ".json":
        return json.dumps(without_times(read_json(path))).encode()
    if path.suffix == ".csv" and set(TIMES) & set(pd.read_csv(path, nrows=0).columns):
        return pd.read_csv(path).drop(columns=[*TIMES], errors="ignore").to_csv().encode()
    return path.read_bytes()


def files(results: Path) -> dict[str, bytes]:
    """The files that must not depend on interruptions, without times."""
    found = {}
    for path in sorted(results.rglob("*")):
        name = str(path.relative_to(results))
        parts = Path(name).parts
        if not path.is_file() or set(parts) & set(IGNORED_FOLDERS) or path.name in IGNORED_FILES:
            continue
        if name in IGNORED_SUMMARIES:
            continue
        if path.name.startswith((".lock", ".mlflow", "mlflow.db")):
            continue
        found[name] = content(path)
    return found


def runs(results: Path) -> dict[str, Any]:
    """The runs in MLflow by search, seed and candidate, without times and ids."""
    found: dict[str, Any] = {}
    for run in mlflow_sqlite.read_runs(results / "mlflow.db").values():
        key = json.dumps(
            [run.tags.get(mlflow_sqlite.PREFIX + n, "") for n in ("search", "seed", "candidate")]
        )
        tags = {tag: value for tag, value in run.tags.items() if tag not in IGNORED_TAGS}
        content = (run.name, run.status, tags, run.params, sorted(run.points), run.latest)
        found.setdefault(key, []).append(content)  # a duplicate is a difference
    return found


def differences(results: Path, reference: Path) -> list[str]:
    """Names of the files and runs that differ; none if the results are the same."""
    pairs = ((files(results), files(reference)), (runs(results), runs(reference)))
    return [
        name
        for found, expected in pairs
        for name in sorted(found.keys() | expected.keys())
        if found.get(name) != expected.get(name)
    ]
