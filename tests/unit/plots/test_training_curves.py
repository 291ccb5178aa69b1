"""Plots over epochs, for searches made by hand."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.text import Annotation

from netsurgery import plots
from netsurgery.plots.layout import LABEL, SLANT
from netsurgery.search.records import Status
from tests.support.plotted_searches import (
    BATCHES,
    annotations,
    boxes,
    bred,
    curve,
    deep,
    entries,
    family,
    start,
    summary,
)


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
    failed = bred(root, "g01c00", "add_units", 3, 0.3, None, status=Status.DIVERGED)
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


def test_an_exploding_loss_does_not_flatten_other_curves():
    root = start(2.0, 1.5, 1.0)
    others = [bred(root, f"g01c{i:02d}", "identity", None, *[0.9] * 5) for i in range(1, 9)]
    wild = bred(root, "g01c09", "add_units", 1, 1e30, None, status=Status.DIVERGED)
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


@pytest.mark.parametrize("epochs", [1, 2, 4])
def test_labels_of_few_operations_do_not_overlap(epochs):
    records, _, headline = deep(3, 2, epochs)
    figure = plots.plot_accuracy("s", records, headline)
    shown, found = boxes(figure, legends=False)
    labels = [box for text, box in zip(shown, found, strict=True) if text.get_text()[0] in "+−"]  # noqa: RUF001
    for i, (left, bottom, _, top) in enumerate(labels):
        for lower_left, lower_bottom, right, upper in labels[:i]:
            assert left > right or lower_left > right or bottom > upper or lower_bottom > top
