"""What all plots of a search have in common, and the files written."""

import sys
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib
import pytest

from netsurgery import plots
from netsurgery.jobs import __main__ as jobs
from netsurgery.plots.layout import TITLE, text_width
from netsurgery.search.lineage import lineage
from netsurgery.search.records import Status
from tests.support.plotted_searches import (
    annotations,
    boxes,
    bred,
    curve,
    deep,
    draw,
    family,
    start,
    summary,
    write_baseline,
)

HARD_NAME = "a_b <i> & $x_1$ {c} \\d"
PLOTS = ("accuracy", "size", "front", "family_tree", "structure")


@pytest.mark.parametrize("metric", ["val_accuracy", "val_loss"])
def test_nothing_is_cut_off(metric):
    small, large = family(), deep(15, 14, 5)
    for records, rows, headline in (small, large):
        drawn = draw(HARD_NAME * 3, records, rows, headline | {"objective": metric})
        for name, figure in drawn.items():
            shown, found = boxes(figure)
            width, height = figure.bbox.size
            outside = [
                text.get_text()
                for text, (left, bottom, right, top) in zip(shown, found, strict=True)
                if left < 0 or bottom < 0 or right > width or top > height
            ]
            assert not outside, name


def test_a_baseline_has_the_same_plots():
    record = start(0.2, 0.4, 0.5)
    records = [record, replace(record, step="final", batches_spent=0)]
    rows = lineage(records, {"g00c00"}, "g00c00")
    drawn = draw("plain", records, rows, summary(records[-1], records))
    assert curve(drawn["accuracy"]) == [[1, 0.2], [2, 0.4], [3, 0.5]]
    assert curve(drawn["size"]) == [[0, 1000], [3, 1000]]
    assert "g00c00  0.500 · 1,000" in [t.get_text() for t in drawn["family_tree"].axes[0].texts]
    for figure in (drawn["accuracy"], drawn["size"]):
        assert not annotations(figure)


@pytest.mark.parametrize("values", [(0.5, None), (None,)])
def test_a_diverged_baseline_is_plotted(values, tmp_path):
    record = start(*values, status=Status.DIVERGED)
    records = [record, replace(record, step="final", batches_spent=0)]
    rows = lineage(records, {"g00c00"}, "g00c00")
    headline = summary(records[-1], records, test_score=None)
    for name, figure in draw("plain", records, rows, headline).items():
        plots.save_figure(figure, tmp_path / f"{name}.svg")
    words = [text.get_text() for text in plots.plot_accuracy("plain", records, headline).texts]
    assert any("test accuracy not finite (diverged)" in text for text in words)


def test_the_same_search_gives_the_same_bytes(tmp_path):
    records, rows, headline = family()

    def written(folder):
        for name, figure in draw("s", records, rows, headline).items():
            plots.save_figure(figure, folder / f"{name}.svg")
        return [(folder / f"{name}.svg").read_bytes() for name in PLOTS]

    first = written(tmp_path / "first")
    # the user's own settings change nothing
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "svg.hashsalt": None}):
        assert written(tmp_path / "second") == first


def test_special_characters_are_shown_literally(tmp_path):
    records, rows, headline = family()
    for name, figure in draw(HARD_NAME, records, rows, headline).items():
        shown, found = boxes(figure)
        (index,) = (i for i, t in enumerate(shown) if t.get_text() == f"{HARD_NAME}, seed 7")
        drawn = (found[index, 2] - found[index, 0]) / figure.dpi
        literal = text_width(f"{HARD_NAME}, seed 7", TITLE, "bold")
        assert drawn == pytest.approx(literal, rel=0.06)  # mathematics would be set narrower
        plots.save_figure(figure, tmp_path / f"{name}.svg")
        ElementTree.parse(tmp_path / f"{name}.svg")


def test_an_unknown_operation_keeps_its_name():
    root = start(0.5)
    final = bred(root, "g01c00", "split_layer", 2, 0.6)
    records = [root, final]
    rows = lineage(records, {"g00c00", "g01c00"}, "g01c00")
    drawn = draw("s", records, rows, summary(final, records))
    assert "split layer (layer 2)" in annotations(drawn["accuracy"])
    keys = [text.get_text() for text in drawn["family_tree"].legends[0].get_texts()]
    assert "split layer" in keys


def test_the_plot_command_writes_all_plots(tmp_path, monkeypatch):
    finished = write_baseline(tmp_path)
    for kind in ("svg", "png"):
        command = ["jobs", "plot_search", "--folder", str(finished.root), "--format", kind]
        monkeypatch.setattr(sys, "argv", command)
        jobs.main()
    written = {path.name for path in (finished.root / "plots").iterdir()}
    expected = {f"{name}.{kind}" for name in PLOTS for kind in ("svg", "png")}
    assert written == {*expected, "checksums.json"}
