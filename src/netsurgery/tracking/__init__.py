"""MLflow: what the records of a search say, for people to look at and compare.

The records are the truth and MLflow only shows them. Whatever the store held of a search before,
afterwards it holds what its present records say: `gather` reads these, `Store` brings the runs in
line. Nothing is ever read back from MLflow to decide anything.

All runs are in one experiment, `netsurgery`: a search whose dataset is changed keeps its place, a
search is found without knowing its dataset, and the table is narrowed down by tags.

    <search>/seed<seed>     one run per search and seed: settings as params; by generation the best
                            parent's val_score, parameters and epochs_trained, and the epochs_spent;
                            the numbers of the summary one step behind the last generation
        <candidate>         nested, one per candidate: its surgery, size and layers as params; loss,
                            accuracy, val_loss, val_accuracy and epoch by batches trained

Steps of candidates are batches on the axis of their lineage, for MLflow's are integers; `epoch` is
logged beside the metrics. A point's timestamp is its step in milliseconds: it must not depend on
the clock, as MLflow takes the same point with another timestamp for a further one. Runs start
and end when their files say.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from netsurgery.files import check_room, write_json
from netsurgery.layout import SearchFolder
from netsurgery.tracking.runs import gather

# read by MLflow as it is imported
os.environ |= {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}

from mlflow import MlflowClient, entities
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from netsurgery.tracking.store import EXPERIMENT, Store

FINAL = "final"


def track(
    folder: SearchFolder, until: str, settings: Mapping[str, Any], seed: int, output: Path
) -> None:
    """Have MLflow show a search as it stood after a generation, or finished; then write a marker.

    Args:
        folder: `<results>/<search>/seed<seed>`; the store is `<results>/mlflow.db`.
        until: number of the last generation to show, such as "03", or "final".
        settings: of the search.
        seed: of the search.
        output: JSON that counts the runs and metric points of this search in the store.
    """
    results = folder.root.resolve().parents[1]
    with _alone(results):
        store = Store(_open(results))
        search, candidates = gather(folder, None if until == FINAL else int(until), settings, seed)
        store.bring_in_line(search, candidates)
    runs = [search, *candidates.values()]
    write_json(output, {"runs": len(runs), "points": sum(len(run.points) for run in runs)})


def create(results: Path) -> None:
    """Create the store of a results folder if there is none."""
    with _alone(results):
        _open(results)


@contextlib.contextmanager
def _alone(results: Path) -> Iterator[None]:
    """One writer at a time: MLflow breaks a new store that two processes set up at once."""
    results.mkdir(parents=True, exist_ok=True)
    check_room(results / "mlflow.db")
    with (results / ".mlflow.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _open(results: Path) -> MlflowClient:
    """A client of the store, which is created if it is missing.

    A new one is made under another name, to be there whole or not at all. Markers that were
    written for a lost one go first, so that the workflow tells it everything again.
    """
    database = results.resolve() / "mlflow.db"
    if not database.exists():
        fresh = database.with_name(".mlflow.db.new")
        for void in (*results.glob(f"{fresh.name}*"), *results.glob("*/seed*/*/tracked.json")):
            void.unlink()
        # without a folder of its own for artifacts MLflow would name ./mlruns
        SqlAlchemyStore(f"sqlite:///{fresh}", str(_artifacts(database))).engine.dispose()
        os.replace(fresh, database)
    client = MlflowClient(tracking_uri=f"sqlite:///{database}")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        client.create_experiment(EXPERIMENT, artifact_location=str(_artifacts(database)))
    elif experiment.lifecycle_stage != entities.LifecycleStage.ACTIVE:
        client.restore_experiment(experiment.experiment_id)
    return client


def _artifacts(database: Path) -> Path:
    return database.with_name("mlflow-artifacts")
