"""Stores and experiments are created once, by whichever process comes first."""

import multiprocessing

import pytest
from mlflow import MlflowClient

from netsurgery.tracking import uri
from netsurgery.tracking.store_setup import open_store
from tests.support.mlflow_store import client_of, runs_of
from tests.support.tracked_search import example


def test_an_experiment_just_created_by_another_is_used(results, monkeypatch):
    store, answers = uri.TrackingURI.resolve(None, results), [None]
    get = MlflowClient.get_experiment_by_name
    created = open_store(store, "shared", results).experiment
    late = lambda client, name: answers.pop() if answers else get(client, name)  # noqa: E731
    monkeypatch.setattr(MlflowClient, "get_experiment_by_name", late)
    assert open_store(store, "shared", results).experiment == created
    assert not answers


def test_two_processes_may_create_one_store(tmp_path, monkeypatch):
    results, elsewhere = tmp_path / "results", tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    searches = [example(results, name=name) for name in ("a", "b")]
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=search.track, args=("final",)) for search in searches]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(runs_of(results)) == 2 * 7
    for experiment in client_of(results).search_experiments():
        assert experiment.artifact_location.startswith(f"{results}/mlflow-artifacts")
    assert list(elsewhere.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"results", "elsewhere"}
    files = {path.name for path in results.iterdir()}
    assert files == {"a", "b", "mlflow.db", "mlflow-artifacts", "_data", "_tracking"}


@pytest.mark.parametrize("name", ["plain", "it's", 'a"b', "a\"b 'c'", "100 %; {x} $y #1", "ü"])
def test_a_store_may_lie_in_a_folder_of_any_name(tmp_path, name):
    results = tmp_path / name / "results"
    results.mkdir(parents=True)
    store = open_store(uri.TrackingURI.resolve(None, results), "e", results)
    places = {each.name: each.artifact_location for each in store.client.search_experiments()}
    assert places["Default"].startswith(str(results / "mlflow-artifacts"))
    assert places["e"].startswith(str(results / "mlflow-artifacts"))


@pytest.mark.parametrize("name", ["why?", "My%20Data", "a%2Fb"])
def test_a_path_that_mlflow_reads_as_another_is_refused(tmp_path, name):
    results = tmp_path / name / "results"
    results.mkdir(parents=True)
    with pytest.raises(OSError, match=r"^MLflow cannot use the path .*/results: rename"):
        open_store(uri.TrackingURI.resolve(None, results), "e", results)
    assert [path.name for path in tmp_path.iterdir()] == [name]
