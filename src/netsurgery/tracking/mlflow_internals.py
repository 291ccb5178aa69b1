"""MLflow's private interfaces that tracking uses; every one of them is optional.

Most only save time: a dozen transactions per run, a request per metric, seconds per model. Where a
version of MLflow lacks one, tracking takes the public way, and the store ends with the same runs.
Only to move artifacts there is no public way: without these interfaces, they stay where they are.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import multiprocessing
import os
import shutil
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from mlflow import MlflowClient, entities, pyfunc
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from sqlalchemy import insert, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import configure_mappers

from netsurgery.processes.process_exit import exit_with_parent
from netsurgery.storage.mlflow_artifacts import relocated
from netsurgery.tracking.runs import RUN_NAME, RUNNING, Run

TESTED_VERSIONS = ("3.17.2",)

# what MLflow imports only when a store is opened, or a model logged: half of the time of a sync
LATE_IMPORTS = (
    "alembic.command",
    "mlflow.store.tracking.rest_store",
    "mlflow.store.tracking.sqlalchemy_workspace_store",
    "sqlalchemy.dialects.sqlite",
)
METRIC_POINTS = "_metric_objs"  # of the data of a run
TABLES = ("SqlRun", "SqlTag", "SqlParam", "SqlMetric", "SqlLatestMetric")
PLACES = {"SqlRun": "artifact_uri", "SqlLoggedModel": "artifact_location"}


def _find(module: str, name: str) -> Any:
    """An attribute of a module, or None if this version has no such attribute."""
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


SqlAlchemyStore = _find("mlflow.store.tracking.sqlalchemy_store", "SqlAlchemyStore")
tables = {name: _find("mlflow.store.tracking.dbmodels.models", name) for name in TABLES}
place_tables = {name: _find("mlflow.store.tracking.dbmodels.models", name) for name in PLACES}
version_table = _find("mlflow.store.model_registry.dbmodels.models", "SqlModelVersion")
open_places = _find("mlflow.tracking._tracking_service.utils", "_artifact_repos_cache")
validate_batch = _find("mlflow.utils.validation", "_validate_batch_log_data")
append_to_uri_path = _find("mlflow.utils.uri", "append_to_uri_path")
save_example = _find("mlflow.models.utils", "_save_example")
conda_environment = _find("mlflow.utils.environment", "_mlflow_conda_env")
PythonEnv = _find("mlflow.utils.environment", "_PythonEnv")


def preload() -> None:
    """Import everything a sync needs, so that forked processes need not."""
    for name in LATE_IMPORTS:
        with suppress(ImportError):
            importlib.import_module(name)
    configure_mappers()


def _database(client: MlflowClient) -> Any:
    """The store of a client, if it is a database; otherwise None."""
    store = getattr(getattr(client, "_tracking_client", None), "store", None)
    return store if SqlAlchemyStore and isinstance(store, SqlAlchemyStore) else None


def rewrite_places(client: MlflowClient, old: str, new: str) -> None:
    """Change where a database says that the artifacts of a run or model are.

    If this version of MLflow has other tables, nothing changes.
    """
    store = _database(client)
    columns = [(place_tables[name], column) for name, column in PLACES.items()]
    columns.append((version_table, "storage_location"))
    if store is None or any(table is None for table, _ in columns):
        return
    with (
        suppress(AttributeError, TypeError, SQLAlchemyError, MlflowException),
        store.ManagedSessionMaker(read_only=False) as session,
    ):
        for table, name in columns:
            column = getattr(table, name)
            session.execute(update(table).where(column == old).values({name: new}))
    forget_places()


def forget_places() -> None:
    """Make clients of this process ask the store again where artifacts are."""
    if open_places is not None:
        open_places.clear()


def create_runs(
    client: MlflowClient,
    experiment: str,
    artifacts: Path | None,
    runs: Sequence[tuple[Run, dict[str, str], list[entities.Metric]]],
) -> bool:
    """Create runs with all their content in one transaction, if the store is a database.

    MLflow's client takes a dozen transactions for one run.

    Args:
        client: of the store.
        experiment: the id of the experiment.
        artifacts: the folder for artifacts, if the experiment has one that netsurgery chose.
        runs: each with all its tags and metric points.

    Returns:
        Whether the runs were created: all of them, or none.
    """
    store = _database(client)
    needed = (validate_batch, append_to_uri_path, *tables.values())
    if store is None or any(each is None for each in needed):
        return False
    location = client.get_experiment(experiment).artifact_location
    location = (relocated(location, artifacts) if artifacts else None) or location
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in TABLES}
    try:
        for run, tags, metrics in runs:
            _append_rows(rows, experiment, location, run, {**tags, RUN_NAME: run.name}, metrics)
        with store.ManagedSessionMaker(read_only=False) as session:
            for name, values in rows.items():
                if values:
                    session.execute(insert(tables[name]), values)
    except (AttributeError, TypeError, SQLAlchemyError, MlflowException):
        return False  # the public way succeeds, or says what is wrong
    return True


def _append_rows(
    rows: dict[str, list[dict[str, object]]],
    experiment: str,
    location: str,
    run: Run,
    tags: dict[str, str],
    metrics: Iterable[entities.Metric],
) -> None:
    """Append the rows of a run to those of each table."""
    metrics = sorted(metrics, key=lambda m: (m.step, m.timestamp, m.value))
    validate_batch(metrics, [], [entities.RunTag(*tag) for tag in tags.items()])
    identity = uuid.uuid4().hex
    key = {"run_uuid": identity}
    artifacts = append_to_uri_path(location, identity, SqlAlchemyStore.ARTIFACTS_FOLDER_NAME)
    rows["SqlRun"].append(
        {
            **key,
            "name": run.name,
            "artifact_uri": artifacts,
            "experiment_id": int(experiment),
            "source_type": entities.SourceType.to_string(entities.SourceType.UNKNOWN),
            "source_name": "",
            "entry_point_name": "",
            "user_id": "unknown",
            "status": run.status,
            "start_time": run.started,
            "end_time": None if run.status == RUNNING else run.ended,
            "source_version": "",
            "lifecycle_stage": entities.LifecycleStage.ACTIVE,
        }
    )
    rows["SqlTag"] += [{**key, "key": name, "value": value} for name, value in tags.items()]
    rows["SqlParam"] += [{**key, "key": name, "value": v} for name, v in run.params.items()]
    latest: dict[str, dict[str, object]] = {}
    for metric in metrics:
        latest[metric.key] = {
            **key,
            "key": metric.key,
            "value": metric.value,
            "timestamp": metric.timestamp,
            "step": metric.step,
            "is_nan": False,
        }
        rows["SqlMetric"].append(latest[metric.key])
    rows["SqlLatestMetric"] += latest.values()


def latest_points(client: MlflowClient, run: entities.Run) -> list[entities.Metric]:
    """The last point of each metric of a run; the public interface has only its value."""
    points = getattr(run.data, METRIC_POINTS, None)
    if points is not None:
        return list(points)
    histories = [client.get_metric_history(run.info.run_id, name) for name in run.data.metrics]
    return [max(h, key=lambda p: (p.step, p.timestamp, p.value)) for h in histories if h]


def create_sqlite_store(database: Path, artifacts: Path) -> None:
    """Create an empty store in a new file, and close it."""
    if SqlAlchemyStore is not None:
        SqlAlchemyStore(f"sqlite:///{database}", str(artifacts)).engine.dispose()
        return
    # the client keeps a store open as long as its process lives, and creates ./mlruns
    fork = multiprocessing.get_context("fork")
    process = fork.Process(target=_create_with_client, args=(database, artifacts), daemon=True)
    process.start()
    process.join()
    if process.exitcode:
        raise OSError(f"{database}: MLflow cannot create a store here")


def _create_with_client(database: Path, artifacts: Path) -> None:
    exit_with_parent()
    artifacts.mkdir(parents=True, exist_ok=True)
    os.chdir(artifacts)
    MlflowClient(tracking_uri=f"sqlite:///{database}").search_experiments()


def save_model_files(
    model: Model,
    folder: Path,
    loader: Path,
    signature: Any,
    example: Any,
    requirements: Sequence[str],
) -> None:
    """Write an MLflow model's example, requirements and environments, without loading the model.

    The public function checks in every new process which installed package provides each module,
    which takes seconds.

    Args:
        model: with its flavor of Keras; its `MLmodel` file is still to be written.
        folder: of the model; must exist and be empty.
        loader: the Python file with `_load_pyfunc`.
        signature: of the model.
        example: of its input.
        requirements: for pip.
    """
    if save_example is None or conda_environment is None or PythonEnv is None:
        folder.rmdir()
        pyfunc.save_model(
            str(folder),
            loader_module=loader.stem,
            code_paths=[str(loader)],
            mlflow_model=model,
            signature=signature,
            input_example=example,
            pip_requirements=list(requirements),
        )
        return
    model.signature = signature
    save_example(model, example, str(folder))
    (folder / "code").mkdir()
    shutil.copy(loader, folder / "code")
    pyfunc.add_to_model(
        model,
        loader_module=loader.stem,
        code="code",
        conda_env="conda.yaml",
        python_env="python_env.yaml",
    )
    (folder / "requirements.txt").write_text("\n".join(requirements) + "\n", encoding="utf-8")
    environment = conda_environment(additional_pip_deps=list(requirements), install_mlflow=False)
    (folder / "conda.yaml").write_text(yaml.safe_dump(environment), encoding="utf-8")
    PythonEnv.current().to_yaml(str(folder / "python_env.yaml"))
