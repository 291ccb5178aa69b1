"""`netsurgery track` logs whatever is finished, even if the tracking state is lost."""

import json
import shutil

import pytest

from netsurgery.cli import main
from netsurgery.storage.files import read_json, write_json
from netsurgery.workflow.parameters import result_settings_json
from tests.support.mlflow_store import dump, runs_of
from tests.support.tracked_search import SETTINGS, example


@pytest.fixture
def track(monkeypatch, capsys):
    """A function that runs the command; it returns its exit status and what it printed."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["netsurgery", "track", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main.main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out + printed.err

    return run


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """Two finished searches; the listing of the configuration has a third that never began."""
    results = tmp_path_factory.mktemp("logged") / "results"
    settings = json.loads(result_settings_json(SETTINGS))
    for name in "st":
        example(results, name=name, settings=settings).track("final")
    searches = [
        {"name": name, "settings": SETTINGS | {"seeds": [0]}, "layers": [], "original": "digits"}
        for name in "stu"
    ]
    write_json(results / "searches.json", {"scale": 1.0, "searches": searches})
    return results


@pytest.mark.parametrize("lost", ["_tracking", "_tracking/s.seed0.json", "mlflow.db"])
def test_nothing_is_missing_or_doubled_after_a_loss(logged, track, tmp_path, lost):
    results = shutil.copytree(logged, tmp_path / "results")
    path = results / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    code, printed = track(results)
    assert not code
    said = [line for line in printed.splitlines() if " points" in line]
    points = read_json(results / "s" / "seed0" / "tracked.json")["points"]
    assert said == [f"{name}/seed0: 7 runs, {points} points" for name in "st"]
    assert len(runs_of(results)) == 14
    assert dump(results) == dump(logged)


@pytest.mark.parametrize("content", [b"", None], ids=["empty", "cut off"])
def test_a_damaged_store_is_set_aside(logged, track, tmp_path, content):
    results = shutil.copytree(logged, tmp_path / "results")
    store = results / "mlflow.db"
    store.write_bytes(store.read_bytes()[:5000] if content is None else content)
    code, printed = track(results)
    assert not code
    assert f"{store}: damaged (" in printed
    assert store.with_name("mlflow.db.damaged").exists()
    assert dump(results) == dump(logged)


def test_a_removed_search_does_not_keep_the_others_back(logged, track, tmp_path):
    results = shutil.copytree(logged, tmp_path / "results")
    shutil.rmtree(results / "s")
    (results / "mlflow.db").unlink()
    code, printed = track(results)
    assert code
    assert "t/seed0: 7 runs" in printed
    assert f"s/seed0: {results}/s/seed0/" in printed
    assert len(runs_of(results)) == 7


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_without_searches_is_one_line(track, tmp_path, exists):
    folder = tmp_path / "results"
    if exists:
        folder.mkdir()
    code, printed = track(folder)
    assert str(code).startswith(f"{folder}: no ")
    assert printed == ""
    assert [path.name for path in tmp_path.iterdir()] == ["results"] * exists
