"""What plots show, for searches made by hand."""

import csv
import io
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.text import Annotation, Text

from netsurgery import plots
from netsurgery.analysis.lineage_table import read_lineage
from netsurgery.jobs import __main__ as jobs
from netsurgery.plots import evolution
from netsurgery.plots.family_tree import FamilyTree
from netsurgery.plots.layout import LABEL, SLANT, TITLE, spread, stack, text_width
from netsurgery.plots.style import OPERATION_STYLES
from netsurgery.search import outcome
from netsurgery.search.layout import SearchFolder
from netsurgery.search.records import DEGENERATE, DIVERGED, OK, Record
from netsurgery.storage.files import write_json, write_text
from tests.support import factories

BATCHES = 10  # per epoch
HARD_NAME = "a_b <i> & $x_1$ {c} \\d"
PLOTS = ("accuracy", "size", "family_tree")


def entries(first, *values):
    """A history that starts after epoch `first`."""
    return tuple(
        {"epoch": first + i + 1.0, "loss": v, "accuracy": v, "val_loss": v, "val_accuracy": v}
        for i, v in enumerate(values)
    )


def start(*values, **fields):
    """The starting topology."""
    known = {"parameters": 1000, "batches_trained": BATCHES * len(values)} | fields
    return Record(
        **{
            "candidate": "g00c00",
            "parent": None,
            "operation": None,
            "position": None,
            "generation": 0,
            "step": "warm-up",
            "topology": {},
            "batches_per_epoch": BATCHES,
            "batches_spent": known["batches_trained"],
            "history": entries(0, *values),
            "score": values[-1],
        }
        | known
    )


def bred(parent, candidate, operation, position, *values, status=OK, grown=0):
    """An offspring after one training step of an epoch per value."""
    return replace(
        parent,
        candidate=candidate,
        parent=parent.candidate,
        operation=operation,
        position=position,
        generation=parent.generation + 1,
        step="phase1/round1/slot0",
        parameters=parent.parameters + grown,
        batches_trained=parent.batches_trained + BATCHES * len(values),
        batches_spent=BATCHES * len(values),
        history=entries(parent.epochs_trained, *values),
        score=values[-1] if values else None,
        status=status,
    )


def summary(final, records, metric="val_accuracy", **fields):
    """The summary of a search."""
    return {
        "algorithm": "ectonas",
        "dataset": "digits",
        "topology": "cnn-small",
        "mode": None,
        "greediness": 1.0,
        "budget": 100,
        "seed": 7,
        "objective": metric,
        "candidate": final.candidate,
        "status": final.status,
        "generations": final.generation,
        "candidates": len({record.candidate for record in records}),
        "start_parameters": 1000,
        "parameters": final.parameters,
        "val_score": final.score,
        "epochs_trained": final.epochs_trained,
        "epochs_spent": sum(record.epochs_spent for record in records),
        "test_score": 0.875,
        "test_accuracy": 0.875,
        "test_loss": 0.25,
    } | fields


def family():
    """Two generations; one candidate diverged, one was born degenerate."""
    root = start(0.2, 0.4, 0.5)
    winner = bred(root, "g01c01", "add_units", 3, 0.45, 0.6, grown=20)
    final = bred(winner, "g02c00", "remove_conv_cell", 0, 0.3, 0.7, grown=-200)
    records = [
        root,
        bred(root, "g01c00", "identity", None, 0.5, 0.55),
        winner,
        bred(root, "g01c02", "add_dense", 5, 0.4, None, status=DIVERGED, grown=50),
        bred(root, "g01c03", "add_channels", 0, status=DEGENERATE, grown=70),
        final,
        bred(winner, "g02c01", "identity", None, 0.6, 0.65),
    ]
    # as after training in a later round, and in the final step
    records.append(
        replace(
            final,
            step="final",
            batches_trained=final.batches_trained + BATCHES,
            batches_spent=BATCHES,
            history=(*final.history, *entries(final.epochs_trained, 0.8)),
            score=0.8,
        )
    )
    rows = outcome.lineage(records, {"g00c00", "g01c01", "g02c00", "g02c01"}, "g02c00")
    return records, rows, summary(records[-1], records)


def deep(generations, children, epochs):
    """A large search whose every second candidate of a generation breeds."""
    parents = [start(*np.linspace(0.1, 0.6, 10))]
    records = list(parents)
    survivors = {"g00c00"}
    operations = [name for name in OPERATION_STYLES if name]
    for generation in range(1, generations + 1):
        born: list[Record] = []
        for parent in parents:
            for i in range(children):
                name = f"g{generation:02d}c{len(born):02d}"
                operation = operations[i % len(operations)]
                values = np.linspace(0.5, 0.6 + 0.3 * i / children, epochs)
                born.append(bred(parent, name, operation, i, *values, grown=100 * i))
        records += born
        parents = [born[-1], born[len(born) // 2]]
        survivors |= {parent.candidate for parent in parents}
    final = parents[0]
    rows = outcome.lineage(records, survivors, final.candidate)
    return records, rows, summary(final, records)


def draw(search, records, rows, headline):
    """All plots of a search, by name."""
    return {
        "accuracy": plots.plot_accuracy(search, records, headline),
        "size": plots.plot_size(search, records, headline),
        "family_tree": plots.plot_family_tree(search, rows, headline),
    }


def boxes(figure, legends=True):
    """Every text that is shown, and its box in pixels: left, bottom, right, top."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    texts = [*figure.texts, *figure.axes[0].texts]
    if legends:  # they are laid out when they are drawn
        figure.draw(renderer)
        texts += [text for legend in figure.legends for text in legend.get_texts()]
    shown = [text for text in texts if text.get_text()]
    for text in shown:
        text.get_window_extent(renderer)  # an annotation finds its place
    # of the text alone, without the line that leads to it
    return shown, np.array([Text.get_window_extent(text, renderer).extents for text in shown])


def curve(figure):
    """The points of the winner's line."""
    return np.asarray(figure.axes[0].lines[-1].get_xydata()).tolist()


def annotations(figure):
    """Annotated epochs, by text."""
    return {
        text.get_text(): text.xy[0]
        for text in figure.axes[0].texts
        if isinstance(text, Annotation) and text.xy[1] == 1
    }


@pytest.fixture(scope="module")
def large():
    """Over 400 candidates."""
    search = deep(15, 14, 5)
    assert len(search[1]) > 400
    return search


def test_operations_of_the_lineage_are_labelled_at_their_epoch():
    records, _, headline = family()
    labels = annotations(plots.plot_accuracy("s", records, headline))
    assert labels == {"+ units (layer 3)": 3.0, "− conv cell (layer 0)": 5.0}  # noqa: RUF001


def test_sizes_are_shown_with_the_operations_that_change_them():
    records, _, headline = family()
    figure = plots.plot_size("s", records, headline)
    assert annotations(figure) == {
        "+ units (layer 3) → 1,020": 3.0,
        "− conv cell (layer 0) → 820": 5.0,  # noqa: RUF001
    }
    assert curve(figure) == [[0, 1000], [3, 1020], [5, 820], [8, 820]]


def test_the_lineage_curve_joins_ancestors_at_each_operation():
    records, _, headline = family()
    values = [0.2, 0.4, 0.5, 0.45, 0.6, 0.3, 0.7, 0.8]
    points = [[epoch, value] for epoch, value in enumerate(values, start=1)]
    assert curve(plots.plot_accuracy("s", records, headline)) == points


def test_other_candidates_start_from_their_parent():
    records, _, headline = family()
    axes = plots.plot_accuracy("s", records, headline).axes[0]
    (curves,) = (c for c in axes.collections if isinstance(c, LineCollection))
    firsts = {tuple(points[0]) for points in curves.get_segments()}
    assert firsts == {(3.0, 0.5), (5.0, 0.6)}


def test_later_training_of_a_parent_is_not_its_childrens():
    root = start(0.2, 0.4)
    failed = bred(root, "g01c00", "add_units", 3, 0.3, None, status=DIVERGED)
    # the whole generation failed, so the rest of the budget went into the parent
    final = replace(
        root,
        step="final",
        batches_trained=4 * BATCHES,
        batches_spent=2 * BATCHES,
        history=entries(0, 0.2, 0.4, 0.6, 0.7),
    )
    records = [root, failed, final]
    figure = plots.plot_accuracy("s", records, summary(final, records))
    (curves,) = (c for c in figure.axes[0].collections if isinstance(c, LineCollection))
    assert curves.get_segments()[0].tolist()[:2] == [[2.0, 0.4], [3.0, 0.3]]
    assert curve(figure) == [[1, 0.2], [2, 0.4], [3, 0.6], [4, 0.7]]


def test_the_tree_shows_every_candidate_and_every_parent():
    _, rows, headline = family()
    tree = FamilyTree(rows, headline["candidate"])
    axes = plots.plot_family_tree("s", rows, headline).axes[0]
    nodes = {tuple(spot) for c in axes.collections for spot in np.asarray(c.get_offsets())}
    assert set(tree.positions.values()) <= nodes
    assert len(set(tree.positions.values())) == len(rows)
    ends = {
        tuple(np.asarray(path.vertices)[-1])
        for c in axes.collections
        for path in c.get_paths()
        if np.asarray(path.codes).take(-1) == path.CURVE4  # those of nodes are closed
    }
    assert ends == {tree.positions[row["candidate"]] for row in rows if row["parent"]}
    columns = {row["candidate"]: row["generation"] for row in rows}
    for name, (x, _) in tree.positions.items():
        assert x == columns[name] * tree.step


def test_the_tree_distinguishes_winners_and_failed_candidates():
    _, rows, headline = family()
    texts = {t.get_text(): t for t in plots.plot_family_tree("s", rows, headline).axes[0].texts}
    bold = {text.split()[0] for text, t in texts.items() if t.get_fontweight() == "bold"}
    assert bold == {"g00c00", "g01c01", "g02c00", "g02c01"}
    assert {"diverged · 1,050", "degenerate · 1,070", "g02c00  0.800 · 820"} <= set(texts)


def test_a_large_tree_has_no_overlaps(large):
    _, rows, headline = large
    tree = FamilyTree(rows, headline["candidate"])
    assert len(set(tree.positions.values())) == len(rows)
    figure = plots.plot_family_tree("s", rows, headline)
    _, found = boxes(figure, legends=False)
    lower, upper = found[:, None, :2], found[:, None, 2:]
    overlap = (lower < upper.swapaxes(0, 1)) & (upper > lower.swapaxes(0, 1))
    assert overlap.all(axis=2).sum() == len(found)  # each with itself


@pytest.mark.parametrize(("generations", "epochs"), [(15, 5), (34, 1)])
def test_labels_of_many_operations_do_not_overlap(generations, epochs):
    records, _, headline = deep(generations, 2, epochs)
    figure = plots.plot_size("s", records, headline)
    boxes(figure, legends=False)
    labels = [t for t in figure.axes[0].texts if isinstance(t, Annotation) and t.xy[1] == 1]
    assert len(labels) == generations
    spots = [label.get_transform().transform(label.xyann)[0] for label in labels]
    steps = [(b - a) * np.sin(SLANT) * 72 / figure.dpi for a, b in pairwise(spots)]
    assert min(steps) > LABEL * 1.3


@pytest.mark.parametrize("metric", ["val_accuracy", "val_loss"])
def test_nothing_is_cut_off(large, metric):
    small = family()
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
    rows = outcome.lineage(records, {"g00c00"}, "g00c00")
    drawn = draw("plain", records, rows, summary(records[-1], records))
    assert curve(drawn["accuracy"]) == [[1, 0.2], [2, 0.4], [3, 0.5]]
    assert curve(drawn["size"]) == [[0, 1000], [3, 1000]]
    assert "g00c00  0.500 · 1,000" in [t.get_text() for t in drawn["family_tree"].axes[0].texts]
    for figure in (drawn["accuracy"], drawn["size"]):
        assert not annotations(figure)


def test_a_diverged_candidate_is_marked_at_its_last_value():
    records, _, headline = family()
    figure = plots.plot_accuracy("s", records, headline)
    marks = figure.axes[0].collections
    points = {tuple(point) for c in marks for point in np.asarray(c.get_offsets())}
    # the diverged one after its first epoch; the degenerate one, never trained, at its parent's end
    assert {(4.0, 0.4), (3.0, 0.5)} <= points
    assert np.isfinite(figure.axes[0].get_ylim()).all()
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "diverged" in labels


@pytest.mark.parametrize("values", [(0.5, None), (None,)])
def test_a_diverged_baseline_is_plotted(values, tmp_path):
    record = start(*values, status=DIVERGED)
    records = [record, replace(record, step="final", batches_spent=0)]
    rows = outcome.lineage(records, {"g00c00"}, "g00c00")
    headline = summary(records[-1], records, test_score=None)
    for name, figure in draw("plain", records, rows, headline).items():
        plots.save_figure(figure, tmp_path / f"{name}.svg")
    words = [text.get_text() for text in plots.plot_accuracy("plain", records, headline).texts]
    assert any("test accuracy not finite (diverged)" in text for text in words)


def test_an_exploding_loss_does_not_flatten_other_curves():
    root = start(2.0, 1.5, 1.0)
    others = [bred(root, f"g01c{i:02d}", "identity", None, *[0.9] * 5) for i in range(1, 9)]
    wild = bred(root, "g01c09", "add_units", 1, 1e30, None, status=DIVERGED)
    final = bred(root, "g01c00", "identity", None, 0.8, 0.7)
    records = [root, *others, wild, final]
    axes = plots.plot_accuracy("s", records, summary(final, records, "val_loss")).axes[0]
    top = axes.get_ylim()[1]
    assert top < 3
    assert (4.0, top) in {tuple(p) for c in axes.collections for p in np.asarray(c.get_offsets())}


def test_very_different_sizes_use_a_logarithmic_scale():
    root = start(0.5)
    for grown, scale in ((5_000, "linear"), (50_000, "log")):
        final = bred(root, "g01c00", "add_dense", 1, 0.6, grown=grown)
        records = [root, final]
        assert plots.plot_size("s", records, summary(final, records)).axes[0].get_yscale() == scale


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
    rows = outcome.lineage(records, {"g00c00", "g01c00"}, "g01c00")
    drawn = draw("s", records, rows, summary(final, records))
    assert "split layer (layer 2)" in annotations(drawn["accuracy"])
    keys = [text.get_text() for text in drawn["family_tree"].legends[0].get_texts()]
    assert "split layer" in keys


def test_spread_keeps_the_gap_and_moves_as_little_as_possible():
    assert list(spread([0, 5, 10], 2)) == [0, 5, 10]
    assert list(spread([4, 4, 20], 2)) == [3, 5, 20]
    assert list(spread([], 2)) == []
    crowded = spread([1, 1, 1, 2, 2.5, 9], 1)
    assert min(np.diff(crowded)) >= 1 - 1e-9


def test_stacked_texts_avoid_each_other_and_leader_lines():
    assert stack([], []) == []
    assert stack([0, 10], [5, 5]) == [0, 0]
    assert stack([0, 4, 8], [5, 5, 5]) == [2, 1, 0]
    assert stack([0, 4, 30], [5, 5, 5]) == [1, 0, 0]
    # the first one reaches over the second to the third
    assert stack([0, 4, 8], [9, 2, 5]) == [1, 0, 0]


@pytest.mark.parametrize("epochs", [1, 2, 4])
def test_labels_of_few_operations_do_not_overlap(epochs):
    records, _, headline = deep(3, 2, epochs)
    figure = plots.plot_accuracy("s", records, headline)
    shown, found = boxes(figure, legends=False)
    labels = [box for text, box in zip(shown, found, strict=True) if text.get_text()[0] in "+−"]  # noqa: RUF001
    for i, (left, bottom, _, top) in enumerate(labels):
        for lower_left, lower_bottom, right, upper in labels[:i]:
            assert left > right or lower_left > right or bottom > upper or lower_bottom > top


@pytest.fixture
def finished(tmp_path) -> SearchFolder:
    """The files of a finished baseline."""
    folder = SearchFolder(tmp_path / "results" / "plain" / "seed7")
    record = start(0.2, 0.4, 0.5)
    final = replace(record, step="final", batches_spent=0)
    write_json(folder.record(0, "warm-up"), record.to_json())
    write_json(folder.final / "network.json", final.to_json())
    write_json(folder.final / "summary.json", summary(final, [record, final]))
    table = io.StringIO()
    writer = csv.DictWriter(table, outcome.LINEAGE_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(outcome.lineage([record, final], {"g00c00"}, "g00c00"))
    write_text(folder.lineage, table.getvalue())
    return folder


def test_a_lineage_table_is_read_as_it_was_written(tmp_path):
    _, rows, _ = family()
    path = tmp_path / "lineage.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, outcome.LINEAGE_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    assert read_lineage(path) == rows


def test_the_plot_command_writes_all_plots(finished, monkeypatch):
    for kind in ("svg", "png"):
        command = ["jobs", "plot_search", "--folder", str(finished.root), "--format", kind]
        monkeypatch.setattr(sys, "argv", command)
        jobs.main()
    written = {path.name for path in (finished.root / "plots").iterdir()}
    expected = {f"{name}.{kind}" for name in PLOTS for kind in ("svg", "png")}
    assert written == {*expected, "checksums.json"}


def test_the_summary_has_a_row_per_search_and_seed(finished, tmp_path):
    other = SearchFolder(tmp_path / "results" / "a&b" / "seed1")
    record = start(0.25)
    headline = summary(record, [record], seed=1, test_accuracy=None, test_score=None)
    write_json(other.final / "summary.json", headline)
    output = Path(tmp_path, "summary.csv")
    plots.write_summary_table([str(finished.root), str(other.root)], output)
    with output.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [(row["search"], row["seed"], row["test_accuracy"]) for row in rows]
    assert names == [("plain", "7", "0.875"), ("a&b", "1", "")]
    page = output.with_suffix(".html").read_text(encoding="utf-8")
    assert "a&amp;b" in page
    assert "0.875" in page
    assert "nan" not in page


# --- plots of experiments ----------------------------------------------------------------------


def texts(figure):
    return [found.get_text() for found in figure.findobj(Text) if found.get_text()]


def test_the_evolution_shows_each_topology_change_once():
    layers = [
        factories.start("ff-small"),
        factories.start("ff-medium"),
        factories.start("ff-medium"),
    ]
    first = layers[0]
    second = replace(
        layers[1], candidate="g01c01", parent="g00c00", operation="add_dense", position=2, score=0.7
    )
    same = replace(second, candidate="g02c00", parent="g01c01", operation="identity", position=None)
    figure = evolution.plot_evolution("t", [first, second, same])
    shown = texts(figure)
    assert shown.count("I") == 2
    assert "epoch 10: + dense layer (layer 2)" in shown
    assert not any("identity" in text for text in shown)
    assert evolution.layer_widths(second) == [("dense", "10"), ("dense", "10")]
    assert evolution.layer_widths(factories.start("cnn-large"))[0] == ("conv", "3")
