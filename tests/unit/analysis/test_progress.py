"""Runs and their progress."""

import json
from pathlib import Path

import pytest

from netsurgery.analysis import progress, runs
from netsurgery.cli import main
from netsurgery.config import loading
from netsurgery.search.layout import SearchFolder
from netsurgery.search.speed import Speed
from netsurgery.search.winners import Winners
from netsurgery.storage.files import UnusableFileError, write_json
from tests.support.experiments import write_experiment
from tests.support.factories import SCHEMA, history, start


@pytest.fixture
def experiment(tmp_path):
    return write_experiment(tmp_path)


def test_a_missing_listing_gives_advice(tmp_path):
    with pytest.raises(UnusableFileError, match=r"searches\.json: not found; run snakemake first"):
        runs.read_experiment(tmp_path)


def put(folder: SearchFolder, generation: int, step: str, **fields) -> Path:
    path = folder.record(generation, step)
    write_json(path, start(step=step, history=history(0.5), **fields).to_json())
    return path


def test_a_time_that_is_left_is_counted_in_epochs(tmp_path):
    listed = {"algorithm": "arbor", "dataset": "digits", "topology": "ff-small", "budget": "100s"}
    given_ = {"results": str(tmp_path), "searches": {"a": {**listed, "seeds": [0]}}}
    runs.write_listing(loading.load(given_, SCHEMA))
    (run,) = runs.read_experiment(tmp_path).runs
    assert progress.run_progress(run)[0].epochs_expected is None
    speed = Speed({"float32": {"batch": 0.1}, "scoring": {"batch": 0.0}}, measuring=5.0)
    first = start(batches_per_epoch=10, batches_spent=100, speed=speed)
    write_json(run.folder.winners(0), Winners.first(first).to_json())
    put(run.folder, 1, "recuperation/g01c00", batches_per_epoch=10, batches_spent=50)
    found, _ = progress.run_progress(run)
    assert (found.epochs_spent, found.epochs_expected) == (15, 95)  # a second each, 5 to measure


def test_progress_is_read_from_the_records(tmp_path):
    given_ = {
        "results": str(tmp_path),
        "searches": {
            "e": {
                "algorithm": "ectonas",
                "dataset": "digits",
                "topology": "ff-small",
                "budget": 100,
                "seeds": [0, 1],
            }
        },
    }
    runs.write_listing(loading.load(given_, SCHEMA))
    (first, second) = runs.read_experiment(tmp_path).runs
    winner = start(batches_per_epoch=10, batches_spent=100, score=0.4).to_json()
    write_json(
        first.folder.winners(0),
        {"parents": [{"record": winner, "model": "m"}], "batches_spent": 100},
    )
    put(first.folder, 1, "recuperation/g01c00", batches_per_epoch=10, batches_spent=5, score=0.45)
    last = put(
        first.folder,
        1,
        "phase1/add_units/round2/slot0",
        batches_per_epoch=10,
        batches_spent=50,
        score=0.6,
    )
    now = last.stat().st_mtime + 10
    found = progress.measure(runs.read_experiment(tmp_path), now)
    one, other = found["searches"]
    assert (one["state"], one["generation"], one["phase"]) == ("unfinished", 1, "phase 1, round 2")
    assert one["epochs_spent"] == pytest.approx(15.5)
    assert (one["epochs_expected"], one["best_score"]) == (100, 0.6)
    assert (other["state"], other["phase"], other["epochs_spent"]) == ("not started", "waiting", 0)
    assert found["epochs_left"] == pytest.approx(84.5 + 100)
    assert found["seconds_left"] == pytest.approx(184.5 / found["epochs_per_second"])
    json.dumps(found, allow_nan=False)
    # no training for a long time: the time left is unknown
    assert progress.measure(runs.read_experiment(tmp_path), now + 10_000)["seconds_left"] is None
    assert "1 min" in progress.summary_line({**found, "seconds_left": 30.0})
    assert second.state == "not started"


def command(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["netsurgery", *map(str, arguments)])
    main.main()


@pytest.mark.parametrize("name", ["report", "progress"])
def test_a_folder_without_searches_gives_one_line(name, tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match=r"searches\.json: not found; run snakemake first"):
        command(monkeypatch, name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_progress_is_printed_and_written_as_json(experiment, tmp_path, monkeypatch, capsys):
    (tmp_path / "e" / "seed2").mkdir()
    command(monkeypatch, "progress", tmp_path)
    head, row, last = capsys.readouterr().out.splitlines()
    assert head.split() == "search seed state generation phase epochs best score".split()
    assert row.split() == ["e", "2", "unfinished", "0", "start", "0.0", "of", "500", "-"]
    assert last.startswith("5 of 6 runs finished, 150 epochs spent, 500 left; about ")
    found = json.loads((tmp_path / "progress.json").read_text())
    assert (found["finished"], found["runs"]) == (5, 6)
    assert found["seconds_left"] > 0
    command(monkeypatch, "progress", tmp_path, "--all")
    assert len(capsys.readouterr().out.splitlines()) == 2 + 6
