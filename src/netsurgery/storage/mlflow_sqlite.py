"""The runs in a local MLflow store, read with SQLite because MLflow takes seconds to import.

The names in `COLUMNS` and `PLACES` are private to MLflow. Where a store lacks one of `COLUMNS`, its
runs are read with MLflow's client instead, which takes seconds longer.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netsurgery.storage.mlflow_artifacts import FOLDER, bring, relocated

TESTED_VERSIONS = ("3.17.2",)  # of MLflow
COLUMNS = {
    "runs": ("run_uuid", "name", "status", "lifecycle_stage"),
    "tags": ("run_uuid", "key", "value"),
    "params": ("run_uuid", "key", "value"),
    "metrics": ("run_uuid", "key", "value", "step"),
    "latest_metrics": ("run_uuid", "key", "value"),
}
PLACES = {  # columns that hold absolute paths to artifacts
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}
SCHEMA_VERSION = "alembic_version"  # a table of every store of MLflow
# variables that MLflow reads when it is imported
MLFLOW_ENVIRONMENT = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}

PREFIX = "netsurgery."
DIGEST, ATTACHED = PREFIX + "digest", PREFIX + "files"  # tags that are written after all others
# metrics that differ when the same is computed again
MEASURED = ("wall_seconds", "latency", "latency_batch32")

Point = tuple[str, float, int]  # metric, value, step
Measurement = tuple[str, int]  # one of `MEASURED`, step


def digest(
    tags: Mapping[str, str],
    params: Mapping[str, str],
    points: Collection[Point],
    status: str,
    measured: Collection[Measurement] = (),
) -> str:
    """Hash of a run without its times, which differ when the same is computed again.

    Args:
        tags: those with our prefix.
        params: all of them.
        points: of all metrics that are not measured.
        status: of the run.
        measured: which measured metrics it has at which steps.
    """
    content = {
        "tags": tags,
        "params": params,
        "points": sorted(points),
        "status": status,
        "measured": sorted(measured),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass
class StoredRun:
    """A run as a store has it."""

    name: str
    status: str
    tags: dict[str, str] = field(default_factory=dict)  # those with our prefix
    params: dict[str, str] = field(default_factory=dict)
    points: set[Point] = field(default_factory=set)  # of all metrics that are not measured
    measured: set[Measurement] = field(default_factory=set)
    latest: dict[str, float] = field(default_factory=dict)

    @property
    def logged_digest(self) -> str:
        """The digest that was logged with the run; empty while the run is incomplete."""
        return self.tags.get(DIGEST, "")

    @property
    def matches_digest(self) -> bool:
        """Whether the run has the digest that was logged with it."""
        tags = {key: value for key, value in self.tags.items() if key not in (DIGEST, ATTACHED)}
        last: dict[str, tuple[int, float]] = {}
        for key, value, step in self.points:
            last[key] = max(last.get(key, (step, value)), (step, value))
        latest = {key: value for key, (_, value) in last.items()}
        return latest == self.latest and self.logged_digest == digest(
            tags, self.params, self.points, self.status, self.measured
        )

    @property
    def is_intact(self) -> bool:
        """Whether the run is as it was logged; an incomplete run counts as intact."""
        return not self.logged_digest or self.matches_digest


class UnknownSchemaError(Exception):
    """Neither SQLite nor MLflow can read a store, perhaps because of another version of MLflow."""


@contextlib.contextmanager
def _open(database: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        yield connection


def read_runs(database: Path) -> dict[str, StoredRun]:
    """The runs with our tags in a store, except deleted ones, by MLflow's run id.

    Raises:
        sqlite3.DatabaseError: the file is no database, or none of MLflow's.
        UnknownSchemaError: this version of MLflow cannot read the store.
    """
    with _open(database) as store:
        if _has_known_schema(store):
            return _read_tables(store)
        if not _columns(store, SCHEMA_VERSION):
            raise sqlite3.DatabaseError("it has no tables of MLflow")
    return _read_with_client(database)


def _columns(store: sqlite3.Connection, table: str) -> set[str]:
    """The columns of a table; empty if there is no such table."""
    return {row[1] for row in store.execute(f"PRAGMA table_info({table})")}


def _has_known_schema(store: sqlite3.Connection) -> bool:
    return all(_columns(store, table).issuperset(names) for table, names in COLUMNS.items())


def _read_tables(store: sqlite3.Connection) -> dict[str, StoredRun]:
    query = "SELECT run_uuid, name, status FROM runs WHERE lifecycle_stage = 'active'"
    runs = {run: StoredRun(name, status) for run, name, status in store.execute(query)}
    for run, key, value in store.execute("SELECT run_uuid, key, value FROM tags"):
        if run in runs and key.startswith(PREFIX):
            runs[run].tags[key] = value
    for run, key, value in store.execute("SELECT run_uuid, key, value FROM params"):
        if run in runs:
            runs[run].params[key] = value
    for run, key, value, step in store.execute("SELECT run_uuid, key, value, step FROM metrics"):
        if run in runs and key in MEASURED:
            runs[run].measured.add((key, step))
        elif run in runs:
            runs[run].points.add((key, value, step))
    for run, key, value in store.execute("SELECT run_uuid, key, value FROM latest_metrics"):
        if run in runs and key not in MEASURED:
            runs[run].latest[key] = value
    return {run: stored for run, stored in runs.items() if stored.tags}


def _read_with_client(database: Path) -> dict[str, StoredRun]:
    """The runs in a store, read through MLflow's public interface."""
    os.environ |= MLFLOW_ENVIRONMENT
    from mlflow import MlflowClient
    from mlflow.entities import ViewType
    from mlflow.exceptions import MlflowException

    runs: dict[str, StoredRun] = {}
    try:
        client = MlflowClient(tracking_uri=f"sqlite:///{database.resolve()}")
        for experiment in _pages(client.search_experiments, view_type=ViewType.ALL):
            for run in _pages(client.search_runs, experiment_ids=[experiment.experiment_id]):
                if any(key.startswith(PREFIX) for key in run.data.tags):
                    runs[run.info.run_id] = _stored_run(client, run)
    except MlflowException as error:
        raise UnknownSchemaError(f"{database}: MLflow cannot read it: {error}") from None
    return runs


def _pages(search: Callable[..., Any], **arguments: Any) -> Iterator[Any]:
    """The results of a search of MLflow's client, page by page."""
    token = None
    while True:
        page = search(page_token=token, **arguments)
        yield from page
        if not (token := page.token):
            return


def _stored_run(client: Any, run: Any) -> StoredRun:
    """A run as MLflow's client returns it."""
    data = run.data
    history = [p for key in data.metrics for p in client.get_metric_history(run.info.run_id, key)]
    return StoredRun(
        run.info.run_name,
        run.info.status,
        {key: value for key, value in data.tags.items() if key.startswith(PREFIX)},
        dict(data.params),
        {(point.key, point.value, point.step) for point in history if point.key not in MEASURED},
        {(point.key, point.step) for point in history if point.key in MEASURED},
        {key: value for key, value in data.metrics.items() if key not in MEASURED},
    )


def relocate_artifacts(database: Path) -> bool:
    """Make the artifacts of a store lie beside its file, wherever that was moved.

    Artifacts that are not there are copied from where they were, if they still are.

    Args:
        database: the file of a store; it is not created.

    Returns:
        Whether any of them lay elsewhere.
    """
    root = database.resolve().with_name(FOLDER)
    moved = 0
    if not database.exists():
        return False
    with contextlib.suppress(sqlite3.Error), _open(database) as store, store:
        for table, column in PLACES.items():
            if column not in _columns(store, table):
                continue
            query = f"SELECT DISTINCT {column} FROM {table} WHERE {column} LIKE ?"
            for (place,) in store.execute(query, (f"%/{FOLDER}%",)).fetchall():
                if new := relocated(place, root):
                    if table != "experiments":
                        bring(place, new)
                    store.execute(
                        f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (new, place)
                    )
                    moved += 1
    return moved > 0


def find_damage(database: Path) -> str | None:
    """Why a store is damaged; None if it is not, or if this version of MLflow cannot read it."""
    try:
        with _open(database) as store:
            ((first,), *_) = store.execute("PRAGMA integrity_check(1)")
        if first != "ok":
            return str(first).splitlines()[0]
        for run in read_runs(database).values():
            if not run.is_intact:
                return f"the run {run.name} differs from what was logged"
    except sqlite3.OperationalError as error:
        # a database that cannot be opened, because it is locked, say, may well be intact
        return str(error) if "no such" in str(error) or "malformed" in str(error) else None
    except UnknownSchemaError:
        return None
    except (sqlite3.Error, TypeError, UnicodeDecodeError) as error:
        return str(error)
    return None
