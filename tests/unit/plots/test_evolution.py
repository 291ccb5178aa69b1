"""The plot of how a topology changes."""

from dataclasses import replace

from matplotlib.text import Text

from netsurgery.plots import evolution
from tests.support import factories


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
