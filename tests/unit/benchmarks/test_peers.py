"""The comparison with other tools: its split, its tables and its plot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.peers import data_sets, report, results, table
from benchmarks.peers.results import Result


def result(peer: str, seed: int, accuracy: float | None, parameters: int | None = 1000) -> Result:
    note = "10 epochs" if accuracy is not None else "exit code 1: out of memory"
    return Result("digits", seed, peer, 20.0, 21.0, 30.0, 35.0, accuracy, parameters, note)


def test_runs_become_tables_and_a_plot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [
        result("recipe", 0, 0.95),
        result("recipe", 1, 0.97),
        result("boosting", 0, 0.9, None),
        result("tpe", 0, None),
    ]
    for each in runs:
        results.write(tmp_path, each)
    (tmp_path / "runs" / "digits-arbor-seed0.part").write_text("{")  # of a killed process
    report.main([str(tmp_path)])
    text = (tmp_path / "comparison.md").read_text()
    assert capsys.readouterr().out == text
    assert "| network and recipe by hand | 96.0 (95.0-97.0) |" in text
    assert (
        "| digits | network and recipe by hand | 2 | 96.0 (95.0-97.0) | 1,000 | 21 | 30 |" in text
    )
    assert "| digits | gradient boosting | 1 | 90.0 | - |" in text
    assert table.TITLES["tpe"] not in text
    assert (tmp_path / "comparison.png").read_bytes().startswith(b"\x89PNG")


def test_a_report_without_runs_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        report.main([str(tmp_path)])
    assert "no results in" in capsys.readouterr().err


def test_a_split_is_one_of_all_samples(tmp_path: Path) -> None:
    for seed in (0, 1):
        data_sets.make("digits", tmp_path, tmp_path / str(seed), seed)
    first, second = (dict(np.load(tmp_path / str(seed) / "arrays.npz")) for seed in (0, 1))
    assert [len(first[f"y_{part}"]) for part in data_sets.PARTS] == [1293, 144, 360]
    together = [
        np.concatenate([each[f"x_{part}"] for part in data_sets.PARTS]) for each in (first, second)
    ]
    one, other = (np.unique(x.reshape(len(x), -1), axis=0, return_counts=True) for x in together)
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])
    assert not np.array_equal(first["x_test"], second["x_test"])


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(data_sets.NotHereError, match=r"mnist10k\.npz is missing"):
        data_sets.make("mnist", tmp_path, tmp_path / "split", 0)
