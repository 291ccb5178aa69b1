"""The comparison of Arbor with gradient boosting on tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import tables


def test_searches_are_compared_with_gradient_boosting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        "datasets: {wine: {source: sklearn, name: wine}}\n"
        "searches: {small: {dataset: wine, budget: 9, max_parameters: 400}}\n"
    )
    tables.main([str(config), "--seeds", "1", "--set", "budget=5"])
    *_, line = capsys.readouterr().out.splitlines()
    _, name, network, trees, _, parameters, _, _ = line.split("|")
    assert name.strip() == "small"
    assert float(network.split()[0]) > 60
    assert float(trees.split()[0]) > 80
    assert 100 < float(parameters) < 400
