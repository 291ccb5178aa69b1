"""The plot of how a topology changes."""

from dataclasses import replace

from matplotlib.text import Text

from netsurgery.networks.blocks import Parallel, Residual
from netsurgery.networks.layers import Activation, BatchNorm, Conv, Dense, Flatten, Pool
from netsurgery.networks.topology import Topology
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


def test_blocks_are_drawn_as_blocks():
    block = Residual((Conv(3), BatchNorm(), Conv(4)), (Conv(4, 1),))
    pooled = Parallel(((Pool(),), (Conv(5, strides=2),)))
    row = (block, Activation("relu"), pooled, Flatten(), Dense(7), Dense(2))
    before = factories.start("ff-small")
    after = replace(before, candidate="g01c00", topology=Topology((8, 8, 2), row).to_json())
    widths = [width for _, width in evolution.layer_widths(after)]
    assert widths == [
        "3",
        "4",
        "4",
        "",
        "5",
        "",
        "7",
    ]
    shown = texts(evolution.plot_evolution("t", [before, after]))
    assert shown.count("4") == 2
    assert {"3", "5", "7", "+", "‖"} <= set(shown)
    assert "2" not in shown  # the output layer is O
