"""Logging searches to MLflow."""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from netsurgery.processes.process_exit import WORKFLOW, exit_with_parent
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import UnusableFileError, write_json
from netsurgery.storage.mlflow_sqlite import MLFLOW_ENVIRONMENT
from netsurgery.tracking.runs import RESULTS
from netsurgery.tracking.runs_from_records import build_runs
from netsurgery.tracking.state import FINAL, TrackingState
from netsurgery.tracking.uri import TrackingURI, default_uri

os.environ |= MLFLOW_ENVIRONMENT  # before MLflow is imported

from netsurgery.tracking import mlflow_internals
from netsurgery.tracking.attachments import log_attachments
from netsurgery.tracking.identity import find_identity
from netsurgery.tracking.store import Store
from netsurgery.tracking.store_setup import open_store

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrackingSettings:
    """The section of the configuration on tracking."""

    uri: str | None = None
    experiment: str = "netsurgery"
    registered_model: str | None = None
    timeout: float = 20.0  # seconds for a server or remote database to take the data of a job


class StoreUnreachableError(Exception):
    """A store did not accept what was to be logged; the message is one line without credentials."""


def preload() -> None:
    """Import everything a sync needs, so that forked processes need not."""
    mlflow_internals.preload()


def log_search(
    folder: SearchFolder,
    until: str,
    settings: Mapping[str, Any],
    seed: int,
    output: Path,
    tracking: TrackingSettings | None = None,
) -> None:
    """Make MLflow show a search up to a generation, or a finished search; then write a marker.

    An unreachable store is no error: the search is queued, and the next run logs it.

    Args:
        folder: `<results>/<search>/seed<seed>`.
        until: number of the last generation to log, such as "03", or "final".
        settings: of the search.
        seed: of the search.
        output: the marker, JSON with the numbers of runs and metric points of this search in the
            store, or the reason why they are not there yet.
        tracking: where and how to log it.
    """
    tracking = tracking or TrackingSettings()
    search, name = folder.root.parent.name, _name(folder)
    state = TrackingState(folder.root.resolve().parents[1])
    store = TrackingURI.resolve(tracking.uri, state.folder.parent).redacted
    attempt = f"{os.environ.get(WORKFLOW, os.getpid())} {store}"
    with state.locked():
        request = {"search": search, "seed": seed, "until": until, "settings": dict(settings)}
        state.save_request(search, seed, request | {"tracking": asdict(tracking)})
        outage = state.outage(attempt)
        try:
            if outage:
                raise StoreUnreachableError(outage)
            marker: dict[str, Any] = _log(folder, until, settings, seed, tracking, state)
        except StoreUnreachableError as error:
            state.mark_failed(name, until, str(error), None if outage else attempt)
            marker = {"pending": str(error)}
            logger.warning("%s", error)
        else:
            state.mark_synced(name)
    write_json(output, marker)


def resync(
    results: Path, changed: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, int] | StoreUnreachableError | UnusableFileError]]:
    """Log all searches of a results folder that were ever logged again, without a timeout.

    Args:
        results: the folder.
        changed: tracking settings that replace those a search was last logged with.

    Yields:
        Each search's name and seed, and the numbers of its runs and metric points in the store, or
        why it could not be logged.
    """
    state = TrackingState(results.resolve())
    for request in state.requests():
        folder = SearchFolder(results / request["search"] / f"seed{request['seed']}")
        tracking = TrackingSettings(**request["tracking"] | changed | {"timeout": math.inf})
        until, settings, seed = request["until"], request["settings"], request["seed"]
        with state.locked():
            try:
                counts = _log(folder, until, settings, seed, tracking, state, check_files=True)
            except (StoreUnreachableError, UnusableFileError) as error:
                yield _name(folder), error
                continue
            except FileNotFoundError as error:
                yield _name(folder), UnusableFileError(f"{error.filename}: no such file")
                continue
            if tracking.uri == request["tracking"].get("uri"):
                state.mark_synced(_name(folder))
        yield _name(folder), counts


def _name(folder: SearchFolder) -> str:
    return f"{folder.root.parent.name}/{folder.root.name}"


def _log(
    folder: SearchFolder,
    until: str,
    settings: Mapping[str, Any],
    seed: int,
    tracking: TrackingSettings,
    state: TrackingState,
    *,
    check_files: bool = False,
) -> dict[str, int]:
    """Log a search; returns the numbers of its runs and metric points in the store.

    With `check_files` it asks a server, too, whether logged files are still there.

    Raises:
        StoreUnreachableError: the store did not accept everything.
    """
    last = None if until == FINAL else int(until)
    search, candidates = build_runs(folder, last, settings, seed)
    results = folder.root.resolve().parents[1]
    uri = TrackingURI.resolve(tracking.uri, results)
    check_files = check_files or not uri.is_server  # on this machine, looking for files is cheap

    def log() -> str | None:
        try:
            store = open_store(uri, tracking.experiment, results)
            tags = {RESULTS: state.identity or _identity(store, uri, state)}
            logged = search.with_tags(tags)
            run_id = store.sync(logged, {n: run.with_tags(tags) for n, run in candidates.items()})
            if last is None:
                model = tracking.registered_model
                log_attachments(store, run_id, folder, logged, model, check_files=check_files)
        except Exception as error:  # whatever a client, a driver or a file system raises
            return _reason(uri, error)
        return None

    reason = log() if uri.file else _with_timeout(log, uri, tracking.timeout)
    if reason:
        raise StoreUnreachableError(reason)
    runs = [search, *candidates.values()]
    return {"runs": len(runs), "points": sum(len(run.points) + len(run.measured) for run in runs)}


def _identity(store: Store, uri: TrackingURI, state: TrackingState) -> str:
    """The identity of a results folder that has none: as the store knows it, or a new one."""
    results = state.folder.parent
    is_own = uri.uri == default_uri(results)
    return state.set_identity(find_identity(store, results, is_own=is_own))


def _reason(uri: TrackingURI, error: Exception) -> str:
    """Why a store did not accept something, in one line."""
    if "HTTPConnectionPool" in str(error) or "HTTPSConnectionPool" in str(error):
        return f"{uri.redacted} does not answer"
    message = uri.mask_secrets(" ".join(str(error).split()))
    return f"logging to {uri.redacted} failed ({type(error).__name__}: {message[:200]})"


def _with_timeout(log: Callable[[], str | None], uri: TrackingURI, timeout: float) -> str | None:
    """Run a function in a process of its own, and kill that when its time is up."""
    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)

    def run() -> None:
        exit_with_parent()
        uri.apply_to_environment()
        sender.send(log())

    process = fork.Process(target=run, daemon=True)
    began = time.monotonic()
    process.start()
    sender.close()
    has_answer = receiver.poll(None if math.isinf(timeout) else timeout)
    with suppress(EOFError):
        if has_answer:
            return receiver.recv()
    process.kill()
    process.join()
    seconds = time.monotonic() - began
    how = f"exit code {process.exitcode}" if has_answer else f"it took more than {seconds:.0f} s"
    return f"logging to {uri.redacted} failed ({how})"
