"""Which channels removal keeps, and when it is exact."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks.inference import predict
from netsurgery.networks.layers import BatchNorm, Conv, Flatten
from netsurgery.networks.network import Network
from netsurgery.surgery import Mutation, MutationSizes, mutate, operations, with_default_width
from tests.support.strategies import SEEDS, SIDES, inputs, one_in, topologies, trained
from tests.support.surgery_helpers import (
    ROUNDING,
    assert_computes_the_same,
    generator,
    outgoing,
    up_to,
)

YES, NO = st.just(True), st.just(False)
ZERO, LAST, ANY = st.just(0), st.just(-1), st.integers(0, 2)


@st.composite
def channel_removals(
    draw: st.DrawFn,
    which: st.SearchStrategy[int],
    sides: st.SearchStrategy[int] = SIDES,
) -> tuple[Network, int, MutationSizes]:
    """A network of conv cells, the position of one, and how many of its channels to remove."""
    topology = draw(
        topologies(
            images=YES,
            sides=sides,
            cells=st.integers(1, 3),
            bare=NO,
            channels=st.integers(2, 6),
            biases=YES,
        )
    )
    cells = topology.positions(Conv)
    position = cells[draw(which) % len(cells)]
    removed = draw(st.integers(1, topology.output_shapes[position][-1] - 1))
    return (
        trained(topology, generator(draw(SEEDS))),
        position,
        MutationSizes(channels_change=removed),
    )


def without_gammas(network: Network, position: int, sizes: MutationSizes, seed: int) -> Network:
    """The network with gamma 0 for as many channels of a cell as the test removes."""
    gamma, *statistics = network.weights[position + 2]
    gamma = gamma.copy()
    gamma[generator(seed).permutation(len(gamma))[: sizes.channels_change]] = 0
    return network.with_arrays({position + 2: (gamma, *statistics)})


@given(channel_removals(LAST), SEEDS)
def test_channels_without_gamma_go_exactly_before_dense(
    removal: tuple[Network, int, MutationSizes], seed: int
) -> None:
    network, position, sizes = removal
    network = without_gammas(network, position, sizes, seed)
    mutation = with_default_width(
        network.topology, Mutation(operations.REMOVE_CHANNELS, position), sizes
    )
    child = mutate(network, mutation, generator(seed)).network
    assert_computes_the_same(child, network, inputs(network.topology, generator(seed)))


@one_in(2)
@given(channel_removals(LAST), SEEDS)
def test_channels_without_gamma_go_exactly_before_norm(
    removal: tuple[Network, int, MutationSizes], seed: int
) -> None:
    network, position, sizes = removal
    after_flatten = network.topology.positions(Flatten)[0] + 1
    network = trained(network.topology.insert(after_flatten, BatchNorm()), generator(seed))
    network = without_gammas(network, position, sizes, seed)
    mutation = with_default_width(
        network.topology, Mutation(operations.REMOVE_CHANNELS, position), sizes
    )
    child = mutate(network, mutation).network
    assert_computes_the_same(child, network, inputs(network.topology, generator(seed)))


@given(channel_removals(ZERO, sides=st.integers(6, 13)), SEEDS)
def test_channels_without_gamma_go_exactly_before_conv(
    removal: tuple[Network, int, MutationSizes], seed: int
) -> None:
    network, position, sizes = removal
    reader = position + 4
    topology = network.topology.insert(reader, Conv(3, kernel=3))
    network = without_gammas(trained(topology, generator(seed)), position, sizes, seed)
    mutation = with_default_width(
        network.topology, Mutation(operations.REMOVE_CHANNELS, position), sizes
    )
    child = mutate(network, mutation, generator(seed)).network
    x = inputs(topology, generator(seed))
    found, expected = (predict(up_to(n, reader), x)[:, 1:-1, 1:-1] for n in (child, network))
    assert expected.size
    np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING * np.abs(expected).max())


@given(channel_removals(ANY))
def test_channels_of_smallest_absolute_gamma_go(
    removal: tuple[Network, int, MutationSizes],
) -> None:
    network, position, sizes = removal
    gamma = network.weights[position + 2][0]
    strongest = sorted(range(len(gamma)), key=lambda channel: abs(gamma[channel]))[
        sizes.channels_change :
    ]
    kept = sorted(strongest)
    mutation = with_default_width(
        network.topology, Mutation(operations.REMOVE_CHANNELS, position), sizes
    )
    child = mutate(network, mutation).network
    for i in (position, position + 2):
        for old, new in zip(network.weights[i], child.weights[i], strict=True):
            np.testing.assert_array_equal(new, old[..., kept])
    np.testing.assert_array_equal(
        outgoing(child, position), outgoing(network, position)[:, kept, :]
    )
