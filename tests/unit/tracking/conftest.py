"""An empty store for each test."""

import shutil
import sqlite3

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from netsurgery.tracking import uri
from netsurgery.tracking.store_setup import open_store


@event.listens_for(Engine, "connect")
def skip_fsync(connection, _):
    """Leave writing to the disk to the system: waiting for it takes most of the time.

    The listener stays for other tests of this process, some of which use PostgreSQL.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """An empty store; creating one takes seconds."""
    results = tmp_path_factory.mktemp("empty")
    open_store(uri.TrackingURI.resolve(None, results), "netsurgery", results)
    return results / "mlflow.db"


@pytest.fixture
def results(tmp_path, empty_store):
    folder = tmp_path / "results"
    folder.mkdir()
    shutil.copyfile(empty_store, folder / "mlflow.db")
    return folder
