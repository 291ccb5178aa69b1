"""The comparison of precisions, on a tiny network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks import precision

TINY = ((8, 8, 3), (*precision.cells(2), precision.Flatten(), precision.OUTPUT))


def test_times_of_both_precisions_are_measured() -> None:
    found = precision.times(precision.Topology(*TINY), batch=4)
    assert found.keys() == {"float32", "bfloat16"}
    assert min(found.values()) > 0


def test_a_row_says_what_is_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "times", lambda topology: {"float32": 0.003, "bfloat16": 0.002})
    one, other = {"batch": 0.004}, {"batch": 0.001}
    speed = precision.Speed({"float32": one, "bfloat16": other})
    row = precision.row_of("tiny", precision.Topology(*TINY), speed)
    assert row == "| tiny | 3.0 (4.0) | 2.0 (1.0) | 1.50 | bfloat16 |"


def test_accuracies_after_training_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60, dtype=np.uint8) % 2
    x = rng.integers(0, 100, (60, 8, 8, 3), dtype=np.uint8) + 100 * y[:, None, None, None]
    np.savez(tmp_path / "images.npz", x_train=x, y_train=y, x_test=x[:20], y_test=y[:20])
    monkeypatch.setitem(precision.NETWORKS, "tiny", TINY)
    monkeypatch.setattr(precision, "BATCH", 10)
    ((one, other),) = precision.accuracies("tiny", tmp_path / "images.npz", epochs=30, seeds=1)
    assert min(one, other) > 0.8
