"""A results folder that lost its identity finds it again, so that no run is logged twice."""

import shutil

import pytest

from netsurgery.search.steps import WARM_UP
from netsurgery.storage.files import read_json, write_json
from netsurgery.tracking.state import TrackingState
from tests.support.mlflow_store import runs_of
from tests.support.tracked_search import example

LOSSES = {
    "identity": lambda folder: (folder / "identity").unlink(),
    "damaged identity": lambda folder: (folder / "identity").write_bytes(b"\xff\0"),
    "empty identity": lambda folder: (folder / "identity").write_text(""),
    "everything": shutil.rmtree,
}


def ids(results):
    return {run.info.run_id for run in runs_of(results)}


@pytest.fixture
def search(results):
    made = example(results)
    made.track("00", "01")
    return made


@pytest.mark.parametrize("loss", LOSSES)
def test_a_lost_identity_doubles_no_run(search, loss):
    before, state = ids(search.results), TrackingState(search.results)
    identity = state.identity
    LOSSES[loss](state.folder)
    search.track("final")
    assert state.identity == identity
    assert ids(search.results) > before
    assert len(ids(search.results)) == 7


def test_a_search_that_began_anew_keeps_the_identity_of_its_own_store(search):
    identity = TrackingState(search.results).identity
    shutil.rmtree(search.results / "_tracking")
    began_anew(search)
    search.track("final")
    assert TrackingState(search.results).identity == identity
    assert len(ids(search.results)) == 7


def began_anew(search):
    """Train the initial network of a search at another time."""
    path = search.folder.record(0, WARM_UP)
    record = read_json(path)
    write_json(path, record | {"began": 5.0, "wall_seconds": 1.0})


def test_namesakes_in_a_shared_store_keep_their_identities(tmp_path, empty_store):
    """Two folders with the same searches, and so the same weights."""
    uri = f"sqlite:///{shutil.copyfile(empty_store, tmp_path / 'mlflow.db')}"
    mine, theirs = example(tmp_path / "mine"), example(tmp_path / "theirs")
    began_anew(theirs)
    for search in (mine, theirs):
        search.track("final", uri=uri)
    before = {search: TrackingState(search.results).identity for search in (mine, theirs)}
    for search in (mine, theirs):
        shutil.rmtree(search.results / "_tracking")
        search.track("final", uri=uri)
    assert before == {each: TrackingState(each.results).identity for each in (mine, theirs)}
    assert len(set(before.values())) == 2
    assert len(ids(tmp_path)) == 14


def test_a_folder_that_the_store_does_not_know_gets_a_new_identity(tmp_path, empty_store):
    uri = f"sqlite:///{shutil.copyfile(empty_store, tmp_path / 'mlflow.db')}"
    mine, theirs = example(tmp_path / "mine"), example(tmp_path / "theirs", name="t")
    mine.track("final", uri=uri)
    theirs.track("final", uri=uri)
    identities = {TrackingState(search.results).identity for search in (mine, theirs)}
    assert len(identities) == 2
    assert None not in identities
