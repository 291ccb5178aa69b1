"""What tracking costs, and what a store holds however it came to know of a search.

    python -m benchmarks.tracking RESULTS SEARCH SEED [--server]

RESULTS holds a finished search of ECToNAS; it is copied and left alone. Each telling is a forked
process that has MLflow imported, like the jobs of a workflow. With `--server` the store is an
MLflow server on PostgreSQL (see tests/support/servers.py), else the results' own SQLite file.
Prints two tables.
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
    """A copy of a finished search, and how to tell a store of it."""

    def __init__(self, results: Path, name: str, seed: int, copy: Path, store: str | None) -> None:
        self.folder, self.seed, self.store = SearchFolder(copy / name / f"seed{seed}"), seed, store
        shutil.copytree(results / name / f"seed{seed}", self.folder.root)
        shutil.copytree(results / "_data", copy / "_data")
        told = read_json(results / "_tracking" / f"{name}.seed{seed}.json")
        self.settings: dict[str, Any] = told["settings"]
        numbers = range(len(self.folder.generations()) + 1)
        self.untils = [f"{number:02d}" for number in numbers] + [sync.FINAL]

    def tell(self, experiment: str, untils: list[str] | None = None) -> None:
        """Tell the store, all in one process."""
        chosen = sync.Settings(self.store, experiment, timeout=600)
        for until in untils or self.untils:
            marker = self.folder.root / "told.json"
            sync.log_search(self.folder, until, self.settings, self.seed, marker, chosen)
            assert "pending" not in read_json(marker), read_json(marker)

    def held(self, experiment: str) -> tuple[int, int, int]:
        """Runs, metric points and models that the store has of this search.

        Asked in a process of its own: a connection that is kept would outlive its store.
        """
        with FORK.Pool(1) as pool:
            return pool.apply(self._held, (experiment,))

    def _held(self, experiment: str) -> tuple[int, int, int]:
        client = MlflowClient(TrackingURI.find(self.store, self.folder.root.parents[1]).uri)
        where = [client.get_experiment_by_name(experiment).experiment_id]
        own = TrackingState(self.folder.root.resolve().parents[1]).identity
        runs = client.search_runs(where, f"tags.`{RESULTS}` = '{own}'", max_results=50000)
        points = sum(
            len(client.get_metric_history(run.info.run_id, metric))
            for run in runs
            for metric in run.data.metrics
        )
        models = [m for m in client.search_logged_models(where) if m.tags[RESULTS] == own]
        return len(runs), points, len(models)

    def other_times(self) -> None:
        """What a generation that is done anew changes in its records."""
        for path in self.folder.root.glob("generation02/**/*.json"):
            record = read_json(path)
            if "wall_seconds" in record:
                later = {"wall_seconds": record["wall_seconds"] + 0.1, "began": record["began"] + 9}
                write_json(path, record | later)


def apart(work: Callable[[], None], cut: float | None = None) -> tuple[float, float]:
    """Wall and processor seconds of work in a forked process, perhaps killed after a while."""
    job = FORK.Process(target=lambda: (gc.disable(), work()))  # as a warm server's children do
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
    """The address of a store; None for the results' own."""
    if not server:
        yield None
        return
    with servers.postgres() as database, servers.mlflow(database, folder) as address:
        yield address


def measure(search: Search, copy: Callable[[str], Search]) -> None:
    """Print what was seen."""
    wall = used = 0.0
    apart(lambda: search.tell("first"))  # a new store sets itself up
    for until in search.untils:
        seconds = apart(lambda until=until: search.tell("clean", [until]))  # type: ignore[misc]
        wall, used = wall + seconds[0], used + seconds[1]
    clean = search.held("clean")
    records = search.folder.records()
    lasted = max(r.began + r.wall_seconds for r in records) - min(
        r.began for r in records if r.began
    )
    per = 100 / (clean[0] - 1)
    print("| | wall | processor |\n| --- | ---: | ---: |")
    print(f"| seconds for 100 candidates | {per * wall:.2f} | {per * used:.2f} |")
    print(f"| share of {lasted:.0f} s of search | {wall / lasted:.1%} | {used / lasted:.1%} |")
    # the others are told beside the training of the next generation
    last, used = seconds
    print(f"| seconds of the last one, which is waited for | {last:.2f} | {used:.2f} |")
    print(f"| its share | {last / lasted:.1%} | {used / lasted:.1%} |\n")

    found = {"a clean run": clean}
    apart(lambda: search.tell("clean", [sync.FINAL]))
    found["a rerun"] = search.held("clean")
    for part in (0.1, 0.3, 0.6):
        apart(lambda: search.tell("killed"), cut=part * wall)
    apart(lambda: search.tell("killed", [sync.FINAL]))
    found["kills in the middle of tracking"] = search.held("killed")
    search.other_times()
    apart(lambda: search.tell("clean", search.untils[2:]))
    found["a generation done anew"] = search.held("clean")
    other = copy("other")
    jobs = [FORK.Process(target=each.tell, args=("both",)) for each in (search, other)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    found["two searches at once, one of them"] = search.held("both")
    if search.store:
        found["two searches at once, the other"] = other.held("both")
    if not search.store:
        (search.folder.root.parents[1] / "mlflow.db").unlink()
    changed = {"uri": search.store, "experiment": "rebuilt"}
    apart(lambda: list(sync.resync(search.folder.root.parents[1], changed)) and None)
    found["a new store, told by make track"] = search.held("rebuilt")
    print("| after | runs | metric points | models |\n| --- | ---: | ---: | ---: |")
    for name, (runs, points, models) in found.items():
        print(f"| {name} | {runs:,} | {points:,} | {models} |")


def main() -> None:
    """Measure one store."""
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
