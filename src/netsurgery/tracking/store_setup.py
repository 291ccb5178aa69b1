"""Opening an MLflow store, and creating its experiment and the local file if they are missing."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from urllib.parse import unquote

from mlflow import MlflowClient, entities
from mlflow.exceptions import MlflowException

from netsurgery.storage.files import is_writable
from netsurgery.storage.mlflow_sqlite import relocate_artifacts
from netsurgery.tracking import mlflow_internals, views
from netsurgery.tracking.state import TrackingState
from netsurgery.tracking.store import Store
from netsurgery.tracking.uri import TrackingURI, default_uri

PARALLEL_CALLS = 8  # to a server


def open_store(uri: TrackingURI, experiment: str, results: Path) -> Store:
    """Open a store with an experiment.

    Args:
        uri: of the store; a missing file is created, and artifacts follow a moved one.
        experiment: its name; a missing experiment is created, a deleted one restored.
        results: the results folder.

    Raises:
        OSError: MLflow would use another file or folder.
    """
    artifacts = uri.artifacts(results)
    if artifacts and uri.file:
        _check_path(uri, results)
        _create_file(uri.file, artifacts, results)
        if relocate_artifacts(uri.file):
            mlflow_internals.forget_places()
    client = MlflowClient(tracking_uri=uri.uri, registry_uri=uri.uri)
    found = client.get_experiment_by_name(experiment)
    if found is None:
        identity = _create_experiment(client, experiment, artifacts)
    else:
        identity = found.experiment_id
        for tag, value in views.TAGS.items() - found.tags.items():
            if tag not in found.tags or "sharedViewState" in tag:  # a note of the user stays
                client.set_experiment_tag(identity, tag, value)
        if found.lifecycle_stage != entities.LifecycleStage.ACTIVE:
            client.restore_experiment(identity)
    return Store(client, identity, artifacts, PARALLEL_CALLS if uri.is_server else 1)


def _check_path(uri: TrackingURI, results: Path) -> None:
    """Refuse a path that MLflow reads as another one."""
    is_own = uri.uri == default_uri(results)
    path = str(results.resolve() if is_own else uri.file)
    if (is_own and "?" in path) or unquote(path) != path:
        raise OSError(f"MLflow cannot use the path {path}: rename what has a ? or a % with digits")


def _create_experiment(client: MlflowClient, name: str, artifacts: Path | None) -> str:
    """Create an experiment, unless another process just did; returns its id."""
    location = str(artifacts) if artifacts else None  # None: that of the server
    try:
        return client.create_experiment(name, artifact_location=location, tags=views.TAGS)
    except MlflowException:
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return found.experiment_id


def _create_file(database: Path, artifacts: Path, results: Path) -> None:
    """Create a store in a file if it is missing, whole or not at all.

    Another results folder may create the same file at the same time: the first one stays.
    """
    if database.exists():
        return
    with tempfile.TemporaryDirectory(prefix=f".{database.name}.", dir=database.parent) as folder:
        new = Path(folder) / database.name
        # MLflow writes this place into SQL as it is, which some quotes break; it is only the
        # default of later experiments, and `relocate_artifacts` corrects it
        with tempfile.TemporaryDirectory() as elsewhere:
            mlflow_internals.create_sqlite_store(new, Path(elsewhere) / artifacts.name)
        if is_writable(results / "_tracking" / "pending.json"):
            TrackingState(results).mark_new_store()
        with contextlib.suppress(FileExistsError):
            os.link(new, database)
