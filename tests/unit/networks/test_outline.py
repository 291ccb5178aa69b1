"""Networks as indented lines."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks.blocks import Parallel, Residual
from netsurgery.networks.layers import Activation, Conv, Dense, GlobalPool
from netsurgery.networks.outline import outline
from netsurgery.networks.topology import Topology
from tests.support.random_networks import branched

GATE = Parallel(((), (GlobalPool(), Dense(3, "sigmoid"))), "multiply")


def test_the_layers_of_a_block_are_indented_below_it():
    row = (Residual((Conv(3), GATE), (Conv(3, 1),)), Activation("relu"))
    lines = [(line.depth, line.place, line.text) for line in outline(Topology((4, 4, 3), row))]
    assert lines == [
        (0, 0, "residual block: add"),
        (1, "0.body.0", "conv 3 (3x3)"),
        (1, "0.body.1", "parallel block: multiply"),
        (2, "0.body.1.1.0", "global average pool"),
        (2, "0.body.1.1.1", "dense 3 (sigmoid)"),
        (1, "0.shortcut.0", "conv 3 (1x1)"),
        (0, 1, "relu"),
    ]


@given(st.integers(0, 10**6))
def test_every_layer_has_one_line_with_its_place(seed):
    topology = branched(np.random.default_rng(seed))
    lines = outline(topology)
    assert sorted(line.position for line in lines) == list(range(len(topology.steps)))
    assert all(topology.position(line.place) == line.position for line in lines)
