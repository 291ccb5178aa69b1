"""`netsurgery track`: log the searches of a results folder to MLflow again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from netsurgery.analysis.runs import LISTING, read_experiment
from netsurgery.cli.arguments import Subparsers, add_results_folder, require_folder
from netsurgery.storage.files import is_writable
from netsurgery.tracking import uri
from netsurgery.tracking.state import FINAL, TrackingState
from netsurgery.workflow.parameters import WITHOUT_RESULT


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
    """Log all searches; the exit status is 1 if the store of one cannot be reached."""
    if given.uri:
        try:
            uri.check(given.uri)
        except ValueError as error:
            sys.exit(f"--uri: {error}")
    require_folder(given.folder)
    state = TrackingState(given.folder.resolve())
    lost = _lost_requests(given.folder, state.requests())
    if lost and is_writable(state.folder / "lock"):
        with state.locked():
            for request in lost:
                state.save_request(request["search"], request["seed"], request)
    requests = state.requests()
    if not requests:
        sys.exit(f"{given.folder}: no search to log to MLflow; run the workflow first")
    for request in requests:
        store = uri.TrackingURI.resolve(given.uri or request["tracking"].get("uri"), given.folder)
        if store.file and not is_writable(store.file):
            sys.exit(f"{store.file}: cannot be written to; log to another store with --uri")
    from netsurgery.tracking import sync  # importing MLflow takes seconds

    chosen = {
        "uri": given.uri,
        "experiment": given.experiment,
        "registered_model": given.registered_model,
    }
    changed = {key: value for key, value in chosen.items() if value is not None}
    failed = False
    for name, outcome in sync.resync(given.folder, changed):
        if isinstance(outcome, sync.StoreUnreachableError):
            failed = True
            print(f"{name}: {outcome}", file=sys.stderr)
        else:
            print(f"{name}: {outcome['runs']} runs, {outcome['points']} points", flush=True)
    sys.exit(failed)


def _lost_requests(results: Path, present: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What to log of finished searches for which no request is left.

    They are logged where the others are, or else to the default store.
    """
    if not (results / LISTING).exists():
        return []
    known = {(request["search"], request["seed"]) for request in present}
    tracking: Mapping[str, Any] = next((request["tracking"] for request in present), {})
    return [
        {
            "search": run.search,
            "seed": run.seed,
            "until": FINAL,
            "settings": {k: v for k, v in run.settings.items() if k not in WITHOUT_RESULT},
            "tracking": tracking,
        }
        for run in read_experiment(results).runs
        if run.summary is not None and (run.search, run.seed) not in known
    ]
