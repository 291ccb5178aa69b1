"""The content of an MLflow store in a results folder, for comparisons."""

import json

from mlflow import MlflowClient
from mlflow.entities import ViewType

from netsurgery.storage.mlflow_sqlite import MEASURED


def client_of(results):
    return MlflowClient(tracking_uri=f"sqlite:///{results}/mlflow.db")


def runs_of(results, view=ViewType.ACTIVE_ONLY):
    client = client_of(results)
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return list(client.search_runs(experiments, run_view_type=view, max_results=1000))


def points_of(results, run):
    """All metric points of a run, with duplicates, except for measured ones."""
    client = client_of(results)
    return sorted(
        (point.key, point.step, point.value)
        for key in run.data.metrics
        for point in client.get_metric_history(run.info.run_id, key)
        if key not in MEASURED
    )


def dump(results):
    """All content of the store except for times, with names instead of run ids."""
    runs = runs_of(results)
    names = {run.info.run_id: run.info.run_name for run in runs}
    content = []
    for run in runs:
        tags = run.data.tags.copy()
        if "mlflow.parentRunId" in tags:
            tags["mlflow.parentRunId"] = names[tags["mlflow.parentRunId"]]
        parts = [run.info.status, tags, run.data.params, points_of(results, run)]
        content.append(json.dumps(parts, sort_keys=True))
    return sorted(content)


def by_name(results):
    runs = runs_of(results)
    found = {run.info.run_name: run for run in runs}
    assert len(found) == len(runs)
    return found


def by_name_and_search(results):
    return {
        (run.data.tags["netsurgery.search"], run.info.run_name): run.info.run_id
        for run in runs_of(results)
    }
