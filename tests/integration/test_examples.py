"""The programs of examples/, run as a reader runs them."""

import runpy
from pathlib import Path

import keras
import numpy as np

from tests.support.factories import ROOT
from tests.support.pages import blocks

PAGE = Path("docs/surgery.md")
EXAMPLE = ROOT / "examples" / "surgery.py"


def test_the_page_shows_the_example_as_it_is():
    assert blocks(PAGE, "python") == [EXAMPLE.read_text()]


def test_the_surgery_example_prints_what_the_page_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(EXAMPLE), "smaller.keras"])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    (shown,) = [text for text in blocks(PAGE, "") if text.startswith("identity ")]
    expected = [line.split() for line in shown.splitlines()]
    assert [words[:-1] for words in printed] == [words[:-1] for words in expected]

    change, *accuracies = (
        float(words[-1]) for words in printed if words[0] in ("largest", "accuracy")
    )
    assert change < 1e-5
    assert min(accuracies) > 0.9

    model = keras.models.load_model(tmp_path / "smaller.keras")
    assert model.predict(np.zeros((1, 8, 8, 1)), verbose=0).shape == (1, 10)
