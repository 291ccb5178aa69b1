"""MLflow's private interfaces: all there, and dispensable."""

import pytest
import yaml

from netsurgery.tracking import mlflow_internals, models, uri
from netsurgery.tracking.mlflow_internals import TESTED_VERSIONS
from netsurgery.tracking.store_setup import open_store
from tests.support.mlflow_store import by_name, client_of, dump
from tests.support.tracked_search import example

INTERFACES = (
    "SqlAlchemyStore",
    "validate_batch",
    "append_to_uri_path",
    "save_example",
    "conda_environment",
    "PythonEnv",
    "open_places",
    "version_table",
)


def test_this_mlflow_has_every_private_interface(results):
    missing = [name for name in INTERFACES if getattr(mlflow_internals, name) is None]
    tables = mlflow_internals.tables | mlflow_internals.place_tables
    missing += [name for name, table in tables.items() if table is None]
    missing += [
        f"{name}.{column}"
        for name, column in mlflow_internals.PLACES.items()
        if not hasattr(tables[name], column)
    ]
    assert not missing, f"changed since MLflow {TESTED_VERSIONS}"
    example(results).track("final")
    run = by_name(results)["g01c01"]
    assert getattr(run.data, mlflow_internals.METRIC_POINTS)
    assert isinstance(client_of(results)._tracking_client.store, mlflow_internals.SqlAlchemyStore)


def test_new_runs_are_created_in_one_transaction(results, monkeypatch):
    created = []

    def create_runs(*arguments):
        created.append(mlflow_internals.create_runs(*arguments))
        return created[-1]

    monkeypatch.setattr("netsurgery.tracking.store.create_runs", create_runs)
    example(results).track("final")
    assert created == [True]


@pytest.fixture
def without_interfaces(monkeypatch):
    for name in INTERFACES:
        monkeypatch.setattr(mlflow_internals, name, None)
    for tables in (mlflow_internals.tables, mlflow_internals.place_tables):
        for name in tables:
            monkeypatch.setitem(tables, name, None)
    monkeypatch.setattr(mlflow_internals, "METRIC_POINTS", "no_such_name")


def test_syncing_without_them_gives_the_same_runs(results, empty_store, request):
    search = example(results)
    search.track("00", "01", "02", "final")
    expected = dump(results)
    other = search.copied("other", empty_store)
    request.getfixturevalue("without_interfaces")
    other.track("00", "01", "02", "final")
    assert dump(other.results) == expected


def test_a_changed_table_is_not_written_to(results, empty_store, monkeypatch):
    search = example(results)
    search.track("final")
    other = search.copied("other", empty_store)
    monkeypatch.setitem(mlflow_internals.tables, "SqlParam", mlflow_internals.tables["SqlMetric"])
    other.track("final")
    assert dump(other.results) == dump(results)


def test_a_store_is_created_without_them(tmp_path, without_interfaces, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = tmp_path / "results"
    results.mkdir()
    store = open_store(uri.TrackingURI.resolve(None, results), "netsurgery", results)
    experiment = store.client.get_experiment(store.experiment)
    assert experiment.artifact_location.startswith(f"{results}/mlflow-artifacts")
    assert [path.name for path in tmp_path.iterdir()] == ["results"]
    assert (results / "mlflow.db").exists()


def test_a_model_without_them_has_the_same_content(tmp_path, results, request):
    data = example(results).results / "_data" / "digits"
    keras_file = tmp_path / "model.keras"
    keras_file.write_bytes(b"weights")
    models.save(keras_file, data, tmp_path / "private", run_id="r", model_id="m")
    request.getfixturevalue("without_interfaces")
    models.save(keras_file, data, tmp_path / "public", run_id="r", model_id="m")
    private, public = (files_of(tmp_path / name) for name in ("private", "public"))
    for described in (private, public):
        model = described["MLmodel"]
        for name in ("model_uuid", "utc_time_created"):
            del model[name]
        assert not model["flavors"]["python_function"].pop("streamable", None)
    assert public == private


def files_of(folder):
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            name, content = str(path.relative_to(folder)), path.read_bytes()
            is_yaml = name.endswith(".yaml") or name == "MLmodel"
            found[name] = yaml.safe_load(content) if is_yaml else content.strip()
    return found
