"""Artifacts follow the results folder, or lie beside a shared database; lost ones come back."""

import shutil
import sqlite3

import pytest
from mlflow import MlflowClient

from netsurgery.storage.mlflow_sqlite import PLACES, relocate_artifacts
from netsurgery.tracking import sync
from netsurgery.tracking.mlflow_internals import forget_places
from netsurgery.tracking.state import pending_message
from tests.support.tracked_search import FakeSearch, example

FILES = {"MLmodel", "conda.yaml", "data/model.keras", "input_example.json", "requirements.txt"}


def client_of(database):
    forget_places()  # MLflow remembers them, but here stores move while a process runs
    return MlflowClient(tracking_uri=f"sqlite:///{database}")


def places(database):
    """All places of artifacts in a store."""
    with sqlite3.connect(database) as store:
        rows = [
            row
            for table, column in PLACES.items()
            for row in store.execute(f"SELECT {column} FROM {table}")
        ]
    return [place for (place,) in rows]


def models(database):
    """The logged models in a store, with the names of their files."""
    client = client_of(database)
    experiment = client.get_experiment_by_name("netsurgery").experiment_id
    found = {}
    for model in client.search_logged_models([experiment]):
        top = client.list_logged_model_artifacts(model.model_id)
        data = client.list_logged_model_artifacts(model.model_id, "data")
        found[model.model_id] = {file.path for file in (*top, *data)}
    return found


def tree(folder):
    return {path.relative_to(folder): path.read_bytes() for path in files_in(folder)}


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def resync(results, **changed):
    outcomes = list(sync.resync(results, changed))
    assert all(isinstance(outcome, dict) for _, outcome in outcomes)
    return outcomes


@pytest.fixture(scope="module")
def logged(tmp_path_factory, empty_store):
    """A finished search that was logged, in a folder that no test changes."""
    made = example(tmp_path_factory.mktemp("logged") / "results")
    shutil.copyfile(empty_store, made.results / "mlflow.db")
    made.track("final", registered_model="registered")
    return made


@pytest.fixture
def search(logged, tmp_path):
    """The same in a folder of its own."""
    copy = logged.copied(str(tmp_path / "results"))
    relocate_artifacts(copy.results / "mlflow.db")
    forget_places()
    return copy


def moved(search, name):
    """The search in a results folder that was moved."""
    copy = search.copied(name)
    shutil.rmtree(search.results)
    return copy


def test_artifacts_follow_a_moved_folder(search, tmp_path):
    before = models(search.results / "mlflow.db")
    assert [names >= FILES for names in before.values()] == [True]
    new = moved(search, "new")
    other = FakeSearch(new.results, "t")
    other.finish(0)
    search.results.touch()  # nothing can be written where the folder was
    other.track("final")
    assert pending_message(new.results) is None
    database = new.results / "mlflow.db"
    assert len(places(database)) > 10
    assert all(place.startswith(f"{new.results}/mlflow-artifacts") for place in places(database))
    after = models(database)
    assert before.items() <= after.items()
    assert len(after) == 2


def test_a_copied_folder_leaves_the_original_alone(search):
    before = tree(search.results)
    copy = search.copied("copy")
    lost = next(path for path in files_in(copy.results / "mlflow-artifacts"))
    lost.unlink()
    resync(copy.results)
    assert lost.exists()
    assert tree(search.results) == before
    assert all(place.startswith(f"{copy.results}/") for place in places(copy.results / "mlflow.db"))


def test_relocating_a_store_again_changes_nothing(search):
    new = moved(search, "new")
    assert relocate_artifacts(new.results / "mlflow.db")
    assert not relocate_artifacts(new.results / "mlflow.db")


def test_a_store_that_is_missing_is_not_created(tmp_path):
    assert not relocate_artifacts(tmp_path / "missing.db")
    assert list(tmp_path.iterdir()) == []


def log_to_one_file(tmp_path, empty_store):
    """Two folders log a search each to a file that they share; return the file and the searches."""
    shared = tmp_path / "shared"
    shared.mkdir()
    database = shutil.copyfile(empty_store, shared / "all.db")
    searches = [example(tmp_path / name) for name in "ab"]
    for each in searches:
        each.track("final", uri=f"sqlite:///{database}")
    return database, searches


def test_folders_that_share_a_file_keep_artifacts_beside_it(tmp_path, empty_store):
    database, searches = log_to_one_file(tmp_path, empty_store)
    assert not list(tmp_path.glob("[ab]/mlflow-artifacts"))
    kept = models(database)
    shutil.rmtree(searches[0].results)
    assert models(database) == kept
    assert [names >= FILES for names in kept.values()] == [True, True]


def test_artifacts_in_the_first_folder_are_fetched(tmp_path, empty_store):
    """As earlier versions left them: all searches of a shared file wrote into the first folder."""
    database, searches = log_to_one_file(tmp_path, empty_store)
    first = searches[0].results / "mlflow-artifacts"
    (database.parent / "mlflow-artifacts").rename(first)
    with sqlite3.connect(database) as store:
        for table, column in PLACES.items():
            change = f"{column} = replace({column}, '{database.parent}/', '{searches[0].results}/')"
            store.execute(f"UPDATE {table} SET {change}")
    kept = models(database)
    searches[1].track("final", uri=f"sqlite:///{database}")
    shutil.rmtree(searches[0].results)
    assert models(database) == kept
    assert [names >= FILES for names in kept.values()] == [True, True]


def test_a_missing_shared_file_is_created(tmp_path):
    database = tmp_path / "all.db"
    search = example(tmp_path / "results")
    search.track("final", uri=f"sqlite:///{database}")
    assert [names >= FILES for names in models(database).values()] == [True]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["all.db", "mlflow-artifacts", "results"]


LOSSES = {
    "all artifacts": lambda folder: shutil.rmtree(folder),
    "the model": lambda folder: shutil.rmtree(folder / "models"),
    "a plot": lambda folder: next(folder.rglob("lineage.csv")).unlink(),
    "the weights": lambda folder: next(folder.rglob("model.keras")).unlink(),
    "half of the weights": lambda folder: next(folder.rglob("model.keras")).write_bytes(b"half"),
    "the description": lambda folder: next(folder.rglob("MLmodel")).unlink(),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_lost_artifacts_are_restored(search, loss):
    folder, database = search.results / "mlflow-artifacts", search.results / "mlflow.db"
    before, logged = tree(folder), models(database)
    LOSSES[loss](folder)
    resync(search.results)
    assert {name: len(content) for name, content in tree(folder).items()} == {
        name: len(content) for name, content in before.items()
    }
    assert models(database) == logged
    (version,) = client_of(database).search_model_versions("name = 'registered'")
    assert version.source == f"models:/{next(iter(logged))}"


def test_a_registered_model_of_a_replaced_run_is_restored(search):
    """It has the same weights, and may be served."""
    database = search.results / "mlflow.db"
    before = models(database)
    search.settings = search.settings | {"greediness": 0.5}
    search.track("final")
    shutil.rmtree(search.results / "mlflow-artifacts")
    search.track("final")
    after = models(database)
    assert before.items() < after.items()
    assert len(after) == 2


def test_the_next_run_restores_artifacts_too(search):
    folder = search.results / "mlflow-artifacts"
    before = tree(folder)
    shutil.rmtree(folder)
    search.track("final", registered_model="registered")
    assert tree(folder).keys() == before.keys()


def test_a_lost_registered_model_is_registered_again(search):
    database = search.results / "mlflow.db"
    client = client_of(database)
    client.delete_registered_model("registered")
    resync(search.results)
    (version,) = client.search_model_versions("name = 'registered'")
    assert version.source == f"models:/{next(iter(models(database)))}"
