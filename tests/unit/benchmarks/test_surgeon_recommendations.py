"""The comparison of the Surgeon's recommendations."""

from __future__ import annotations

from pathlib import Path

import pandas
import pytest
from benchmarks import surgeon_recommendations as benchmark


def test_recommendations_are_compared_and_continued(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "found.csv"
    quick = {"warm_up_epochs": 1, "decision_epochs": 1, "max_redraws": 0, "calibration_samples": 20}
    monkeypatch.setitem(
        benchmark.VARIANTS, "activations and BIC", benchmark.VARIANTS["BIC"] | quick
    )
    given = ["run", str(path), "--epochs", "2", "--seeds", "6"]
    benchmark.main([*given, "--variants", "activations and BIC"])
    (row,) = pandas.read_csv(path).to_dict("records")
    assert (row["data"], row["variant"], row["seed"]) == ("digits", "activations and BIC", 6)
    assert row["epochs"] > 2
    assert 0 <= row["test"] <= 100
    before = path.read_bytes()
    benchmark.main([*given, "--variants", "activations and BIC"])
    assert path.read_bytes() == before
    capsys.readouterr()
    benchmark.main(["table", str(path)])
    head, _, line = capsys.readouterr().out.splitlines()
    assert head.startswith("| data | recommendations | seeds")
    assert line.startswith(f"| digits | activations and BIC | 1 | {row['test']:.1f} |")
