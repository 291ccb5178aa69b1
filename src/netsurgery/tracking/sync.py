"""Telling MLflow of a search."""

from __future__ import annotations

import importlib
import math
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from netsurgery.processes.process_exit import WORKFLOW, exit_with_parent
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import write_json
from netsurgery.tracking.runs import RESULTS
from netsurgery.tracking.runs_from_records import build_runs
from netsurgery.tracking.state import FINAL, TrackingState
from netsurgery.tracking.uri import TrackingURI, default_uri, local

# read by MLflow as it is imported
os.environ |= {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}

from mlflow import MlflowClient, entities
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy.orm import configure_mappers

from netsurgery.tracking import views
from netsurgery.tracking.attachments import attach
from netsurgery.tracking.store import Store

CALLS = 8  # to a server at the same time
LATE = (  # what MLflow imports only when a store is opened, or a model logged: half of a telling
    "alembic.command",
    "mlflow.pyfunc",
    "mlflow.store.tracking.rest_store",
    "mlflow.store.tracking.sqlalchemy_workspace_store",
    "sqlalchemy.dialects.sqlite",
)


@dataclass(frozen=True)
class Settings:
    """The configuration's section on tracking."""

    uri: str | None = None
    experiment: str = "netsurgery"
    registered_model: str | None = None
    timeout: float = 20.0  # seconds for a server to take what a job tells


class StoreUnreachableError(Exception):
    """A store did not take what it was told; the message is one line without credentials."""


def preload() -> None:
    """Import all that telling needs, so that forked processes need not."""
    for name in LATE:
        with suppress(ImportError):  # other versions of MLflow have other modules
            importlib.import_module(name)
    configure_mappers()


def log_search(
    folder: SearchFolder,
    until: str,
    settings: Mapping[str, Any],
    seed: int,
    output: Path,
    tracking: Settings | None = None,
) -> None:
    """Have MLflow show a search as it stood after a generation, or finished; then write a marker.

    Args:
        folder: `<results>/<search>/seed<seed>`.
        until: number of the last generation to show, such as "03", or "final".
        settings: of the search.
        seed: of the search.
        output: JSON that counts the runs and metric points of this search in the store, or says
            why they are not there yet.
        tracking: where to, and how.
    """
    tracking = tracking or Settings()
    search, name = folder.root.parent.name, _name(folder)
    ledger = TrackingState(folder.root.resolve().parents[1])
    store = TrackingURI.find(tracking.uri, ledger.folder.parent).shown
    attempt = f"{os.environ.get(WORKFLOW, os.getpid())} {store}"
    with ledger.alone():
        telling = {"search": search, "seed": seed, "until": until, "settings": dict(settings)}
        ledger.keep(search, seed, telling | {"tracking": asdict(tracking)})
        known = ledger.outage(attempt)
        try:
            if known:
                raise StoreUnreachableError(known)
            marker: dict[str, Any] = _show(folder, until, settings, seed, tracking, ledger)
        except StoreUnreachableError as error:
            ledger.postpone(name, until, str(error), None if known else attempt)
            marker = {"pending": str(error)}
            print(error, file=sys.stderr)
        else:
            ledger.done(name)
    write_json(output, marker)


def resync(
    results: Path, changed: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, int] | StoreUnreachableError]]:
    """Tell all that was ever told of a results folder's searches, one by one, however long.

    Args:
        results: the folder.
        changed: settings of tracking that differ from those a search was told with.

    Returns:
        Each search's name and seed, and how many runs and metric points the store has of it, or
        why it has not.
    """
    ledger = TrackingState(results.resolve())
    for telling in ledger.tellings():
        folder = SearchFolder(results / telling["search"] / f"seed{telling['seed']}")
        tracking = Settings(**telling["tracking"] | changed | {"timeout": math.inf})
        with ledger.alone():
            chosen = (telling["until"], telling["settings"], telling["seed"])
            try:
                told = _show(folder, *chosen, tracking, ledger)
            except StoreUnreachableError as error:
                yield _name(folder), error
                continue
            if tracking.uri == telling["tracking"]["uri"]:
                ledger.done(_name(folder))
        yield _name(folder), told


def _name(folder: SearchFolder) -> str:
    return f"{folder.root.parent.name}/{folder.root.name}"


def _show(
    folder: SearchFolder,
    until: str,
    settings: Mapping[str, Any],
    seed: int,
    tracking: Settings,
    ledger: TrackingState,
) -> dict[str, int]:
    """Have a store show a search; gives how many runs and metric points it has of it.

    Raises:
        Unreachable: it did not take it all.
    """
    last = None if until == FINAL else int(until)
    search, candidates = build_runs(folder, last, settings, seed, {RESULTS: ledger.identity})
    results = folder.root.resolve().parents[1]
    place = TrackingURI.find(tracking.uri, results)

    def tell() -> str | None:
        try:
            store = open_store(place, tracking.experiment, results)
            run = store.bring_in_line(search, candidates)
            if last is None:
                attach(store.client, run, folder, search, tracking.registered_model)
        except Exception as error:  # whatever a client, a driver or a file system raises
            return _reason(place, error)
        return None

    why = tell() if place.is_file else _in_time(tell, place, tracking.timeout)
    if why:
        raise StoreUnreachableError(why)
    runs = [search, *candidates.values()]
    return {"runs": len(runs), "points": sum(len(run.points) + len(run.seconds) for run in runs)}


def _reason(place: TrackingURI, error: Exception) -> str:
    """What went wrong with a store, in one line."""
    if "HTTPConnectionPool" in str(error) or "HTTPSConnectionPool" in str(error):
        return f"{place.shown} does not answer"
    words = place.without_secrets(" ".join(str(error).split()))
    return f"{place.shown} did not take it ({type(error).__name__}: {words[:200]})"


def _in_time(tell: Any, place: TrackingURI, timeout: float) -> str | None:
    """Do something in a process of its own, which is ended when its time is up."""
    fork = multiprocessing.get_context("fork")
    mine, theirs = fork.Pipe(duplex=False)

    def run() -> None:
        exit_with_parent()
        place.enter()
        theirs.send(tell())

    process = fork.Process(target=run, daemon=True)
    began = time.monotonic()
    process.start()
    theirs.close()
    answered = mine.poll(None if math.isinf(timeout) else timeout)
    with suppress(EOFError):
        if answered:
            return mine.recv()
    process.kill()
    process.join()
    seconds = time.monotonic() - began
    how = f"ended with code {process.exitcode}" if answered else f"took more than {seconds:.0f} s"
    return f"{place.shown} did not take it (telling {how})"


def open_store(place: TrackingURI, experiment: str, results: Path) -> Store:
    """The store, with its experiment, which is made if it is missing; so is a local file.

    A new file is made under another name, to be there whole or not at all.
    """
    if place.uri == default_uri(results):
        _create(results)
    client = MlflowClient(tracking_uri=place.uri, registry_uri=place.uri)
    found = client.get_experiment_by_name(experiment)
    if found is None:
        # without a folder of its own for artifacts MLflow would name ./mlruns
        where = None if place.is_server else str(_artifacts(results))
        identity = _create_experiment(client, experiment, where)
    else:
        identity = found.experiment_id
        for tag, value in views.TAGS.items() - found.tags.items():
            if tag not in found.tags or "sharedViewState" in tag:  # a user's own note stays
                client.set_experiment_tag(identity, tag, value)
        if found.lifecycle_stage != entities.LifecycleStage.ACTIVE:
            client.restore_experiment(identity)
    return Store(client, identity, CALLS if place.is_server else 1)


def _create_experiment(client: MlflowClient, name: str, where: str | None) -> str:
    """Make an experiment, or take the one that somebody else has just made; gives its id."""
    try:
        return client.create_experiment(name, artifact_location=where, tags=views.TAGS)
    except MlflowException:
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return found.experiment_id


def _create(results: Path) -> None:
    """Make the local store if there is none."""
    database = local(results.resolve())
    if database.exists():
        return
    fresh = database.with_name(".mlflow.db.new")
    for void in results.glob(f"{fresh.name}*"):
        void.unlink()
    SqlAlchemyStore(f"sqlite:///{fresh}", str(_artifacts(results))).engine.dispose()
    TrackingState(results).new_store()
    os.replace(fresh, database)


def _artifacts(results: Path) -> Path:
    return results.resolve() / "mlflow-artifacts"
