"""Measure the cost of tracking, and check what the store contains after faults.

    python -m benchmarks.tracking RESULTS SEARCH SEED [--server]

RESULTS contains a finished search of ECToNAS, which is copied. Each sync is a forked process with
MLflow already imported, like the jobs of a workflow. With `--server` the store is an MLflow server
on PostgreSQL (see tests/support/servers.py), otherwise the SQLite file of the results. Prints two
tables.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import multiprocessing
import os
import resource
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from tests.support import servers

from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import read_json, write_json
from netsurgery.tracking import sync
from netsurgery.tracking.runs import RESULTS
from netsurgery.tracking.state import TrackingState
from netsurgery.tracking.uri import TrackingURI

FORK = multiprocessing.get_context("fork")


class Search:
    """A copy of a finished search, and the syncs that log it."""

    def __init__(self, results: Path, name: str, seed: int, copy: Path, store: str | None) -> None:
        self.folder, self.seed, self.store = SearchFolder(copy / name / f"seed{seed}"), seed, store
        shutil.copytree(results / name / f"seed{seed}", self.folder.root)
        shutil.copytree(results / "_data", copy / "_data")
        state = read_json(results / "_tracking" / f"{name}.seed{seed}.json")
        self.settings: dict[str, Any] = state["settings"]
        numbers = range(len(self.folder.generations()) + 1)
        self.untils = [f"{number:02d}" for number in numbers] + [sync.FINAL]

    def log(self, experiment: str, untils: list[str] | None = None) -> None:
        """Log the search up to some generations, all in one process."""
        chosen = sync.TrackingSettings(self.store, experiment, timeout=600)
        for until in untils or self.untils:
            marker = self.folder.root / "logged.json"
            sync.log_search(self.folder, until, self.settings, self.seed, marker, chosen)
            assert "pending" not in read_json(marker), read_json(marker)

    def contents(self, experiment: str) -> tuple[int, int, int]:
        """The numbers of runs, metric points and models of this search in the store.

        The query runs in its own process, because an open connection would outlive its store.
        """
        with FORK.Pool(1) as pool:
            return pool.apply(self._contents, (experiment,))

    def _contents(self, experiment: str) -> tuple[int, int, int]:
        client = MlflowClient(TrackingURI.resolve(self.store, self.folder.root.parents[1]).uri)
        experiments = [client.get_experiment_by_name(experiment).experiment_id]
        identity = TrackingState(self.folder.root.resolve().parents[1]).identity
        runs = client.search_runs(
            experiments, f"tags.`{RESULTS}` = '{identity}'", max_results=50000
        )
        points = sum(
            len(client.get_metric_history(run.info.run_id, metric))
            for run in runs
            for metric in run.data.metrics
        )
        models = [
            m for m in client.search_logged_models(experiments) if m.tags[RESULTS] == identity
        ]
        return len(runs), points, len(models)

    def change_times(self) -> None:
        """Change the times in the records of a generation, as repeating it does."""
        for path in self.folder.root.glob("generation02/**/*.json"):
            record = read_json(path)
            if "wall_seconds" in record:
                later = {"wall_seconds": record["wall_seconds"] + 0.1, "began": record["began"] + 9}
                write_json(path, record | later)


def in_process(work: Callable[[], None], cut: float | None = None) -> tuple[float, float]:
    """Wall and CPU seconds of work in a forked process, which is killed after `cut` seconds."""
    job = FORK.Process(target=lambda: (gc.disable(), work()))  # like the children of a warm server
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    job.start()
    job.join(cut)
    if job.is_alive() and job.pid:
        os.kill(job.pid, signal.SIGKILL)
        job.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, used


@contextlib.contextmanager
def stores(server: bool, folder: Path) -> Iterator[str | None]:
    """The address of the store; None for the SQLite file of the results."""
    if not server:
        yield None
        return
    with servers.postgres() as database, servers.mlflow(database, folder) as address:
        yield address


def measure(search: Search, copy: Callable[[str], Search]) -> None:
    """Measure and print the tables."""
    wall = used = 0.0
    in_process(lambda: search.log("first"))  # initialises a new store
    for until in search.untils:
        seconds = in_process(lambda until=until: search.log("clean", [until]))  # type: ignore[misc]
        wall, used = wall + seconds[0], used + seconds[1]
    clean = search.contents("clean")
    records = search.folder.records()
    lasted = max(r.began + r.wall_seconds for r in records) - min(
        r.began for r in records if r.began
    )
    per = 100 / (clean[0] - 1)
    print("| | wall | CPU |\n| --- | ---: | ---: |")
    print(f"| seconds for 100 candidates | {per * wall:.2f} | {per * used:.2f} |")
    print(f"| share of {lasted:.0f} s of search | {wall / lasted:.1%} | {used / lasted:.1%} |")
    # the other syncs run while the next generation trains
    last, used = seconds
    print(f"| seconds of the last sync, which the run waits for | {last:.2f} | {used:.2f} |")
    print(f"| its share | {last / lasted:.1%} | {used / lasted:.1%} |\n")

    found = {"a clean run": clean}
    in_process(lambda: search.log("clean", [sync.FINAL]))
    found["a rerun"] = search.contents("clean")
    for part in (0.1, 0.3, 0.6):
        in_process(lambda: search.log("killed"), cut=part * wall)
    in_process(lambda: search.log("killed", [sync.FINAL]))
    found["kills during tracking"] = search.contents("killed")
    search.change_times()
    in_process(lambda: search.log("clean", search.untils[2:]))
    found["a repeated generation"] = search.contents("clean")
    other = copy("other")
    jobs = [FORK.Process(target=each.log, args=("both",)) for each in (search, other)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    found["two concurrent searches, first"] = search.contents("both")
    if search.store:
        found["two concurrent searches, second"] = other.contents("both")
    if not search.store:
        (search.folder.root.parents[1] / "mlflow.db").unlink()
    changed = {"uri": search.store, "experiment": "rebuilt"}
    in_process(lambda: list(sync.resync(search.folder.root.parents[1], changed)) and None)
    found["a new store, filled by make track"] = search.contents("rebuilt")
    print("| after | runs | metric points | models |\n| --- | ---: | ---: | ---: |")
    for name, (runs, points, models) in found.items():
        print(f"| {name} | {runs:,} | {points:,} | {models} |")


def main() -> None:
    """Measure one kind of store."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("search")
    parser.add_argument("seed", type=int)
    parser.add_argument("--server", action="store_true")
    given = parser.parse_args()
    sync.preload()
    with tempfile.TemporaryDirectory() as temporary, stores(given.server, Path(temporary)) as store:

        def copy(name: str) -> Search:
            return Search(given.results, given.search, given.seed, Path(temporary) / name, store)

        measure(copy("results"), copy)


if __name__ == "__main__":
    main()
