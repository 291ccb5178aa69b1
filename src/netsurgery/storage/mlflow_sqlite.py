"""What an MLflow store shows of our runs, by SQLite alone: MLflow takes seconds to import."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PREFIX = "netsurgery."
DIGEST, ATTACHED = PREFIX + "digest", PREFIX + "files"  # tags that are written behind the others
SECONDS = "wall_seconds"  # a metric that differs when the same is computed again

Point = tuple[str, float, int]  # metric, value, step


def digest(
    tags: Mapping[str, str],
    params: Mapping[str, str],
    points: Collection[Point],
    status: str,
    timed: Collection[int] = (),
) -> str:
    """Hash of what a run shows but its times, which differ when the same is computed again.

    Args:
        tags: our own.
        params: all of them.
        points: of its metrics, but those of its seconds.
        status: of the run.
        timed: the steps that have seconds.
    """
    content = {
        "tags": tags,
        "params": params,
        "points": sorted(points),
        "status": status,
        "timed": sorted(timed),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass
class StoredRun:
    """A run as a store has it; of tags only our own."""

    name: str
    status: str
    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    points: set[Point] = field(default_factory=set)  # but those of its seconds
    timed: set[int] = field(default_factory=set)  # the steps that have seconds
    latest: dict[str, float] = field(default_factory=dict)

    @property
    def stated(self) -> str:
        """The digest of what was logged; empty while that is not all there."""
        return self.tags.get(DIGEST, "")

    @property
    def vouched_for(self) -> bool:
        """Whether it is what its digest states."""
        own = {key: value for key, value in self.tags.items() if key not in (DIGEST, ATTACHED)}
        last: dict[str, tuple[int, float]] = {}
        for key, value, step in self.points:
            last[key] = max(last.get(key, (step, value)), (step, value))
        latest = {key: value for key, (_, value) in last.items()}
        return latest == self.latest and self.stated == digest(
            own, self.params, self.points, self.status, self.timed
        )

    @property
    def intact(self) -> bool:
        """Whether it is what was logged; of a run that is not logged to its end nobody knows."""
        return not self.stated or self.vouched_for


@contextlib.contextmanager
def _opened(database: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        yield connection


def read(database: Path) -> dict[str, StoredRun]:
    """Our runs in a store that are not deleted, by MLflow's id.

    Raises:
        sqlite3.DatabaseError: it is no database, or none of MLflow's.
    """
    with _opened(database) as store:
        query = "SELECT run_uuid, name, status FROM runs WHERE lifecycle_stage = 'active'"
        runs = {run: StoredRun(name, status) for run, name, status in store.execute(query)}
        for run, key, value in store.execute("SELECT run_uuid, key, value FROM tags"):
            if run in runs and key.startswith(PREFIX):
                runs[run].tags[key] = value
        for run, key, value in store.execute("SELECT run_uuid, key, value FROM params"):
            if run in runs:
                runs[run].params[key] = value
        for run, *point in store.execute("SELECT run_uuid, key, value, step FROM metrics"):
            if run in runs and point[0] == SECONDS:
                runs[run].timed.add(point[2])
            elif run in runs:
                runs[run].points.add((point[0], point[1], point[2]))
        for run, key, value in store.execute("SELECT run_uuid, key, value FROM latest_metrics"):
            if run in runs and key != SECONDS:
                runs[run].latest[key] = value
    return {run: shown for run, shown in runs.items() if shown.tags}


def damage(database: Path) -> str | None:
    """What is wrong with a store; None where nothing is."""
    try:
        with _opened(database) as store:
            ((first,), *_) = store.execute("PRAGMA integrity_check(1)")
        if first != "ok":
            return str(first).splitlines()[0]
        for shown in read(database).values():
            if not shown.intact:
                return f"the run {shown.name} is not as it was logged"
    except sqlite3.OperationalError as error:
        # what cannot be opened is not damaged for that
        return str(error) if "no such" in str(error) or "malformed" in str(error) else None
    except (sqlite3.Error, TypeError, UnicodeDecodeError) as error:
        return str(error)
    return None
