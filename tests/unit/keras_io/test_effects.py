"""What a mutation does, in words."""

import pytest

from netsurgery.keras_io.effects import describe_change, describe_effect
from netsurgery.networks.blocks import Residual
from netsurgery.networks.layers import Conv, Dense, GlobalPool
from netsurgery.networks.topology import Topology
from netsurgery.surgery import Mutation, mutate_topology, operations

STAGE = Topology(
    (8, 8, 3),
    (Conv(4), Residual((Conv(5), Conv(4))), Residual((Conv(5), Conv(4))), GlobalPool(), Dense(2)),
)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (
            0,
            "add_channels at 0: conv 4 (3x3) is now conv 7 (3x3), and with it 1.body.1, 2.body.1",
        ),
        ("1.body.0", "add_channels at 1.body.0: conv 5 (3x3) is now conv 8 (3x3)"),
    ],
)
def test_all_layers_that_change_are_named(place, said):
    mutation = Mutation(operations.ADD_CHANNELS, place)
    child = mutate_topology(STAGE, mutation)
    assert describe_change(STAGE, child, mutation, range(len(STAGE.layers))) == said


@pytest.mark.parametrize(
    ("exact", "bound", "said"),
    [
        (True, 0.0, "exact: predictions stay the same"),
        (True, 0.5, "approximate: noise changes the next layer by at most 0.5 of its input"),
        (True, float("inf"), "approximate: predictions change"),  # an activation jumps
        (False, 0.5, "approximate: predictions change"),  # not by the noise alone
    ],
)
def test_a_bound_is_given_where_noise_is_all_that_changes(exact, bound, said):
    found = describe_effect(is_exact=exact, noise_bound=bound, projected=(), precision="")
    assert found == said
