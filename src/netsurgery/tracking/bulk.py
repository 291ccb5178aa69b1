"""New runs into a database, all in one transaction.

MLflow's client takes a dozen transactions for a run; its own tables, through its own session, take
a hundred runs in one. Either all of them are there, or none.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from mlflow.entities import LifecycleStage, Metric, RunTag, SourceType
from mlflow.store.tracking.dbmodels.models import (
    SqlLatestMetric,
    SqlMetric,
    SqlParam,
    SqlRun,
    SqlTag,
)
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME
from mlflow.utils.uri import append_to_uri_path
from mlflow.utils.validation import _validate_batch_log_data
from sqlalchemy import insert

from netsurgery.tracking.runs import RUNNING, Run


def create(
    store: SqlAlchemyStore,
    experiment: str,
    runs: Iterable[tuple[Run, dict[str, str], list[Metric]]],
) -> None:
    """Create runs with all that they hold.

    Args:
        store: of the database.
        experiment: its id.
        runs: each with all its tags and metric points.
    """
    place = store.get_experiment(experiment).artifact_location
    rows: dict[type, list[dict[str, object]]] = {
        table: [] for table in (SqlRun, SqlTag, SqlParam, SqlMetric, SqlLatestMetric)
    }
    for run, tags, metrics in runs:
        identity = uuid.uuid4().hex
        own = {"run_uuid": identity}
        named = {**tags, MLFLOW_RUN_NAME: run.name}
        _validate_batch_log_data(metrics, [], [RunTag(*tag) for tag in named.items()])
        rows[SqlRun].append(
            {
                **own,
                "name": run.name,
                "artifact_uri": append_to_uri_path(
                    place, identity, SqlAlchemyStore.ARTIFACTS_FOLDER_NAME
                ),
                "experiment_id": int(experiment),
                "source_type": SourceType.to_string(SourceType.UNKNOWN),
                "source_name": "",
                "entry_point_name": "",
                "user_id": "unknown",
                "status": run.status,
                "start_time": run.started,
                "end_time": None if run.status == RUNNING else run.ended,
                "source_version": "",
                "lifecycle_stage": LifecycleStage.ACTIVE,
            }
        )
        rows[SqlTag] += [{**own, "key": key, "value": value} for key, value in named.items()]
        rows[SqlParam] += [{**own, "key": key, "value": v} for key, v in run.params.items()]
        last: dict[str, dict[str, object]] = {}
        for metric in sorted(metrics, key=lambda m: (m.step, m.timestamp, m.value)):
            last[metric.key] = {
                **own,
                "key": metric.key,
                "value": metric.value,
                "timestamp": metric.timestamp,
                "step": metric.step,
                "is_nan": False,
            }
            rows[SqlMetric].append(last[metric.key])
        rows[SqlLatestMetric] += last.values()
    with store.ManagedSessionMaker(read_only=False) as session:
        for table, theirs in rows.items():
            if theirs:
                session.execute(insert(table), theirs)
