"""Runs are read from a store with SQLite, or else with MLflow's client, and verified."""

import shutil
import sqlite3

import pytest

from netsurgery.storage import integrity, mlflow_sqlite
from netsurgery.storage.mlflow_sqlite import DIGEST
from tests.support.tracked_search import example

TABLES = """
CREATE TABLE runs (run_uuid, name, status, lifecycle_stage);
CREATE TABLE tags (key, value, run_uuid);
CREATE TABLE params (key, value, run_uuid);
CREATE TABLE metrics (key, value, timestamp, run_uuid, step, is_nan);
CREATE TABLE latest_metrics (key, value, timestamp, step, is_nan, run_uuid);
INSERT INTO runs VALUES ('r', 's/seed0', 'FINISHED', 'active'), ('gone', '', '', 'deleted');
INSERT INTO params VALUES ('budget', '3', 'r');
INSERT INTO metrics VALUES ('loss', 0.5, 0, 'r', 1, 0), ('loss', 0.25, 0, 'r', 2, 0);
INSERT INTO latest_metrics VALUES ('loss', 0.25, 0, 2, 0, 'r');
INSERT INTO tags VALUES ('netsurgery.seed', '0', 'r'), ('mlflow.note', 'mine', 'r'),
  ('netsurgery.digest', 'no', 'gone');
"""


@pytest.fixture
def store(tmp_path):
    """A store with one run, with the columns that are read."""
    points = {("loss", 0.5, 1), ("loss", 0.25, 2)}
    digest = mlflow_sqlite.digest({"netsurgery.seed": "0"}, {"budget": "3"}, points, "FINISHED")
    path = tmp_path / "mlflow.db"
    change(path, TABLES + f"INSERT INTO tags VALUES ('{DIGEST}', '{digest}', 'r')")
    return path


def change(path, statements):
    connection = sqlite3.connect(path)
    connection.executescript(statements)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE metrics SET value = 0.26 WHERE step = 2",
        "UPDATE latest_metrics SET value = 0.26",
        "UPDATE params SET value = '4'",
        "UPDATE runs SET status = 'FAILED' WHERE run_uuid = 'r'",
        "UPDATE tags SET value = '1' WHERE key = 'netsurgery.seed'",
        "DELETE FROM metrics WHERE step = 1",
    ],
)
def test_a_store_with_a_changed_run_is_renamed(store, statement):
    assert integrity.find_damaged(store.parent) == []
    change(store, statement)
    (found,) = integrity.find_damaged(store.parent)
    assert found.path == store
    assert "s/seed0" in str(found)
    integrity.remove_damaged([found])
    assert not store.exists()
    assert store.with_name("mlflow.db.damaged").exists()


def test_notes_of_users_do_not_count_as_damage(store):
    change(store, "UPDATE tags SET value = 'other' WHERE key = 'mlflow.note'")
    change(store, f"UPDATE tags SET value = '' WHERE key = '{DIGEST}'")  # incomplete
    change(store, "UPDATE metrics SET value = 7")
    assert integrity.find_damaged(store.parent) == []


def test_a_truncated_store_is_damaged(store):
    content = store.read_bytes()
    for length in (0, 10, len(content) // 2):
        store.write_bytes(content[:length])
        assert [each.path for each in integrity.find_damaged(store.parent)] == [store], length


@pytest.fixture(scope="module")
def real_store(tmp_path_factory):
    """A store that MLflow made, with the runs of a search."""
    results = tmp_path_factory.mktemp("real") / "results"
    example(results).track("final")
    return results / "mlflow.db"


def test_this_mlflow_has_every_column_that_is_read(real_store):
    with mlflow_sqlite._open(real_store) as connection:
        places = {table: {column} for table, column in mlflow_sqlite.PLACES.items()}
        for table, columns in [*mlflow_sqlite.COLUMNS.items(), *places.items()]:
            missing = set(columns) - mlflow_sqlite._columns(connection, table)
            assert not missing, f"changed since MLflow {mlflow_sqlite.TESTED_VERSIONS}: {table}"
        assert mlflow_sqlite._columns(connection, mlflow_sqlite.SCHEMA_VERSION)


@pytest.fixture
def unknown_schema(monkeypatch):
    monkeypatch.setitem(mlflow_sqlite.COLUMNS, "metrics", ("run_uuid", "no_such_column"))


def test_a_store_of_an_unknown_schema_is_read_with_the_client(real_store, request):
    by_sqlite = mlflow_sqlite.read_runs(real_store)
    assert len(by_sqlite) == 7
    assert all(run.matches_digest for run in by_sqlite.values())
    request.getfixturevalue("unknown_schema")
    assert mlflow_sqlite.read_runs(real_store) == by_sqlite


def test_damage_is_found_with_the_client_too(real_store, tmp_path, unknown_schema):
    store = tmp_path / "mlflow.db"
    shutil.copyfile(real_store, store)
    assert mlflow_sqlite.find_damage(store) is None
    change(store, "UPDATE params SET value = '4' WHERE key = 'budget'")
    assert mlflow_sqlite.find_damage(store) == "the run s/seed0 differs from what was logged"


def test_a_store_of_another_version_does_not_count_as_damaged(real_store, tmp_path):
    store = tmp_path / "mlflow.db"
    shutil.copyfile(real_store, store)
    change(store, "ALTER TABLE metrics RENAME COLUMN step TO batch")
    change(store, "UPDATE alembic_version SET version_num = 'of the future'")
    with pytest.raises(mlflow_sqlite.UnknownSchemaError, match="MLflow cannot read it"):
        mlflow_sqlite.read_runs(store)
    assert mlflow_sqlite.find_damage(store) is None


def test_a_database_without_tables_of_mlflow_is_damaged(tmp_path):
    store = tmp_path / "mlflow.db"
    change(store, "CREATE TABLE other (key)")
    assert mlflow_sqlite.find_damage(store) == "it has no tables of MLflow"
