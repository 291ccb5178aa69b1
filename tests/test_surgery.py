"""What the operations keep, what they change, and where they are allowed."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsurgery.forward import predict
from netsurgery.layers import Activation, BatchNorm, Conv, Dense, Flatten, Pool, conv_cell
from netsurgery.network import Network, Topology, initialise
from netsurgery.surgery import (
    ECTONAS,
    IllegalMutation,
    Mutation,
    Operation,
    Sizes,
    edit,
    exactness,
    legal_mutations,
    operate,
    sized,
)
from netsurgery.topologies import NAMED, build, named
from tests.strategies import (
    CHANNELS,
    SEEDS,
    SIDES,
    SIZES,
    TOPOLOGIES,
    VARIED,
    Example,
    images_constant_in_blocks,
    inputs,
    networks,
    pointwise_topologies,
    topologies,
    trained,
    with_layer,
)

ROUNDING = 2e-6  # what float32 weights may change, relative to outputs of ordinary size
YES, NO, RELU = st.just(True), st.just(False), st.just("relu")
ZERO, LAST, ANY = st.just(0), st.just(-1), st.integers(0, 2)
AVERAGE_AND_MAX = ("average", "max")
CHANGES = tuple(operation for operation in Operation if operation is not Operation.IDENTITY)
GROWTH = (Operation.ADD_UNITS, Operation.ADD_CHANNELS, Operation.ADD_DENSE)

# conv cells at 0 and 4, flatten at 8, dense layers at 9, 10 and 11
CELLS = build(
    [
        {"conv_cell": {"channels": 4}},
        {"conv_cell": {"channels": 8, "pooling": "max"}},
        {"dense": {"units": 10}},
        {"dense": {"units": 30, "activation": "leaky_relu"}},
    ],
    (9, 9, 2),
    5,
)
FIRST, SECOND = conv_cell(4), conv_cell(8, pooling="max")
TAIL = [Flatten(), Dense(10), Dense(30, "leaky_relu"), Dense(5, "softmax")]


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def legal(network: Network, sizes: Sizes, *operations: Operation) -> list[Mutation]:
    return legal_mutations(network.topology, sizes, operations=operations)


def assert_computes_the_same(child: Network, parent: Network, x: np.ndarray) -> None:
    expected = predict(parent, x)
    tolerance = ROUNDING * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(predict(child, x), expected, rtol=0, atol=tolerance)


def content(network: Network) -> list[list[tuple[np.dtype, bytes]]]:
    return [[(array.dtype, array.tobytes()) for array in arrays] for arrays in network.weights]


def next_with_kernel(topology: Topology, position: int) -> int:
    return next(
        i
        for i in range(position + 1, len(topology.layers))
        if isinstance(topology.layers[i], Conv | Dense)
    )


def outgoing(network: Network, position: int) -> np.ndarray:
    """What reads the channels or units of the layer at `position`: (taps, channels, out)."""
    kernel = network.weights[next_with_kernel(network.topology, position)][0]
    width = network.topology.shapes[position + 1][-1]
    return kernel.reshape(-1, width, kernel.shape[-1])


def up_to(network: Network, position: int) -> Network:
    """The first layers of a network, the one at `position` included."""
    topology = Topology(network.topology.input_shape, network.topology.layers[: position + 1])
    return Network(topology, network.weights[: position + 1])


def hidden_layer(network: Network, choice: int) -> int:
    """The position of one of the hidden dense layers."""
    hidden = network.topology.positions(Dense)[:-1]
    return hidden[choice % len(hidden)]


# --- growth ---------------------------------------------------------------------------------------


def test_exact_growth_leaves_the_output_of_1500_networks_unchanged_to_rounding() -> None:
    """Of any arrangement of layers, with activations of any kind that numpy knows but softmax."""
    found = list(exactness.changes(range(1500)))
    assert len(found) > 5000
    assert {change.mutation.operation for change in found} == set(GROWTH)
    assert max(found, key=lambda change: change.relative).relative < ROUNDING


@given(networks(st.one_of(TOPOLOGIES, VARIED)), SIZES, SEEDS)
def test_growth_of_any_size_leaves_the_output_unchanged(
    example: Example, sizes: Sizes, seed: int
) -> None:
    network, x = example
    for mutation in legal(network, sizes, *GROWTH):
        child = operate(network, mutation, generator(seed)).network
        assert_computes_the_same(child, network, x)


@settings(max_examples=60)
@given(networks(VARIED), SIZES, SEEDS)
def test_growth_can_be_repeated_and_still_leaves_the_output_unchanged(
    example: Example, sizes: Sizes, seed: int
) -> None:
    network, x = example
    rng, grown = generator(seed), network
    for _ in range(6):
        mutations = legal(grown, sizes, *GROWTH) or [Mutation(Operation.IDENTITY)]
        grown = operate(grown, mutations[rng.integers(len(mutations))], rng).network
    assert_computes_the_same(grown, network, x)


@given(networks(VARIED), SIZES)
def test_the_identity_returns_the_same_network(example: Example, sizes: Sizes) -> None:
    network, _ = example
    identity = Mutation(Operation.IDENTITY)
    assert operate(network, identity, generator()).network is network
    assert edit(network.topology, identity) == network.topology


@given(networks(), SIZES, SEEDS)
def test_copies_read_and_normalise_like_their_source_and_share_its_outgoing_weights_unequally(
    example: Example, sizes: Sizes, seed: int
) -> None:
    network, _ = example
    for mutation in legal(network, sizes, Operation.ADD_UNITS, Operation.ADD_CHANNELS):
        position = mutation.position
        assert position is not None
        child = operate(network, mutation, generator(seed)).network
        end = next_with_kernel(network.topology, position)
        before = [array for arrays in network.weights[position:end] for array in arrays]
        after = [array for arrays in child.weights[position:end] for array in arrays]
        width, wider = before[0].shape[-1], after[0].shape[-1]
        for old, new in zip(before, after, strict=True):
            np.testing.assert_array_equal(new[..., :width], old)
        groups = [[source] for source in range(width)]
        for copy in range(width, wider):
            (source,) = (
                s
                for s in range(width)
                if all(
                    np.array_equal(new[..., copy], old[..., s])
                    for old, new in zip(before, after, strict=True)
                )
            )
            groups[source].append(copy)
        whole, shared = outgoing(network, position), outgoing(child, position)
        for source, group in enumerate(groups):
            weights = whole[:, source, :]
            np.testing.assert_allclose(
                shared[:, group, :].sum(axis=1), weights, rtol=0, atol=1e-6 * np.abs(whole).max()
            )
            for one, other in combinations(group, 2):
                assert (shared[:, one, :] != shared[:, other, :]).any(axis=0).all()


@pytest.mark.parametrize(
    ("operation", "position"), [(Operation.ADD_UNITS, 9), (Operation.ADD_CHANNELS, 0)]
)
def test_which_units_and_channels_are_copied_is_drawn(operation: Operation, position: int) -> None:
    network = trained(CELLS, generator())
    old = network.weights[position][1]
    drawn: set[float] = set()
    for seed in range(100):
        child = operate(network, Mutation(operation, position), generator(seed)).network
        drawn |= set(child.weights[position][1][len(old) :])
    assert drawn == set(old)


@given(networks(), SEEDS)
def test_a_dense_layer_is_added_with_the_width_of_its_input_and_an_activation_that_may_repeat(
    example: Example, seed: int
) -> None:
    network, _ = example
    for mutation in legal(network, Sizes(), Operation.ADD_DENSE):
        position = mutation.position
        assert position is not None
        before = network.topology.layers[position - 1]
        assert isinstance(before, Dense)
        activation = "relu" if before.activation == "relu" else "linear"
        child = operate(network, mutation, generator(seed)).network
        assert child.topology.layers[position] == Dense(before.units, activation)


# --- what every operation promises ----------------------------------------------------------------


@given(networks(VARIED), SIZES, SEEDS)
def test_every_legal_mutation_gives_the_announced_topology_and_finite_arrays(
    example: Example, sizes: Sizes, seed: int
) -> None:
    network, x = example
    for mutation in legal_mutations(network.topology, sizes):
        child = operate(network, mutation, generator(seed)).network
        assert child.topology == edit(network.topology, mutation)
        assert child.finite
        assert {array.dtype for arrays in child.weights for array in arrays} == {np.dtype("f4")}
        assert predict(child, x).shape == predict(network, x).shape


@given(networks(VARIED), SIZES, SEEDS)
def test_the_parent_is_never_changed(example: Example, sizes: Sizes, seed: int) -> None:
    network, _ = example
    topology, before = network.topology, content(network)
    for mutation in legal_mutations(network.topology, sizes):
        operate(network, mutation, generator(seed))
        assert network.topology is topology
        assert content(network) == before


@settings(max_examples=60)
@given(networks(VARIED), SIZES, SEEDS)
def test_the_same_generator_gives_the_same_child(example: Example, sizes: Sizes, seed: int) -> None:
    network, _ = example
    for mutation in legal_mutations(network.topology, sizes):
        one = operate(network, mutation, generator(seed)).network
        other = operate(network, mutation, generator(seed)).network
        assert content(one) == content(other)


@settings(max_examples=60)
@given(networks(VARIED), SIZES, SEEDS)
def test_offspring_of_offspring_stay_networks_that_can_be_operated_on(
    example: Example, sizes: Sizes, seed: int
) -> None:
    network, x = example
    rng = generator(seed)
    for _ in range(10):
        mutations = legal_mutations(network.topology, sizes)
        network = operate(network, mutations[rng.integers(len(mutations))], rng).network
    assert network.finite
    assert np.isfinite(predict(network, x)).all()


@settings(max_examples=40)
@given(networks(VARIED))
def test_an_illegal_mutation_is_refused_and_the_message_names_the_legal_places(
    example: Example,
) -> None:
    network, _ = example
    everywhere = (None, -1, *range(len(network.topology.layers) + 2))
    for operation in CHANGES:
        allowed = [m.position for m in legal(network, Sizes(), operation)]
        for position in everywhere:
            if position in allowed:
                continue
            mutation = Mutation(operation, position)
            with pytest.raises(IllegalMutation) as refused:
                operate(network, mutation, generator())
            what, _, where = str(refused.value).partition("; legal")
            assert what.startswith(f"{operation} at position {position}:")
            assert [int(place) for place in re.findall(r"\d+", where)] == allowed
            assert ("nowhere" in where) == (not allowed)


@pytest.mark.parametrize(
    ("mutation", "layers"),
    [
        (Mutation(Operation.ADD_CHANNELS, 0), [*conv_cell(7), *SECOND, *TAIL]),
        (
            Mutation(Operation.ADD_CHANNELS, 4),
            [*FIRST, *conv_cell(11, pooling="max"), *TAIL],
        ),
        (Mutation(Operation.REMOVE_CHANNELS, 0), [*conv_cell(1), *SECOND, *TAIL]),
        (Mutation(Operation.REMOVE_CONV_CELL, 0), [*SECOND, *TAIL]),
        (Mutation(Operation.REMOVE_CONV_CELL, 4), [*FIRST, *TAIL]),
        (Mutation(Operation.ADD_CONV_CELL, 0), [*conv_cell(2), *FIRST, *SECOND, *TAIL]),
        (
            Mutation(Operation.ADD_CONV_CELL, 4, pooling="max"),
            [*FIRST, *conv_cell(4, pooling="max"), *SECOND, *TAIL],
        ),
        (
            Mutation(Operation.ADD_CONV_CELL, 8, pooling="average"),
            [*FIRST, *SECOND, *conv_cell(8), *TAIL],
        ),
        (
            Mutation(Operation.ADD_UNITS, 9),
            [*FIRST, *SECOND, TAIL[0], Dense(12), *TAIL[2:]],
        ),
        (
            Mutation(Operation.ADD_UNITS, 10),
            [*FIRST, *SECOND, *TAIL[:2], Dense(33, "leaky_relu"), TAIL[3]],
        ),
        (
            Mutation(Operation.REMOVE_UNITS, 10),
            [*FIRST, *SECOND, *TAIL[:2], Dense(27, "leaky_relu"), TAIL[3]],
        ),
        (Mutation(Operation.REMOVE_DENSE, 9), [*FIRST, *SECOND, TAIL[0], *TAIL[2:]]),
        (
            Mutation(Operation.ADD_DENSE, 10),
            [*FIRST, *SECOND, *TAIL[:2], Dense(10), *TAIL[2:]],
        ),
        (
            Mutation(Operation.ADD_DENSE, 11),
            [*FIRST, *SECOND, *TAIL[:3], Dense(30, "linear"), TAIL[3]],
        ),
    ],
    ids=lambda value: f"{value.operation}-{value.position}" if isinstance(value, Mutation) else "",
)
def test_a_mutation_changes_the_layers_it_names(mutation: Mutation, layers: list) -> None:
    child = operate(trained(CELLS, generator()), mutation, generator()).network
    assert list(child.topology.layers) == layers


def test_units_change_by_a_tenth_rounded_down_but_by_two_at_least() -> None:
    assert [Sizes().units(n) for n in (1, 10, 29, 30, 39, 100)] == [2, 2, 2, 3, 3, 10]


# --- conv cells -----------------------------------------------------------------------------------


@given(pointwise_topologies(), SEEDS)
def test_an_added_conv_cell_keeps_the_output_on_images_that_are_constant_in_its_blocks(
    topology: Topology, seed: int
) -> None:
    network = trained(topology, generator(seed))
    size = 2 ** (len(topology.positions(Conv)) + 1)
    x = images_constant_in_blocks(topology, size, generator(seed))
    mutations = legal(network, Sizes(), Operation.ADD_CONV_CELL)
    assert [m.position for m in mutations] == [
        *topology.positions(Conv),
        *topology.positions(Flatten),
    ]
    for mutation in mutations:
        child = operate(network, mutation, generator(seed)).network
        assert len(child.topology.layers) == len(topology.layers) + 4
        assert_computes_the_same(child, network, x)


@given(pointwise_topologies(), SEEDS)
def test_removing_an_added_conv_cell_gives_back_the_output_on_images_constant_in_its_blocks(
    topology: Topology, seed: int
) -> None:
    network = trained(topology, generator(seed))
    size = 2 ** (len(topology.positions(Conv)) + 1)
    x = images_constant_in_blocks(topology, size, generator(seed))
    for mutation in legal(network, Sizes(), Operation.ADD_CONV_CELL):
        child = operate(network, mutation, generator(seed)).network
        removal = Mutation(Operation.REMOVE_CONV_CELL, mutation.position)
        back = operate(child, removal, generator(seed)).network
        assert back.topology == topology
        assert_computes_the_same(back, network, x)


@given(topologies(images=YES, cells=st.integers(0, 2), cell_activations=RELU, bare=NO), SEEDS)
def test_removing_a_cell_that_only_averages_before_the_dense_layers_is_exact_on_any_image(
    topology: Topology, seed: int
) -> None:
    flatten = topology.positions(Flatten)[0]
    width = topology.shapes[flatten][-1]
    network = trained(topology.insert(flatten, *conv_cell(width)), generator(seed))
    dirac = np.zeros((3, 3, width, width))
    dirac[1, 1] = np.eye(width)
    zeros, ones = np.zeros(width), np.ones(width)
    network = with_layer(network, flatten, Conv(width), dirac, zeros)
    # Keras divides by sqrt(variance + epsilon)
    neutral = np.sqrt(1.001) * ones, zeros, zeros, ones
    network = with_layer(network, flatten + 2, BatchNorm(), *neutral)
    x = np.abs(inputs(topology, generator(seed)))
    removal = Mutation(Operation.REMOVE_CONV_CELL, flatten)
    child = operate(network, removal, generator(seed)).network
    assert child.topology == topology
    assert_computes_the_same(child, network, x)


@given(topologies(images=YES, cells=st.integers(0, 2), biases=YES), CHANNELS, st.booleans(), SEEDS)
def test_removing_a_linear_cell_of_one_tap_before_the_dense_layers_is_exact_on_any_image(
    topology: Topology, width: int, use_bias: bool, seed: int
) -> None:
    rng = generator(seed)
    flatten = topology.positions(Flatten)[0]
    _, *rest = conv_cell(width, activation="linear")
    network = trained(topology.insert(flatten, Conv(width, use_bias=use_bias), *rest), rng)
    kernel, *bias = network.weights[flatten]
    one_tap = np.zeros_like(kernel)
    one_tap[1, 1] = 3 * kernel[1, 1]
    network = network.with_arrays({flatten: (one_tap, *bias)})
    removal = Mutation(Operation.REMOVE_CONV_CELL, flatten)
    child = operate(network, removal, rng).network
    assert child.topology == topology
    assert_computes_the_same(child, network, inputs(topology, rng))


@given(pointwise_topologies(st.integers(1, 3)), CHANNELS, st.integers(0, 2), SEEDS)
def test_removing_a_linear_cell_before_a_pointwise_conv_is_exact_on_images_constant_in_blocks(
    topology: Topology, width: int, choice: int, seed: int
) -> None:
    rng = generator(seed)
    convs = topology.positions(Conv)
    position = convs[choice % len(convs)]
    _, *rest = conv_cell(width, activation="linear")
    network = trained(topology.insert(position, Conv(width, 1), *rest), rng)
    x = images_constant_in_blocks(topology, 2 ** (len(convs) + 1), rng)
    child = operate(network, Mutation(Operation.REMOVE_CONV_CELL, position), rng).network
    assert child.topology == topology
    assert_computes_the_same(child, network, x - 0.5)


@given(
    topologies(images=YES, sides=st.sampled_from([4, 6, 8, 10, 12]), cells=st.just(0), biases=YES),
    CHANNELS,
    SEEDS,
)
def test_a_removed_convolution_leaves_the_sum_of_its_taps_behind(
    topology: Topology, width: int, seed: int
) -> None:
    # if all pixels weigh the same and the border is black, an output pixel's place does not matter
    rng = generator(seed)
    cell = conv_cell(width, activation="linear")
    network = trained(topology.insert(0, *cell), rng)
    dense = len(cell) + 1
    kernel, bias = network.weights[dense]
    pixels = kernel.shape[0] // width
    same = np.tile(kernel[:width], (pixels, 1)) / np.float32(np.sqrt(pixels))
    network = network.with_arrays({dense: (same, bias)})
    x = inputs(topology, rng)
    x[:, [0, -1]] = 0
    x[:, :, [0, -1]] = 0
    child = operate(network, Mutation(Operation.REMOVE_CONV_CELL, 0), rng).network
    assert child.topology == topology
    assert_computes_the_same(child, network, x)


# --- channels -------------------------------------------------------------------------------------


@st.composite
def channel_removals(
    draw: st.DrawFn,
    which: st.SearchStrategy[int],
    sides: st.SearchStrategy[int] = SIDES,
) -> tuple[Network, int, Sizes]:
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
    removed = draw(st.integers(1, topology.shapes[position + 1][-1] - 1))
    return trained(topology, generator(draw(SEEDS))), position, Sizes(channels=removed)


def without_gammas(network: Network, position: int, sizes: Sizes, seed: int) -> Network:
    """The network with gamma 0 for as many channels of a cell as are to be removed."""
    gamma, *statistics = network.weights[position + 2]
    gamma = gamma.copy()
    gamma[generator(seed).permutation(len(gamma))[: sizes.channels]] = 0
    return network.with_arrays({position + 2: (gamma, *statistics)})


@given(channel_removals(LAST), SEEDS)
def test_removing_channels_without_gamma_before_the_dense_layers_is_exact(
    removal: tuple[Network, int, Sizes], seed: int
) -> None:
    network, position, sizes = removal
    network = without_gammas(network, position, sizes, seed)
    mutation = sized(network.topology, Mutation(Operation.REMOVE_CHANNELS, position), sizes)
    child = operate(network, mutation, generator(seed)).network
    assert_computes_the_same(child, network, inputs(network.topology, generator(seed)))


@settings(max_examples=40)
@given(channel_removals(LAST), SEEDS)
def test_removing_channels_without_gamma_before_a_normalised_flatten_layer_is_exact(
    removal: tuple[Network, int, Sizes], seed: int
) -> None:
    network, position, sizes = removal
    behind = network.topology.positions(Flatten)[0] + 1
    network = trained(network.topology.insert(behind, BatchNorm()), generator(seed))
    network = without_gammas(network, position, sizes, seed)
    mutation = sized(network.topology, Mutation(Operation.REMOVE_CHANNELS, position), sizes)
    child = operate(network, mutation).network
    assert_computes_the_same(child, network, inputs(network.topology, generator(seed)))


@given(channel_removals(ZERO, sides=st.integers(6, 13)), SEEDS)
def test_removing_channels_without_gamma_before_a_convolution_is_exact_inside_the_image(
    removal: tuple[Network, int, Sizes], seed: int
) -> None:
    network, position, sizes = removal
    reader = position + 4
    topology = network.topology.insert(reader, Conv(3, kernel=3))
    network = without_gammas(trained(topology, generator(seed)), position, sizes, seed)
    mutation = sized(network.topology, Mutation(Operation.REMOVE_CHANNELS, position), sizes)
    child = operate(network, mutation, generator(seed)).network
    x = inputs(topology, generator(seed))
    found, expected = (predict(up_to(n, reader), x)[:, 1:-1, 1:-1] for n in (child, network))
    assert expected.size
    np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING * np.abs(expected).max())


@given(channel_removals(ANY))
def test_channels_of_the_smallest_gamma_go_whatever_its_sign(
    removal: tuple[Network, int, Sizes],
) -> None:
    network, position, sizes = removal
    gamma = network.weights[position + 2][0]
    strongest = sorted(range(len(gamma)), key=lambda channel: abs(gamma[channel]))[sizes.channels :]
    kept = sorted(strongest)
    mutation = sized(network.topology, Mutation(Operation.REMOVE_CHANNELS, position), sizes)
    child = operate(network, mutation).network
    for i in (position, position + 2):
        for old, new in zip(network.weights[i], child.weights[i], strict=True):
            np.testing.assert_array_equal(new, old[..., kept])
    np.testing.assert_array_equal(
        outgoing(child, position), outgoing(network, position)[:, kept, :]
    )


# --- dense layers ---------------------------------------------------------------------------------


@given(networks(topologies(biases=YES)), st.integers(0, 2), st.integers(2, 8), st.data())
def test_removing_units_that_a_linear_layer_can_spare_is_exact(
    example: Example, choice: int, units: int, data: st.DataObject
) -> None:
    network, x = example
    position = hidden_layer(network, choice)
    rng = generator(data.draw(SEEDS))
    removed, use_bias = data.draw(st.integers(1, units - 1)), data.draw(st.booleans())
    rank = data.draw(st.integers(1, units - removed))
    topology = network.topology.replace(position, Dense(units, "linear", use_bias))
    network = trained(topology, rng)
    entering = topology.shapes[position][0]
    kernel = rng.normal(size=(entering, rank)) @ rng.normal(size=(rank, units))
    kernel /= np.sqrt(entering * rank)
    bias = rng.normal(size=entering) @ kernel / np.sqrt(entering)
    network = with_layer(
        network, position, topology.layers[position], kernel, *([bias] if use_bias else [])
    )
    removal = Mutation(Operation.REMOVE_UNITS, position, units - removed)
    child = operate(network, removal, rng).network
    assert child.topology.shapes[position + 1] == (units - removed,)
    assert_computes_the_same(child, network, x)


@given(st.integers(1, 12), st.integers(2, 8), st.integers(1, 7), SEEDS)
def test_removing_units_keeps_the_largest_singular_values(
    entering: int, units: int, removed: int, seed: int
) -> None:
    removed = min(removed, units - 1)
    topology = Topology((entering,), (Dense(units, "linear"), Dense(units, "linear")))
    network = trained(topology, generator(seed))
    network = with_layer(network, 1, topology.layers[1], np.eye(units), np.zeros(units))
    removal = Mutation(Operation.REMOVE_UNITS, 0, units - removed)
    child = operate(network, removal, generator()).network
    kernel, basis = (child.weights[i][0].astype(np.float64) for i in (0, 1))
    original = network.weights[0][0].astype(np.float64)
    lost = np.linalg.svd(original, compute_uv=False)[units - removed :]
    distance = np.linalg.norm(kernel @ basis - original)
    np.testing.assert_allclose(distance, np.linalg.norm(lost), rtol=0, atol=ROUNDING)
    # the remaining units are mostly positive mixtures of the old ones, which a relu lets through
    assert (basis.sum(axis=1) > -ROUNDING).all()


@given(st.integers(2, 12), st.integers(2, 8), st.booleans(), SEEDS)
def test_truncating_gives_the_closest_layer_of_its_rank(
    entering: int, units: int, use_bias: bool, seed: int
) -> None:
    topology = Topology((entering,), (Dense(units, "relu", use_bias), Dense(3, "linear")))
    network = trained(topology, generator(seed))
    original = network.weights[0][0].astype(np.float64)
    lost = np.linalg.svd(original, compute_uv=False)
    for rank in range(1, min(entering, units)):
        child = operate(network, Mutation(Operation.TRUNCATE, 0, rank)).network
        assert child.topology.layers[0] == Dense(rank, "linear", use_bias=False)
        assert child.topology.layers[1:] == topology.layers
        first, second = (child.weights[i][0].astype(np.float64) for i in (0, 1))
        distance = np.linalg.norm(first @ second - original)
        np.testing.assert_allclose(distance, np.linalg.norm(lost[rank:]), rtol=0, atol=ROUNDING)
        for one, other in zip(child.weights[1][1:], network.weights[0][1:], strict=True):
            np.testing.assert_array_equal(one, other)


@given(networks(VARIED), SEEDS)
def test_truncating_to_the_rank_of_a_layer_is_exact(example: Example, seed: int) -> None:
    network, x = example
    rng = generator(seed)
    for mutation in legal(network, Sizes(), Operation.TRUNCATE):
        position, rank = mutation.position, mutation.width
        assert position is not None
        assert rank is not None
        kernel, *bias = network.weights[position]
        factors = rng.normal(size=(len(kernel), rank)), rng.normal(size=(rank, kernel.shape[1]))
        narrow = (factors[0] @ factors[1] / np.sqrt(rank * len(kernel))).astype(np.float32)
        parent = network.with_arrays({position: (narrow, *bias)})
        assert_computes_the_same(operate(parent, mutation).network, parent, x)


@given(networks(topologies(biases=YES)), st.integers(0, 2), st.booleans(), SEEDS)
def test_removing_a_linear_dense_layer_is_exact(
    example: Example, choice: int, use_bias: bool, seed: int
) -> None:
    network, x = example
    position = hidden_layer(network, choice)
    units = network.topology.shapes[position + 1][0]
    topology = network.topology.replace(position, Dense(units, "linear", use_bias))
    network = trained(topology, generator(seed))
    child = operate(network, Mutation(Operation.REMOVE_DENSE, position), generator(seed)).network
    assert child.topology == topology.remove(position)
    assert_computes_the_same(child, network, x)


# --- which offspring a parent has -----------------------------------------------------------------

# operations in the order of `Operation`: identity; add dense, remove dense, add units, remove
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


@pytest.mark.parametrize("name", NAMED)
def test_offspring_of_the_named_topologies_on_28x28_images(name: str) -> None:
    found = offspring(build(named(name), (28, 28, 1), 10))
    assert found == [1, *DENSE[name], *CONV.get(name, (1, 0, 0, 0))]
    assert sum(found) == TOTAL[name]


@pytest.mark.parametrize("name", NAMED)
def test_offspring_of_the_named_topologies_on_8x8_images(name: str) -> None:
    found = offspring(build(named(name), (8, 8, 1), 10))
    conv = CONV.get(name, (1, 0, 0, 0))
    if name == "cnn-small":  # 8, 4, 2, 1: nothing is left to pool
        conv = (0, 3, 3, 2)
    assert found == [1, *DENSE[name], *conv]
    assert sum(found) == (13 if name == "cnn-small" else TOTAL[name])


@pytest.mark.parametrize("name", [name for name in NAMED if name.startswith("ff")])
def test_flat_inputs_have_no_conv_operations(name: str) -> None:
    assert offspring(build(named(name), (20,), 10)) == [1, *DENSE[name], 0, 0, 0, 0]


def test_the_identity_is_the_first_of_the_offspring() -> None:
    assert legal_mutations(CELLS)[0] == Mutation(Operation.IDENTITY)


@pytest.mark.parametrize(
    ("image", "places"), [((2, 2, 1), 1), ((1, 9, 1), 0), ((9, 1, 1), 0), ((1, 1, 1), 0)]
)
def test_a_conv_cell_is_added_only_where_there_is_something_to_pool(
    image: tuple[int, int, int], places: int
) -> None:
    added = Operation.ADD_CONV_CELL
    found = legal_mutations(build(named("ff-small"), image, 2), Sizes())
    assert [m.operation for m in found].count(added) == places


def test_at_least_one_unit_and_one_channel_stay() -> None:
    def removals(units: int, channels: int) -> list[str]:
        topology = build(
            [{"conv_cell": {"channels": channels}}, {"dense": {"units": units}}], (8, 8, 1), 2
        )
        operations = (Operation.REMOVE_UNITS, Operation.REMOVE_CHANNELS)
        found = legal_mutations(topology, Sizes(units_minimum=2, channels=3))
        return [m.operation for m in found if m.operation in operations]

    assert removals(units=2, channels=3) == []
    assert removals(units=3, channels=3) == [Operation.REMOVE_UNITS]
    assert removals(units=2, channels=4) == [Operation.REMOVE_CHANNELS]


def test_a_convolution_outside_a_cell_can_change_its_channels_but_not_go() -> None:
    layers = (Conv(8, activation="relu"), Pool(), Conv(8), Activation(), Flatten(), Dense(2))
    found = legal_mutations(Topology((8, 8, 1), layers))
    conv = [m for m in found if m.operation.endswith(("conv_cell", "channels"))]
    assert conv == [
        *(
            Mutation(Operation.ADD_CONV_CELL, position, width, "average")
            for position, width in ((0, 1), (2, 8), (4, 8))
        ),
        *(Mutation(Operation.ADD_CHANNELS, position, 11) for position in (0, 2)),
        *(Mutation(Operation.REMOVE_CHANNELS, position, 5) for position in (0, 2)),
    ]


def test_the_output_layer_is_never_operated_on() -> None:
    topology = Topology((4,), (Dense(5, "softmax"),))
    assert legal_mutations(topology) == [Mutation(Operation.IDENTITY)]


# --- pooling of added cells -----------------------------------------------------------------------


def drawn_poolings(pooling: str, seed: int) -> list[str | None]:
    found = legal_mutations(CELLS, Sizes(pooling=pooling), generator(seed))
    return [m.pooling for m in found if m.operation is Operation.ADD_CONV_CELL]


def test_random_pooling_draws_both_kinds_for_each_cell_on_its_own() -> None:
    drawn = {tuple(drawn_poolings("random", seed)) for seed in range(100)}
    assert drawn == set(product(AVERAGE_AND_MAX, repeat=3))


@pytest.mark.parametrize("pooling", AVERAGE_AND_MAX)
def test_a_chosen_pooling_is_used_for_every_added_cell(pooling: str) -> None:
    assert drawn_poolings(pooling, 0) == [pooling] * 3


def test_random_pooling_without_a_generator_is_an_error() -> None:
    with pytest.raises(ValueError, match="generator"):
        legal_mutations(CELLS, Sizes(pooling="random"))


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "linear", "sigmoid", "tanh"])
def test_a_conv_cell_behind_any_activation_changes_the_output_by_its_pooling_alone(
    activation: str,
) -> None:
    """Channels that are constant over the image are left as they are by average pooling."""
    cell: dict = {"conv_cell": {"channels": 3, "activation": activation}}
    hidden = [cell, {"dense": {"units": 4}}]
    fresh = initialise(build(hidden, (8, 8, 1), 3), np.random.default_rng(0))
    constant = (np.zeros((3, 3, 1, 3), np.float32), np.array([-1, 0.5, 2], np.float32))
    network = fresh.with_arrays({0: constant})
    mutation = Mutation(Operation.ADD_CONV_CELL, 4, pooling="average")
    child = operate(network, mutation, np.random.default_rng(0)).network
    x = np.ones((1, 8, 8, 1))
    np.testing.assert_allclose(predict(child, x), predict(network, x), atol=ROUNDING)


def test_the_identity_has_no_position() -> None:
    with pytest.raises(IllegalMutation, match="no position"):
        edit(CELLS, Mutation(Operation.IDENTITY, 0))
