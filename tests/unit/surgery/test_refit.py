"""Removal by least squares: what it keeps exactly, and how it compares to the papers' rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks.blocks import Residual
from netsurgery.networks.inference import layer_input, pre_activation, predict
from netsurgery.networks.layers import BatchNorm, Conv, Dense, Flatten, KernelLayer
from netsurgery.networks.network import Network
from netsurgery.networks.topologies import build, named
from netsurgery.networks.topology import Topology
from netsurgery.surgery import (
    OPERATIONS,
    Mutation,
    MutationSizes,
    Operation,
    legal_mutations,
    mutate,
    mutate_topology,
    operations,
    refit,
)
from netsurgery.surgery.least_squares import prune_features
from tests.support.strategies import (
    SEEDS,
    SIZES,
    Example,
    inputs,
    networks,
    one_in,
    topologies,
    trained,
)

ALL = OPERATIONS
LESSENING = (
    operations.REMOVE_UNITS,
    operations.REMOVE_CHANNELS,
    operations.REMOVE_DENSE,
    operations.REMOVE_CONV_CELL,
    operations.TRUNCATE,
)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def assert_same(child: Network, parent: Network, x: np.ndarray, tolerance: float = 1e-4) -> None:
    expected = predict(parent, x)
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(predict(child, x), expected, rtol=0, atol=tolerance * scale)


# --- the numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "operation",
    [operations.REMOVE_UNITS, operations.REMOVE_DENSE, operations.TRUNCATE],
    ids=str,
)
def test_layout_of_calibration_samples_never_matters(operation: Operation) -> None:
    """Products of matrices in Fortran order are rounded differently."""
    topology = build([{"dense": {"units": 50}}, {"dense": {"units": 40}}], (300,), 3)
    network = trained(topology, generator())
    x = generator(1).normal(size=(64, 300)).astype(np.float32)
    (mutation, *_) = legal_mutations(topology, operations=[operation])
    layouts = [x, np.asfortranarray(x), np.ascontiguousarray(x[::-1])[::-1], x.astype(">f4")]
    child, *others = (
        mutate(network, mutation, generator(), calibration=samples).network for samples in layouts
    )
    for other in others:
        for arrays, same in zip(child.weights, other.weights, strict=True):
            for array, equal in zip(arrays, same, strict=True):
                np.testing.assert_array_equal(array, equal)


# --- what is exact --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["dense", "conv", "flatten"])
def test_redundant_units_and_channels_go_exactly(kind: str) -> None:
    """Two copies of every channel: half of them are redundant."""
    hidden = {
        "dense": [{"dense": {"units": 6}}, {"dense": {"units": 5}}],
        "conv": [{"conv_cell": {"channels": 6}}, {"conv_cell": {"channels": 4}}],
        "flatten": [{"conv_cell": {"channels": 6}}, {"dense": {"units": 5}}],
    }[kind]
    topology = build(hidden, (7,) if kind == "dense" else (8, 8, 2), 3)
    rng = generator(1)
    network, source = trained(topology, rng), np.array([0, 1, 2, 0, 1, 2])
    changed = {0: tuple(array[..., source] for array in network.weights[0])}
    if kind != "dense":
        changed[2] = tuple(array[source] for array in network.weights[2])
    network = network.with_arrays(changed)
    x = inputs(topology, rng, batch=60)
    operation = operations.REMOVE_UNITS if kind == "dense" else operations.REMOVE_CHANNELS
    child = mutate(network, Mutation(operation, 0, 3), calibration=x).network
    assert_same(child, network, inputs(topology, rng))
    assert_same(child, network, x)


@given(networks(topologies(biases=st.just(True), activations=st.just("linear"))), SEEDS)
def test_linear_dense_layers_go_exactly(example: Example, seed: int) -> None:
    network, _ = example
    x = inputs(network.topology, generator(seed), batch=30)
    for mutation in legal_mutations(network.topology, operations=[operations.REMOVE_DENSE]):
        assert_same(mutate(network, mutation, calibration=x).network, network, x)


def test_truncation_keeps_the_directions_of_most_variance() -> None:
    """Large weights of a constant input are redundant, but have large singular values."""
    rng = generator(2)
    topology = Topology((4,), (Dense(4, "linear"), Dense(3, "linear"), Dense(2, "linear")))
    network = trained(topology, rng)
    network = network.with_arrays({0: (np.diag([1, 1, 1, 100]).astype("f4"), np.zeros(4, "f4"))})
    x = rng.normal(size=(50, 4)) * [1, 1, 1, 0] + [0, 0, 0, 1]
    mutation = Mutation(operations.TRUNCATE, 0, 3)
    assert_same(mutate(network, mutation, calibration=x).network, network, x)
    plain = mutate(network, mutation).network
    assert np.abs(predict(plain, x) - predict(network, x)).max() > 0.1


# --- against the papers' rules --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cnn-small", "cnn-medium", "cnn-large", "ff-large"])
def test_least_squares_lose_less_than_the_papers_rules(name: str) -> None:
    topology = build(named(name), (12, 12, 2), 4)
    rng = generator(3)
    network = trained(topology, rng)
    calibration, x = (np.abs(inputs(topology, rng, batch=n)) for n in (150, 50))
    expected = predict(network, x)
    for mutation in legal_mutations(topology, operations=LESSENING):
        by_rule = predict(mutate(network, mutation).network, x)
        fitted = predict(mutate(network, mutation, calibration=calibration).network, x)
        lost, kept = (np.abs(found - expected).mean() for found in (by_rule, fitted))
        assert kept < lost, mutation


@one_in(2)
@given(networks(), SIZES, SEEDS)
def test_calibrated_weights_agree_with_the_topology(
    example: Example, sizes: MutationSizes, seed: int
) -> None:
    network, x = example
    before = [array.tobytes() for arrays in network.weights for array in arrays]
    for mutation in legal_mutations(network.topology, sizes, operations=ALL):
        child = mutate(network, mutation, generator(seed), calibration=x).network
        assert child.topology == mutate_topology(network.topology, mutation)
        assert child.finite
        assert {array.dtype for arrays in child.weights for array in arrays} == {np.dtype("f4")}
    assert before == [array.tobytes() for arrays in network.weights for array in arrays]


@pytest.mark.parametrize("seed", range(20))
def test_constant_units_go_without_a_trace(seed: int) -> None:
    """Rounding errors are all that varies in them: no weight may be fitted to that."""
    topology = Topology((3,), (Dense(5, "linear"), Dense(4, "linear"), Dense(2, "linear")))
    network = trained(topology, generator(seed))
    network = network.with_arrays({0: (np.zeros((3, 5), np.float32), network.weights[0][1])})
    x = inputs(topology, generator(seed + 1), batch=7)
    child = mutate(network, Mutation(operations.REMOVE_UNITS, 0), calibration=x).network
    np.testing.assert_allclose(predict(child, x), predict(network, x), rtol=1e-4, atol=1e-5)


def test_no_weight_is_fitted_to_rounding_errors() -> None:
    """Squares that cancel exactly while products do not would give weights of 1e291."""
    errors, weights = np.array([[0, 1e-17], [1e-17, 0]]), np.array([[1.0], [2.0]])
    kept, fitted = prune_features(errors, weights, 1, rounding=1e-14)
    np.testing.assert_allclose(fitted, weights[kept], rtol=0.01)


def test_next_layer_is_fitted_to_its_former_values() -> None:
    topology = build(named("cnn-medium"), (8, 8, 1), 4)
    network = trained(topology, generator(4))
    x = np.abs(inputs(topology, generator(5), batch=200))
    mutation = Mutation(operations.REMOVE_CONV_CELL, 4)
    target = pre_activation(Dense(10), network.weights[9], layer_input(network, 9, x))

    def error(child: Network) -> float:
        given_ = pre_activation(Dense(10), child.weights[5], layer_input(child, 5, x))
        return float(np.square(given_ - target).mean())

    plain = mutate(network, mutation).network
    child = mutate(network, mutation, calibration=x).network
    assert error(child) < 0.5 * error(plain)
    # the layers before the removed cell are unchanged
    assert isinstance(child.topology.layers[0], Conv)
    assert isinstance(child.topology.layers[2], BatchNorm)
    for i in range(4):
        assert child.weights[i] is network.weights[i]


def test_samples_that_are_added_later_count_as_the_first_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Layers need few, more, few and all samples: each sample passes the network once."""
    block = Residual((Conv(18, 1), Conv(8)))
    row = (Conv(6), Conv(8), block, Conv(5, 1), Flatten(), Dense(3))
    topology = Topology((6, 6, 3), row)
    network, x = trained(topology, generator()), inputs(topology, generator(1), 150)
    plain = mutate(network, Mutation(operations.REMOVE_CHANNELS, 0, 4)).network
    positions = [i for i in topology.positions(KernelLayer) if i > 0]
    counts = [refit.samples_needed(plain.topology, i, len(x)) for i in positions]
    assert counts == [32, 32, 90, 32, 150]
    started = []
    whole = refit._run_both

    def counted(networks: Any, start: Any, stop: Any, values: Any) -> Any:
        started.append(refit._count(values[0]) if start == (0, 0) else 0)
        return whole(networks, start, stop, values)

    monkeypatch.setattr(refit, "_run_both", counted)
    child = refit.refit_layers(network, plain, positions, x)
    assert sum(started) <= len(x) + 2 * refit.CHUNK  # of incomplete chunks, which run again
    expected = plain
    for i, count in zip(positions, counts, strict=True):
        taken, features = (layer_input(each, i, x[:count]) for each in (network, expected))
        layer, arrays = topology.layer(i, KernelLayer), expected.weights[i]
        wanted = pre_activation(layer, network.weights[i], taken)
        expected = expected.with_arrays({i: refit._fit(layer, arrays, features, wanted)})
    for one, other in zip(child.weights, expected.weights, strict=True):
        for array, same in zip(one, other, strict=True):
            np.testing.assert_allclose(array, same, rtol=1e-5, atol=1e-6)
