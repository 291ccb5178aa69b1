"""Which channels must change together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from netsurgery.networks.blocks import Parallel, Residual
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    KernelLayer,
    Pool,
    Reshape,
)
from netsurgery.networks.steps import Place
from netsurgery.networks.topology import Topology
from netsurgery.surgery import IllegalMutation, Mutation, mutate_topology, operations
from netsurgery.surgery.channel_groups import channel_groups
from netsurgery.surgery.layouts import NEW, Run, Segment, occurrences, sources
from tests.support.random_networks import branched
from tests.support.strategies import SEEDS

IMAGE = (8, 8, 3)
BASIC = Residual((Conv(5), BatchNorm(), Activation(), Conv(4), BatchNorm()))
STAGE = Topology(
    IMAGE,
    (Conv(4), BASIC, BASIC, Pool(), Residual((Conv(6),), (Conv(6, 1),)), Flatten(), Dense(2)),
)


def places(topology: Topology, positions: tuple[int, ...]) -> list[Place]:
    return [topology.places[i] for i in positions]


def found(topology: Topology, place: Place) -> tuple[list[Place], list[Place], Place | None]:
    """Writers, readers and owner of the only group that the layer at a place gives."""
    (group,) = channel_groups(topology).at(topology.position(place))
    owner = None if group.owner is None else topology.places[group.owner]
    return places(topology, group.writers), places(topology, group.readers), owner


def test_a_residual_stage_is_one_group() -> None:
    writers: list[Place] = [0, "1.body.3", "2.body.3"]
    readers = ["1.body.0", "2.body.0", "4.body.0", "4.shortcut.0"]
    for place in writers:
        assert found(STAGE, place) == (writers, readers, 0)
    assert found(STAGE, "1.body.0") == (["1.body.0"], ["1.body.3"], "1.body.0")
    assert found(STAGE, "4.shortcut.0") == (["4.body.0", "4.shortcut.0"], [6], "4.body.0")


def test_a_concatenation_keeps_the_groups_of_its_rows() -> None:
    branches = Parallel(((Conv(2),), (Conv(3), BatchNorm())))
    topology = Topology(IMAGE, (branches, BatchNorm(), Flatten(), Dense(4), Dense(2)))
    assert found(topology, "0.0.0") == (["0.0.0"], [3], "0.0.0")
    assert found(topology, "0.1.0") == (["0.1.0"], [3], "0.1.0")
    layout = channel_groups(topology).entering[topology.position(3)]
    assert layout == (Run(64, (Segment(1, 2), Segment(2, 3))),)


def test_a_sum_with_a_concatenation_divides_a_layer() -> None:
    """The five channels of the body are two groups, which change at the branches."""
    branches = Parallel(((Conv(2),), (Conv(3),)))
    topology = Topology(IMAGE, (branches, Residual((Conv(5),)), GlobalPool(), Dense(2)))
    widened = mutate_topology(topology, Mutation(operations.ADD_CHANNELS, "0.0.0", 4))
    assert [layer.width for layer in widened.layers if isinstance(layer, KernelLayer)] == [
        4,
        3,
        7,
        2,
    ]
    with pytest.raises(IllegalMutation, match=r"those of the layer at 0\.0\.0 and 0\.1\.0"):
        mutate_topology(topology, Mutation(operations.ADD_CHANNELS, "1.body.0"))


def test_a_gate_changes_with_what_it_multiplies() -> None:
    gate = Parallel(((), (GlobalPool(), Dense(2), Dense(4, "sigmoid"))), "multiply")
    topology = Topology(IMAGE, (Conv(4), gate, Flatten(), Dense(2)))
    assert found(topology, 0) == ([0, "1.1.2"], ["1.1.1", 3], 0)


@pytest.mark.parametrize(
    ("row", "operation", "place", "reason"),
    [
        ((Residual((Conv(3),)), Flatten(), Dense(2)), "C", "0.body.0", "the network's input"),
        ((Flatten(), Dense(4), Residual((Dense(4),))), "U", 1, "among those of the network"),
        (STAGE.row, "C", "2.body.3", "together with those of the layer at 0: name that one"),
        (
            (Conv(2), Residual((Conv(2), Reshape((8, 8, 2)))), Flatten(), Dense(1)),
            "C",
            0,
            r"joined with those of the reshape to 8x8x2 at 1\.body\.1, which is kept",
        ),
        (
            (Parallel(((Flatten(), Dense(64)), (Conv(1), Flatten())), "add"), Dense(2)),
            "U",
            "0.0.1",
            r"the add at 0 joins its outputs with a flattened image",
        ),
    ],
)
def test_what_cannot_change_says_why(row: tuple, operation: str, place: Place, reason: str) -> None:
    widening = {"C": operations.ADD_CHANNELS, "U": operations.ADD_UNITS}[operation]
    with pytest.raises(IllegalMutation, match=reason):
        mutate_topology(Topology(IMAGE, row), Mutation(widening, place))


@given(SEEDS)
def test_layouts_hold_every_feature_of_a_layer_once(seed: int) -> None:
    topology = branched(np.random.default_rng(seed))
    groups = channel_groups(topology)
    for position, layout in enumerate(groups.leaving):
        features = topology.output_shapes[position][-1]
        held = [
            i for g in groups.at(position) for o in occurrences(layout, g.number) for i in o.flat
        ]
        assert sorted(held) == list(range(features))
        for group in groups.at(position):
            same = sources(layout, group.number, np.arange(group.width))
            np.testing.assert_array_equal(same, np.arange(features))


@given(SEEDS)
def test_every_group_has_one_owner_or_a_reason(seed: int) -> None:
    topology = branched(np.random.default_rng(seed))
    groups = channel_groups(topology)
    for group in groups.groups:
        if group.owner is not None:
            assert group.fixed is None
            assert group.owner in group.writers
            assert group.readers
            assert groups.owned(group.owner) is group
        elif group.writers and group.fixed is None:
            assert all(len(groups.at(i)) > 1 for i in group.writers)


def test_sources_follow_pixels_and_mark_what_is_new() -> None:
    layout = (Run(1, (Segment(0, 1),)), Run(2, (Segment(1, 2), Segment(2, 1))))
    index = np.array([1, NEW])
    assert sources(layout, 1, index).tolist() == [0, 2, NEW, 3, 5, NEW, 6]
    assert [each.tolist() for each in occurrences(layout, 1, 3)] == [[[1, 2, 3], [5, 6, 7]]]
