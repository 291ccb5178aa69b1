"""Opening an MLflow store, and creating its experiment and the local file if they are missing."""

from __future__ import annotations

import os
from pathlib import Path

from mlflow import MlflowClient, entities
from mlflow.exceptions import MlflowException

from netsurgery.tracking import mlflow_internals, views
from netsurgery.tracking.state import TrackingState
from netsurgery.tracking.store import Store
from netsurgery.tracking.uri import TrackingURI, default_uri, local_database

PARALLEL_CALLS = 8  # to a server


def open_store(uri: TrackingURI, experiment: str, results: Path) -> Store:
    """Open a store with an experiment.

    Args:
        uri: of the store; if it is that of the results folder, a missing file is created.
        experiment: its name; a missing experiment is created, a deleted one restored.
        results: the results folder.
    """
    if uri.uri == default_uri(results):
        _create_local_store(results)
    client = MlflowClient(tracking_uri=uri.uri, registry_uri=uri.uri)
    found = client.get_experiment_by_name(experiment)
    if found is None:
        # without an artifact location MLflow would choose ./mlruns
        artifacts = None if uri.is_server else str(_artifacts(results))
        identity = _create_experiment(client, experiment, artifacts)
    else:
        identity = found.experiment_id
        for tag, value in views.TAGS.items() - found.tags.items():
            if tag not in found.tags or "sharedViewState" in tag:  # a note of the user stays
                client.set_experiment_tag(identity, tag, value)
        if found.lifecycle_stage != entities.LifecycleStage.ACTIVE:
            client.restore_experiment(identity)
    return Store(client, identity, PARALLEL_CALLS if uri.is_server else 1)


def _create_experiment(client: MlflowClient, name: str, artifacts: str | None) -> str:
    """Create an experiment, unless another process just did; returns its id."""
    try:
        return client.create_experiment(name, artifact_location=artifacts, tags=views.TAGS)
    except MlflowException:
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return found.experiment_id


def _create_local_store(results: Path) -> None:
    """Create the store of a results folder if it is missing, whole or not at all."""
    database = local_database(results.resolve())
    if database.exists():
        return
    temporary = database.with_name(".mlflow.db.new")
    for leftover in results.glob(f"{temporary.name}*"):
        leftover.unlink()
    mlflow_internals.create_sqlite_store(temporary, _artifacts(results))
    TrackingState(results).mark_new_store()
    os.replace(temporary, database)


def _artifacts(results: Path) -> Path:
    return results.resolve() / "mlflow-artifacts"
