"""The pooling trials."""

import numpy as np
import pandas
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks import topologies
from netsurgery.networks.network import initialise
from netsurgery.reproduction.studies import pooling_trials, tables
from netsurgery.reproduction.studies.outputs import logits
from netsurgery.reproduction.studies.rules import LEAST_SQUARES
from tests.support.strategies import SEEDS
from tests.support.study_networks import train_study_network

MINIMAL = [{"conv": {"channels": 3}}, {"conv": {"channels": 6}}, {"dense": {"units": 10}}]


def trial(kernel, pooling="average", seed=0):
    return pooling_trials.Trial(kernel, pooling, np.random.default_rng(seed))


@given(st.integers(2, 9), st.integers(2, 9), SEEDS)
def test_pooling_rules_give_a_kernel_of_the_pooled_image(height, width, seed):
    kernel = np.random.default_rng(seed).normal(size=(height, width, 3, 2))
    for rule in pooling_trials.RULES.values():
        found = rule(trial(kernel, "max", seed))
        assert found.shape == ((height + 1) // 2, (width + 1) // 2, 3, 2)
        assert np.isfinite(found).all()


def test_rules_agree_on_constant_blocks_except_for_the_sum():
    small = np.random.default_rng(0).normal(size=(3, 2, 2, 4))
    kernel = small.repeat(2, axis=0).repeat(2, axis=1)
    for name in ("structured", "magnitude", "random"):
        np.testing.assert_allclose(pooling_trials.RULES[name](trial(kernel, "max")), small)
    np.testing.assert_allclose(pooling_trials.summed(trial(kernel)), 4 * small)


@given(SEEDS)
def test_random_rule_keeps_whole_inputs_of_their_block(seed):
    kernel = np.arange(4 * 4 * 2 * 3.0).reshape(4, 4, 2, 3)
    found = pooling_trials.random(trial(kernel, seed=seed))
    inputs_left = {tuple(weights) for weights in found.reshape(-1, 3)}
    assert inputs_left <= {tuple(weights) for weights in kernel.reshape(-1, 3)}
    assert tuple(found[1, 0, 1]) in {tuple(kernel[i, j, 1]) for i in (2, 3) for j in (0, 1)}


def test_the_largest_magnitude_keeps_its_sign():
    kernel = np.array([[-5.0, 1.0, 3.0]]).reshape(1, 3, 1, 1)
    assert pooling_trials.magnitude(trial(kernel)).ravel().tolist() == [-5, 3]


def test_least_squares_keeps_most_accuracy_in_trials():
    rows = list(pooling_trials.run_trials(train_study_network(MINIMAL, 5)))
    assert len(rows) == 11
    found = {(row["pooling"], row["rule"]): row for row in rows}
    assert found["average", LEAST_SQUARES]["right_after"] > 0.7
    assert all(0 <= row["after_epoch"] <= 1 for row in rows)
    table = tables.pooling_means(pandas.DataFrame(rows))
    assert "89.1" in tables.pooling_markdown(table)


def test_a_trial_inserts_pooling_between_convolutions():
    parent = initialise(topologies.build(MINIMAL, (8, 8, 1), 10), np.random.default_rng(0))
    child = pooling_trials.insert_pooling(parent, "max", np.zeros((4, 4, 6, 10)))
    assert [layer.kind for layer in child.topology.layers[:4]] == [
        "conv",
        "pool",
        "conv",
        "flatten",
    ]
    assert logits(child, np.ones((2, 8, 8, 1), np.float32)).shape == (2, 10)
