"""The plot of the structure of a network, and where it draws layers."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsurgery.networks.blocks import Parallel, Residual
from netsurgery.networks.layers import Activation, BatchNorm, Conv, Dense, Flatten, GlobalPool
from netsurgery.networks.topologies import build, named
from netsurgery.networks.topology import Topology
from netsurgery.plots.structure import plot_structure
from netsurgery.plots.structure_layout import Sizes, arrange
from tests.support.plotted_searches import boxes
from tests.support.random_networks import branched

CELL = (Conv(4), BatchNorm(), Activation("relu"))
BRANCHES = Parallel(((Conv(2),), (Conv(4), Conv(2, 1)), ()))
SHAPES = {
    "a row": build(named("cnn-small"), (28, 28, 1), 10),
    "one layer": Topology((4,), (Dense(2),)),
    "residual": Topology((8, 8, 4), (Residual(CELL), Residual(CELL, (Conv(4, 1),)), Flatten())),
    "branches": Topology((8, 8, 3), (BRANCHES, GlobalPool(), Dense(2))),
    "nested": Topology((8, 8, 8), (Residual((Residual((Conv(8),)), Conv(8))),)),
    "deep": Topology((8, 8, 4), (*CELL, *[Residual((*CELL, Conv(4)))] * 12, Flatten(), Dense(3))),
}
SIZES = Sizes(lambda part: (0.2, 0.2) if part.is_join else (0.3, 1.0), 0.2, 0.3)


@pytest.mark.parametrize("name", SHAPES)
def test_every_layer_is_named_and_nothing_is_cut_off(name):
    topology = SHAPES[name]
    figure = plot_structure("A network", topology)
    shown, found = boxes(figure, legends=False)
    texts = "\n".join(text.get_text() for text in shown)
    for part in arrange(topology, SIZES).parts:
        if not part.part.is_join:
            assert f"{topology.places[part.part.position]} · " in texts
            assert str(part.part.layer) in texts
    assert f"{topology.parameters:,} parameters" in texts
    width, height = figure.bbox.size
    for left, bottom, right, top in found:
        assert left >= 0
        assert bottom >= 0
        assert right <= width
        assert top <= height
    assert max(figure.get_size_inches()) < 22  # with 25 convolutions in blocks


def test_what_follows_a_kernel_is_in_its_box():
    layout = arrange(Topology((8, 8, 3), (*CELL, *CELL, Flatten(), Dense(3))), SIZES)
    drawn = [(str(p.part.layer), len(p.part.following)) for p in layout.parts]
    assert drawn == [("conv 4 (3x3)", 2)] * 2 + [("flatten", 0), ("dense 3 (relu)", 0)]


def test_a_body_goes_straight_on_and_its_shortcut_around_it():
    layout = arrange(SHAPES["residual"], SIZES)
    body, join, *_ = layout.parts
    assert body.across == join.across == 0
    (around,) = (line for line in layout.lines if line.lane is not None)
    assert around.lane > body.across + body.width / 2
    assert around.start[0] < body.along < around.end[0] == join.along


def test_branches_lie_beside_each_other_around_the_row():
    layout = arrange(SHAPES["branches"], SIZES)
    one, two, last, *_ = layout.parts
    assert one.along == two.along < last.along
    assert one.across < 0 < two.across == last.across


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_no_two_layers_overlap(seed):
    topology = branched(np.random.default_rng(seed))
    layout = arrange(topology, SIZES)
    drawn = [i for p in layout.parts for i in range(p.part.position, p.part.last + 1)]
    assert sorted(drawn) == list(range(len(topology.steps)))
    for a, b in combinations(layout.parts, 2):
        apart = abs(a.along - b.along) >= (a.length + b.length) / 2 - 1e-9
        assert apart or abs(a.across - b.across) >= (a.width + b.width) / 2
    for placed in layout.parts:
        assert layout.left <= placed.across - placed.width / 2 + 1e-9
        assert placed.across + placed.width / 2 <= layout.right + 1e-9
        assert placed.along + placed.length / 2 <= layout.length + 1e-9
    assert all(math.isfinite(x) for line in layout.lines for x in (*line.start, *line.end))
    assert all(line.start[0] <= line.end[0] for line in layout.lines)
