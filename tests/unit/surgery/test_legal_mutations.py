"""Which mutations a topology allows."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest

from netsurgery.networks.layers import Activation, Conv, Dense, Flatten, Pool
from netsurgery.networks.presets import OF_PAPERS
from netsurgery.networks.topologies import build, named
from netsurgery.networks.topology import Topology
from netsurgery.surgery import (
    ECTONAS,
    Mutation,
    MutationSizes,
    legal_mutations,
    operations,
)
from tests.support.surgery_helpers import CELLS, generator

AVERAGE_AND_MAX = ("average", "max")

# operations in the order of `OPERATIONS`: identity; add dense, remove dense, add units, remove
# units; add conv cell, remove conv cell, add channels, remove channels
DENSE = {"ff-small": (1,) * 4, "ff-medium": (2,) * 4, "ff-large": (3,) * 4}
DENSE |= {"cnn-small": (1,) * 4, "cnn-medium": (2,) * 4, "cnn-large": (3,) * 4}
DENSE |= {"surgeon-small": (1,) * 4, "surgeon-medium": (3,) * 4, "surgeon-large": (3,) * 4}
# three channels cannot be removed from a layer of three
CONV = {"cnn-small": (4, 3, 3, 2), "cnn-medium": (3, 2, 2, 1), "cnn-large": (2, 1, 1, 0)}
TOTAL = {"ff-small": 6, "ff-medium": 10, "ff-large": 14}
TOTAL |= {"cnn-small": 17, "cnn-medium": 17, "cnn-large": 17}
TOTAL |= {"surgeon-small": 6, "surgeon-medium": 14, "surgeon-large": 14}


def offspring(topology: Topology) -> list[int]:
    found = legal_mutations(topology)
    assert len(set(found)) == len(found)
    counts = Counter(mutation.operation for mutation in found)
    return [counts[operation] for operation in ECTONAS]


@pytest.mark.parametrize("name", OF_PAPERS)
def test_offspring_of_named_topologies_on_28x28_images(name: str) -> None:
    found = offspring(build(named(name), (28, 28, 1), 10))
    assert found == [1, *DENSE[name], *CONV.get(name, (1, 0, 0, 0))]
    assert sum(found) == TOTAL[name]


@pytest.mark.parametrize("name", OF_PAPERS)
def test_offspring_of_named_topologies_on_8x8_images(name: str) -> None:
    found = offspring(build(named(name), (8, 8, 1), 10))
    conv = CONV.get(name, (1, 0, 0, 0))
    if name == "cnn-small":  # 8, 4, 2, 1: nothing is left to pool
        conv = (0, 3, 3, 2)
    assert found == [1, *DENSE[name], *conv]
    assert sum(found) == (13 if name == "cnn-small" else TOTAL[name])


@pytest.mark.parametrize("name", [name for name in OF_PAPERS if name.startswith("ff")])
def test_flat_inputs_have_no_conv_operations(name: str) -> None:
    assert offspring(build(named(name), (20,), 10)) == [1, *DENSE[name], 0, 0, 0, 0]


def test_identity_is_the_first_offspring() -> None:
    assert legal_mutations(CELLS)[0] == Mutation(operations.IDENTITY)


@pytest.mark.parametrize(
    ("image", "places"), [((2, 2, 1), 1), ((1, 9, 1), 0), ((9, 1, 1), 0), ((1, 1, 1), 0)]
)
def test_cells_are_added_only_where_pooling_is_possible(
    image: tuple[int, int, int], places: int
) -> None:
    added = operations.ADD_CONV_CELL
    found = legal_mutations(build(named("ff-small"), image, 2), MutationSizes())
    assert [m.operation for m in found].count(added) == places


def test_at_least_one_unit_and_one_channel_remain() -> None:
    def removals(units: int, channels: int) -> list[operations.Operation]:
        topology = build(
            [{"conv_cell": {"channels": channels}}, {"dense": {"units": units}}], (8, 8, 1), 2
        )
        removing = (operations.REMOVE_UNITS, operations.REMOVE_CHANNELS)
        found = legal_mutations(topology, MutationSizes(min_units_change=2, channels_change=3))
        return [m.operation for m in found if m.operation in removing]

    assert removals(units=2, channels=3) == []
    assert removals(units=3, channels=3) == [operations.REMOVE_UNITS]
    assert removals(units=2, channels=4) == [operations.REMOVE_CHANNELS]


def test_bare_convolutions_change_channels_but_stay() -> None:
    layers = (Conv(8, activation="relu"), Pool(), Conv(8), Activation(), Flatten(), Dense(2))
    found = legal_mutations(Topology((8, 8, 1), layers))
    conv = [m for m in found if m.operation.name.endswith(("conv_cell", "channels"))]
    assert conv == [
        *(
            Mutation(operations.ADD_CONV_CELL, position, width, "average")
            for position, width in ((0, 1), (2, 8), (4, 8))
        ),
        *(Mutation(operations.ADD_CHANNELS, position, 11) for position in (0, 2)),
        *(Mutation(operations.REMOVE_CHANNELS, position, 5) for position in (0, 2)),
    ]


def test_output_layer_is_never_changed() -> None:
    topology = Topology((4,), (Dense(5, "softmax"),))
    assert legal_mutations(topology) == [Mutation(operations.IDENTITY)]


def drawn_poolings(pooling: str, seed: int) -> list[str | None]:
    found = legal_mutations(CELLS, MutationSizes(pooling=pooling), generator(seed))
    return [m.pooling for m in found if m.operation is operations.ADD_CONV_CELL]


def test_random_pooling_is_drawn_for_each_cell() -> None:
    drawn = {tuple(drawn_poolings("random", seed)) for seed in range(100)}
    assert drawn == set(product(AVERAGE_AND_MAX, repeat=3))


@pytest.mark.parametrize("pooling", AVERAGE_AND_MAX)
def test_fixed_pooling_is_used_for_every_added_cell(pooling: str) -> None:
    assert drawn_poolings(pooling, 0) == [pooling] * 3


def test_random_pooling_requires_a_generator() -> None:
    with pytest.raises(ValueError, match="generator"):
        legal_mutations(CELLS, MutationSizes(pooling="random"))
