"""Noise on the copies of a widened layer makes them differ, and its effect is bounded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks.inference import layer_input, pre_activation, predict
from netsurgery.networks.layers import KernelLayer
from netsurgery.networks.network import Network
from netsurgery.networks.topologies import build, named
from netsurgery.surgery import (
    Mutation,
    MutationSizes,
    is_exact,
    legal_mutations,
    mutate,
    operations,
)
from tests.support.strategies import (
    SEEDS,
    SIZES,
    TOPOLOGIES,
    VARIED,
    Example,
    inputs,
    networks,
    trained,
)

ANY_KIND = networks(st.one_of(TOPOLOGIES, VARIED))
WIDENING = (operations.ADD_UNITS, operations.ADD_CHANNELS)
NOISE = st.sampled_from([0.001, 0.1, 1.0])
SLACK = 1e-5  # float32 weights


def entering(network: Network, position: int, x: np.ndarray) -> np.ndarray:
    return layer_input(network, position, x)


def computed(network: Network, position: int, x: np.ndarray) -> np.ndarray:
    """What the layer at `position` computes before its activation, sample by sample."""
    layer = network.topology.layers[position]
    assert isinstance(layer, KernelLayer)
    found = pre_activation(layer, network.weights[position], entering(network, position, x))
    return found.reshape(len(x), -1)


@given(ANY_KIND, SIZES, NOISE, SEEDS)
def test_noise_stays_within_its_bound(
    example: Example, sizes: MutationSizes, noise: float, seed: int
) -> None:
    network, x = example
    for mutation in legal_mutations(network.topology, sizes, operations=WIDENING):
        if not is_exact(network.topology, mutation):
            continue
        operated = mutate(network, mutation, np.random.default_rng(seed), noise=noise)
        if np.isinf(operated.noise_bound):  # an activation jumps
            continue
        position = mutation.at(network.topology)
        consumer = network.topology.consumer(position)
        assert consumer is not None
        before, after = (computed(n, consumer, x) for n in (network, operated.network))
        change = np.linalg.norm(after - before, axis=1)
        read = np.linalg.norm(entering(network, position, x).reshape(len(x), -1), axis=1)
        rounding = SLACK * (1 + np.linalg.norm(before, axis=1))
        assert (change <= operated.noise_bound * read + rounding).all()


@given(ANY_KIND, SIZES, SEEDS)
def test_zero_noise_draws_nothing_and_has_no_bound(
    example: Example, sizes: MutationSizes, seed: int
) -> None:
    network, x = example
    for mutation in legal_mutations(network.topology, sizes, operations=WIDENING):
        plain = mutate(network, mutation, np.random.default_rng(seed))
        silent = mutate(network, mutation, np.random.default_rng(seed), noise=0.0)
        assert plain.noise_bound == silent.noise_bound == 0
        np.testing.assert_array_equal(predict(plain.network, x), predict(silent.network, x))


@pytest.mark.parametrize(
    "mutation", [Mutation(operations.ADD_CHANNELS, 0), Mutation(operations.ADD_UNITS, 9)]
)
def test_noise_changes_only_copies_and_in_proportion(mutation: Mutation) -> None:
    network = trained(build(named("cnn-medium"), (9, 9, 1), 4), np.random.default_rng(0))
    position = mutation.at(network.topology)
    exact, little, much = (
        mutate(network, mutation, np.random.default_rng(1), noise=noise).network
        for noise in (0.0, 0.01, 0.1)
    )
    width = network.topology.output_shapes[position][-1]
    for child, noise in ((little, 0.01), (much, 0.1)):
        changed = [
            i
            for i, (one, other) in enumerate(zip(exact.weights, child.weights, strict=True))
            if any(not np.array_equal(a, b) for a, b in zip(one, other, strict=True))
        ]
        assert changed == [position]
        old, new = exact.weights[position][0], child.weights[position][0]
        np.testing.assert_array_equal(new[..., :width], old[..., :width])
        copies = old[..., width:].reshape(-1, old.shape[-1] - width)
        drawn = (new - old)[..., width:].reshape(copies.shape)
        sizes = np.linalg.norm(drawn, axis=0) / np.linalg.norm(copies, axis=0)
        np.testing.assert_allclose(sizes, noise, rtol=1e-3)


def test_bound_grows_with_the_noise_and_is_tight() -> None:
    network = trained(build(named("ff-medium"), (8,), 4), np.random.default_rng(0))
    mutation, x = (
        Mutation(operations.ADD_UNITS, 0),
        inputs(network.topology, np.random.default_rng(1), 500),
    )
    reader = network.topology.consumer(0)
    assert reader is not None
    reached = []
    for noise in (0.01, 0.1):
        operated = mutate(network, mutation, np.random.default_rng(2), noise=noise)
        change = computed(operated.network, reader, x) - computed(network, reader, x)
        worst = (np.linalg.norm(change, axis=1) / np.linalg.norm(x, axis=1)).max()
        reached.append(worst / operated.noise_bound)
    assert all(0.2 < part <= 1 for part in reached)
    np.testing.assert_allclose(reached[0], reached[1], rtol=0.2)
