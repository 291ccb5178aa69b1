"""What was damaged is found by its content, named, and taken away."""

import os
import sqlite3
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsurgery.cli import main
from netsurgery.storage import integrity, mlflow_sqlite
from netsurgery.storage.files import (
    DamagedFileError,
    read_json,
    sha256,
    to_checksummed_json,
    write_checksums,
    write_json,
)
from netsurgery.storage.mlflow_sqlite import DIGEST

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)  # fmt: skip
MAPPINGS = st.dictionaries(st.text(max_size=8).filter(lambda k: k != "checksum"), VALUES)


@settings(max_examples=60)
@given(MAPPINGS, st.data())
def test_whatever_is_sealed_is_read_back_and_no_changed_byte_goes_unnoticed(
    tmp_path_factory, value, data
):
    path = tmp_path_factory.mktemp("sealed") / "a.json"
    content = to_checksummed_json(value)
    path.write_bytes(content)
    assert read_json(path) == value
    at = data.draw(st.integers(0, len(content) - 1))
    flipped = content[at] ^ (1 << data.draw(st.integers(0, 7)))
    for changed in (content[:at], content[:at] + bytes([flipped]) + content[at + 1 :]):
        path.write_bytes(changed)
        with pytest.raises(DamagedFileError, match=r"a\.json: damaged"):
            read_json(path)


@pytest.mark.parametrize("content", ["", "[]", "3", '{"a": 1}', '{"checksum": 3}', "{", "\xff"])
def test_what_was_never_sealed_is_damaged(tmp_path, content):
    (tmp_path / "a.json").write_text(content, encoding="latin-1")
    with pytest.raises(DamagedFileError):
        read_json(tmp_path / "a.json")


@pytest.fixture
def results(tmp_path):
    """A folder with one of each: a record and its model, a file that is vouched for, samples."""
    root = tmp_path / "results" / "s" / "seed0"
    (root / "generation01").mkdir(parents=True)
    model = root / "generation01" / "a.keras"
    model.write_bytes(b"weights")
    write_json(model.with_suffix(".json"), {"model_sha256": sha256(model)})
    (root / "split.npz").write_bytes(b"indices")
    write_checksums(root / "split.json", root / "split.npz")
    (root / "final").mkdir()
    (root / "lineage.csv").write_text("rows")
    write_checksums(root / "final" / "summary.json", root / "lineage.csv")
    data = tmp_path / "results" / "_data" / "d"
    data.mkdir(parents=True)
    (data / "x.npy").write_bytes(b"samples")
    write_checksums(data / "data.json", data / "x.npy")
    return tmp_path / "results"


FILES = (
    "s/seed0/generation01/a.keras",
    "s/seed0/generation01/a.json",
    "s/seed0/split.npz",
    "s/seed0/split.json",
    "s/seed0/lineage.csv",
    "s/seed0/final/summary.json",
    "_data/d/x.npy",
    "_data/d/data.json",
)


def spoil(path):
    path.write_bytes(path.read_bytes()[:-1] + b"?")


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named_and_taken_away(results, name, capsys, monkeypatch):
    assert integrity.find_damaged(results) == []
    spoil(results / name)
    (found,) = integrity.find_damaged(results)
    assert found.path == results / name
    monkeypatch.setattr(sys, "argv", ["netsurgery", "verify", str(results)])
    with pytest.raises(SystemExit, match="1 damaged"):
        main.main()
    assert capsys.readouterr().out.startswith(f"{results / name}: damaged (")
    integrity.remove_damaged([found])
    assert not (results / name).exists()
    assert integrity.find_damaged(results) == []


@pytest.mark.parametrize("spoilt", [0, 1])
def test_a_damaged_record_and_its_model_go_together(results, spoilt):
    """Of the two the workflow misses only what its next jobs ask for."""
    spoil(results / FILES[spoilt])
    integrity.remove_damaged(integrity.find_damaged(results))
    assert not (results / FILES[0]).exists()
    assert not (results / FILES[1]).exists()


def test_what_is_dated_in_the_future_is_of_today_and_nothing_else_is_touched(tmp_path):
    dates = {"old": 100.0, "new": 500.0, "tomorrow": 2000.0}
    for name, date in dates.items():
        (tmp_path / "s").mkdir(exist_ok=True)
        (tmp_path / "s" / name).touch()
        os.utime(tmp_path / "s" / name, (date, date))
    assert integrity.clamp_future_mtimes(tmp_path, 1000.0) == 1
    assert {p.name: p.stat().st_mtime for p in (tmp_path / "s").iterdir()} == dates | {
        "tomorrow": 1000.0
    }
    assert integrity.clamp_future_mtimes(tmp_path, 1000.0) == 0


def test_a_file_that_is_not_there_is_no_damage(results):
    (results / FILES[0]).unlink()
    assert integrity.find_damaged(results) == []


def test_results_as_they_were_written_are_said_to_be(results, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["netsurgery", "verify", str(results)])
    main.main()
    assert capsys.readouterr().out == (f"{results}: 4 records and their files are intact\n")
    monkeypatch.setattr(sys, "argv", ["netsurgery", "verify", str(results / "_data")])
    with pytest.raises(SystemExit, match="no results to check"):
        main.main()


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
def store(results):
    """A store with one run, in those columns of MLflow's that count."""
    points = {("loss", 0.5, 1), ("loss", 0.25, 2)}
    digest = mlflow_sqlite.digest({"netsurgery.seed": "0"}, {"budget": "3"}, points, "FINISHED")
    path = results / "mlflow.db"
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
def test_a_run_that_is_not_what_was_logged_is_found_and_the_store_set_aside(
    results, store, statement
):
    assert integrity.find_damaged(results) == []
    change(store, statement)
    (found,) = integrity.find_damaged(results)
    assert found.path == store
    assert "s/seed0" in str(found)
    integrity.remove_damaged([found])
    assert not store.exists()
    assert store.with_name("mlflow.db.damaged").exists()


def test_notes_of_users_are_no_damage(results, store):
    change(store, "UPDATE tags SET value = 'other' WHERE key = 'mlflow.note'")
    change(store, f"UPDATE tags SET value = '' WHERE key = '{DIGEST}'")  # being logged
    change(store, "UPDATE metrics SET value = 7")
    assert integrity.find_damaged(results) == []


def test_a_store_that_is_cut_off_is_damaged(results, store):
    content = store.read_bytes()
    for length in (0, 10, len(content) // 2):
        store.write_bytes(content[:length])
        assert [each.path for each in integrity.find_damaged(results)] == [store], length


def test_a_plan_may_name_files_of_its_own(results):
    """As those of the Surgeon's decision points do."""
    write_json(
        results / "s" / "seed0" / "generation01" / "plan.json", {"files": ["try1/plan.json"]}
    )
    assert integrity.find_damaged(results) == []
