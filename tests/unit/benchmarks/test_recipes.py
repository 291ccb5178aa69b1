"""The comparison of training recipes."""

from __future__ import annotations

import pytest
from benchmarks import recipes


def test_recipes_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    recipes.main(["--epochs", "2", "--seeds", "1", "the whole recipe"])
    head, _, line = capsys.readouterr().out.splitlines()
    assert head.startswith("| recipe | test accuracy")
    accuracy = float(line.split("|")[2])
    assert 30 < accuracy < 100
