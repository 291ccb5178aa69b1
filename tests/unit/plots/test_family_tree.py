"""The plot of the family tree, for searches made by hand."""

import numpy as np
import pytest

from netsurgery import plots
from netsurgery.plots.family_tree import FamilyTree
from tests.support.plotted_searches import boxes, deep, family


@pytest.fixture(scope="module")
def large():
    """Over 400 candidates."""
    search = deep(15, 14, 5)
    assert len(search[1]) > 400
    return search


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
