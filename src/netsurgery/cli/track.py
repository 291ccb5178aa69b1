"""`netsurgery track`: log the searches of a results folder to MLflow again."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from netsurgery.analysis.runs import LISTING, read_experiment
from netsurgery.cli.arguments import Subparsers, add_results_folder, require_folder
from netsurgery.storage import integrity
from netsurgery.storage.files import DamagedFileError, is_writable
from netsurgery.storage.mlflow_sqlite import find_damage
from netsurgery.tracking import uri
from netsurgery.tracking.state import FINAL, TrackingState
from netsurgery.workflow.parameters import result_settings_json


def add_parser(commands: Subparsers) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "track",
        help="log all searches to MLflow again",
        allow_abbrev=False,
        description="Log all searches to MLflow again from their records: after a store was lost,"
        " or to another store. Syncing is idempotent.",
    )
    command.set_defaults(run=run)
    add_results_folder(command)
    command.add_argument(
        "--uri",
        help="tracking server or database, without credentials, see docs/tracking.md (default: the"
        " store that each search was logged to last)",
    )
    command.add_argument("--experiment", help="name of the MLflow experiment")
    command.add_argument(
        "--registered-model", metavar="NAME", help="register final models as versions of this model"
    )


def run(given: argparse.Namespace) -> None:
    """Log all searches; the exit status is 1 if one cannot be read, or its store not reached."""
    if given.uri:
        try:
            uri.check(given.uri)
        except ValueError as error:
            sys.exit(f"--uri: {error}")
    require_folder(given.folder)
    state = TrackingState(given.folder.resolve())
    _restore_requests(given.folder, state)
    requests = state.requests()
    if not requests:
        sys.exit(f"{given.folder}: no search to log to MLflow; run the workflow first")
    for request in requests:
        store = uri.TrackingURI.resolve(given.uri or request["tracking"].get("uri"), given.folder)
        if store.file and not is_writable(store.file):
            sys.exit(f"{store.file}: cannot be written to; log to another store with --uri")
    if not given.uri:
        _set_damaged_store_aside(given.folder)
    from netsurgery.tracking import sync  # importing MLflow takes seconds

    chosen = {
        "uri": given.uri,
        "experiment": given.experiment,
        "registered_model": given.registered_model,
    }
    changed = {key: value for key, value in chosen.items() if value is not None}
    failed = False
    for name, outcome in sync.resync(given.folder, changed):
        if isinstance(outcome, Exception):
            failed = True
            print(f"{name}: {outcome}", file=sys.stderr)
        else:
            print(f"{name}: {outcome['runs']} runs, {outcome['points']} points", flush=True)
    sys.exit(failed)


def _restore_requests(results: Path, state: TrackingState) -> None:
    """Save what to log of finished searches for which no request is left.

    They are logged where the others are, or else to the default store.
    """
    if not ((results / LISTING).exists() and is_writable(state.folder / "lock")):
        return
    present = state.requests()
    known = {(request["search"], request["seed"]) for request in present}
    tracking: Mapping[str, Any] = next((request["tracking"] for request in present), {})
    for run in read_experiment(results).runs:
        if run.summary is None or (run.search, run.seed) in known:
            continue
        settings = json.loads(result_settings_json(run.settings))
        request = {"search": run.search, "seed": run.seed, "until": FINAL, "settings": settings}
        with state.locked():
            state.save_request(run.search, run.seed, {**request, "tracking": tracking})


def _set_damaged_store_aside(results: Path) -> None:
    """Rename a damaged store of a results folder, as a run of the workflow does."""
    store = uri.local_database(results)
    if store.exists() and (reason := find_damage(store)):
        damaged = DamagedFileError(store, reason)
        print(damaged, file=sys.stderr)
        integrity.remove_damaged([damaged])
