"""New units and channels whose outgoing weights are zero: nothing changes until they learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks.blocks import Parallel, Residual
from netsurgery.networks.inference import layer_input, predict
from netsurgery.networks.layers import Activation, BatchNorm, Conv, Dense, Flatten, GlobalPool
from netsurgery.networks.topology import Topology
from netsurgery.surgery import (
    Mutation,
    MutationSizes,
    is_exact,
    legal_mutations,
    mutate,
    operations,
)
from netsurgery.surgery.channel_groups import channel_groups
from netsurgery.surgery.settings import Growth
from tests.support.random_networks import branched, inputs, trained, varied
from tests.support.strategies import SEEDS, SIZES
from tests.support.surgery_helpers import assert_computes_the_same, generator

WIDENING = (operations.ADD_UNITS, operations.ADD_CHANNELS)
CELL = (BatchNorm(), Activation())
GATE = Parallel(((), (GlobalPool(), Dense(2), Dense(4, "sigmoid"))), "multiply")
BODIES = (Residual((Conv(3), *CELL, Conv(4))), Residual((Conv(4),)))  # one reads what it writes
STAGE = Topology((6, 6, 2), (Conv(4), *CELL, *BODIES, GATE, Flatten(), Dense(2)))
GROWN = Mutation(operations.ADD_CHANNELS, 0, 7)


@given(st.sampled_from([branched, varied]), SIZES, SEEDS, st.booleans())
def test_growth_by_zeros_keeps_the_output(
    drawn: type, sizes: MutationSizes, seed: int, calibrated: bool
) -> None:
    rng = generator(seed)
    network = trained(drawn(rng), rng)
    x = inputs(network.topology, rng)
    for mutation in legal_mutations(network.topology, sizes, operations=WIDENING):
        if is_exact(network.topology, mutation):
            samples = x if calibrated else None
            grown = mutate(network, mutation, rng, growth=Growth.ZEROS, calibration=samples)
            assert_computes_the_same(grown.network, network, x)
            assert grown.noise_bound == 0


def test_old_weights_stay_and_new_ones_are_drawn() -> None:
    network = trained(STAGE, generator())
    child = mutate(network, GROWN, generator(1), growth=Growth.ZEROS).network
    group = channel_groups(STAGE).owned(0)
    assert len(group.writers) == len(group.readers) == 4
    for i, (old, new) in enumerate(zip(network.weights, child.weights, strict=True)):
        for one, other in zip(old, new, strict=True):
            corner = tuple(map(slice, one.shape))
            if one.shape[0] != 144:  # the kernel behind the flatten layer holds pixels
                np.testing.assert_array_equal(other[corner], one)
        if i in group.writers:
            fresh = new[0][..., 4:]
            limit = np.sqrt(6 / (np.prod(fresh.shape[:-2]) * (fresh.shape[-2] + 7)))
            assert 0.5 * limit < np.abs(fresh).max() <= limit
            drawn = fresh[..., :4, :] if i in group.readers else fresh
            assert len(np.unique(drawn)) == drawn.size
            assert not new[1][4:].any()
        if i in group.readers:
            kernel = new[0].reshape(-1, 7, new[0].shape[-1])
            assert not kernel[:, 4:].any()
            assert kernel[:, :4].all()


def test_new_channels_are_normalized_as_the_samples_are() -> None:
    network, x = trained(STAGE, generator()), inputs(STAGE, generator(2), 100)
    plain, calibrated = (
        mutate(network, GROWN, generator(1), growth=Growth.ZEROS, calibration=samples).network
        for samples in (None, x)
    )
    for child in (plain, calibrated):
        gamma, beta, *_ = child.weights[1]
        np.testing.assert_array_equal(gamma[4:], 1)
        np.testing.assert_array_equal(beta[4:], 0)
    np.testing.assert_array_equal(plain.weights[1][2][4:], 0)
    entering = layer_input(calibrated, 1, x)[..., 4:].reshape(-1, 3)
    np.testing.assert_allclose(calibrated.weights[1][2][4:], entering.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(calibrated.weights[1][3][4:], entering.var(axis=0), rtol=1e-5)
    for old, new in zip(network.weights[1], calibrated.weights[1], strict=True):
        np.testing.assert_array_equal(new[:4], old)


def test_slots_of_new_weights_are_zero() -> None:
    network = trained(STAGE, generator())
    slots = {
        "m": tuple(
            tuple(np.ones_like(array) for array in arrays[: layer.trainable_arrays])
            for layer, arrays in zip(STAGE.layers, network.weights, strict=True)
        )
    }
    result = mutate(network, GROWN, generator(1), growth=Growth.ZEROS, slots=slots)
    before = sum(array.size for arrays in slots["m"] for array in arrays)
    after = [array for arrays in result.slots["m"] for array in arrays]
    assert sum(array.size for array in after) == result.network.topology.parameters > before
    assert sum(array.sum() for array in after) == before


@pytest.mark.parametrize("growth", Growth)
def test_growth_does_not_change_what_removal_does(growth: Growth) -> None:
    network, x = trained(STAGE, generator()), inputs(STAGE, generator(2), 30)
    narrowed = Mutation(operations.REMOVE_CHANNELS, 0)
    found = mutate(network, narrowed, calibration=x, growth=growth).network
    np.testing.assert_array_equal(
        predict(found, x), predict(mutate(network, narrowed, calibration=x).network, x)
    )


def test_noise_is_for_copies_alone() -> None:
    network = trained(STAGE, generator())
    mutation = Mutation(operations.ADD_CHANNELS, "3.body.0")
    assert mutate(network, mutation, noise=0.1).noise_bound > 0
    assert mutate(network, mutation, noise=0.1, growth=Growth.ZEROS).noise_bound == 0


def test_growth_may_be_named_by_its_text() -> None:
    network = trained(STAGE, generator())
    one, other = (
        mutate(network, GROWN, generator(1), growth=growth).network
        for growth in ("zeros", Growth.ZEROS)
    )
    for old, new in zip(one.weights, other.weights, strict=True):
        assert all(map(np.array_equal, old, new))
    with pytest.raises(ValueError, match="'zeroes' is not a valid Growth"):
        mutate(network, GROWN, growth="zeroes")
