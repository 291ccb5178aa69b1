"""Damaged files are found by content, reported and removed."""

import os
import sys

import pytest

from netsurgery.cli import main
from netsurgery.storage import integrity
from netsurgery.storage.files import sha256, write_checksums, write_json


@pytest.fixture
def results(tmp_path):
    """A record and its model, files with checksums elsewhere, and samples."""
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
def test_a_damaged_file_is_reported_and_removed(results, name, capsys, monkeypatch):
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
    """The workflow would regenerate only the one that its next jobs need."""
    spoil(results / FILES[spoilt])
    integrity.remove_damaged(integrity.find_damaged(results))
    assert not (results / FILES[0]).exists()
    assert not (results / FILES[1]).exists()


def test_only_future_mtimes_are_corrected(tmp_path):
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


@pytest.mark.parametrize(
    ("missing", "listed_in"),
    [(name, FILES[FILES.index(name) + 1]) for name in FILES if not name.endswith("json")],
)
def test_a_missing_file_is_reported_and_made_again(results, missing, listed_in, monkeypatch):
    """The job that makes it runs again when the file that lists it is gone."""
    (results / missing).unlink()
    (found,) = integrity.find_damaged(results)
    assert str(found) == f"{results / missing}: is missing; the next run makes it again"
    monkeypatch.setattr(sys, "argv", ["netsurgery", "verify", str(results)])
    with pytest.raises(SystemExit, match="1 damaged"):
        main.main()
    integrity.remove_damaged([found])
    assert not (results / listed_in).exists()
    assert integrity.find_damaged(results) == []


def test_what_no_file_lists_may_be_missing(results):
    (results / FILES[1]).unlink()  # a record: the workflow misses it
    (results / "s/seed0/notes.txt").touch()
    assert integrity.find_damaged(results) == []


def test_verify_reports_intact_results(results, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["netsurgery", "verify", str(results)])
    main.main()
    *notes, last = capsys.readouterr().out.splitlines()
    assert last == f"{results}: 4 records and their files are intact"
    assert all("did not record what it was made from" in note for note in notes)
    monkeypatch.setattr(sys, "argv", ["netsurgery", "verify", str(results / "_data")])
    with pytest.raises(SystemExit, match="no results to check"):
        main.main()


def test_a_plan_may_list_files_of_its_own(results):
    """The plans of the Surgeon's decision points do."""
    write_json(
        results / "s" / "seed0" / "generation01" / "plan.json", {"files": ["try1/plan.json"]}
    )
    assert integrity.find_damaged(results) == []
