"""Whether two results are the same: every file to the byte, and what MLflow shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from netsurgery.search.records import TIMES
from netsurgery.storage import mlflow_sqlite
from netsurgery.storage.files import read_json

UNTOLD = ("tracked.json", "report.html")  # how far MLflow was told, not what; a page with times
ELSEWHERE = ("logs", "_logs", "_tracking", "mlflow-artifacts")  # notes and what has MLflow's ids
OF_A_FOLDER = [mlflow_sqlite.PREFIX + name for name in ("results", "digest", "files")]  # tags


def without_times(value: Any) -> Any:
    """A record without what differs between two runs of one search."""
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMES}
    if isinstance(value, list):
        return [without_times(v) for v in value]
    return value


def files(results: Path) -> dict[str, bytes]:
    """All files that must not depend on how often a search was stopped; JSON without its times."""
    found = {}
    for path in sorted(results.rglob("*")):
        name = str(path.relative_to(results))
        parts = Path(name).parts
        if not path.is_file() or set(parts) & set(ELSEWHERE) or path.name in UNTOLD:
            continue
        if path.name.startswith((".lock", ".mlflow", "mlflow.db")):
            continue
        found[name] = path.read_bytes()
        if path.suffix == ".json":
            found[name] = json.dumps(without_times(read_json(path))).encode()
    return found


def runs(results: Path) -> dict[str, Any]:
    """What MLflow shows, by search, seed and candidate, without times and ids."""
    found: dict[str, Any] = {}
    for run in mlflow_sqlite.read_runs(results / "mlflow.db").values():
        key = json.dumps(
            [run.tags.get(mlflow_sqlite.PREFIX + n, "") for n in ("search", "seed", "candidate")]
        )
        tags = {tag: value for tag, value in run.tags.items() if tag not in OF_A_FOLDER}
        content = (run.name, run.status, tags, run.params, sorted(run.points), run.latest)
        found.setdefault(key, []).append(content)  # a second one of the same name is a difference
    return found


def differences(results: Path, reference: Path) -> list[str]:
    """Names of the files and runs that differ; none if the results are the same."""
    pairs = ((files(results), files(reference)), (runs(results), runs(reference)))
    return [
        name
        for mine, theirs in pairs
        for name in sorted(mine.keys() | theirs.keys())
        if mine.get(name) != theirs.get(name)
    ]
