"""The Bayesian information criterion with the likelihood of samples."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from netsurgery.networks.network import Network, initialise
from netsurgery.networks.topologies import build
from netsurgery.search.calibration import CalibrationSamples
from netsurgery.search.size_limit import SizeLimits
from netsurgery.search.surgeon.analysis import MissingValues
from netsurgery.search.surgeon.branches import analyse_branch
from netsurgery.search.surgeon.criterion import bic, deviance
from netsurgery.search.surgeon.recommendation import TieBreak, recommend
from netsurgery.search.surgeon.settings import AnalysisSettings
from netsurgery.storage.settings import from_settings
from netsurgery.surgery import operations
from tests.unit.search.surgeon.decisions import settings

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5)).astype("f4")
CLASSES = CalibrationSamples(X, RNG.integers(3, size=40), 1000)


def network(output: str, *units: int, outputs: int = 3) -> Network:
    layers = [{"dense": {"units": each}} for each in units]
    return initialise(build(layers, (5,), outputs, output), np.random.default_rng(1))


def analysis(**changed) -> AnalysisSettings:
    return from_settings(AnalysisSettings, settings(**changed))


def test_probabilities_and_logits_have_the_same_likelihood():
    soft, logits = network("softmax", 4), network("linear", 4)
    assert deviance(soft, CLASSES) == pytest.approx(deviance(logits, CLASSES), rel=1e-5)
    even = logits.with_arrays({1: (np.zeros((4, 3), "f4"), np.zeros(3, "f4"))})
    assert deviance(even, CLASSES) == pytest.approx(2 * math.log(3))
    expected = math.log(1000) * even.topology.parameters + 1000 * 2 * math.log(3)
    assert bic(even, CLASSES) == pytest.approx(expected, rel=1e-5)


def test_labels_have_the_likelihood_of_each():
    model = network("sigmoid", 4)
    bias = np.array([0, 2, -2], "f4")
    alike = model.with_arrays({1: (np.zeros((4, 3), "f4"), bias)})
    samples = CalibrationSamples(X, np.tile(np.array([0, 1, 0], np.uint8), (40, 1)), 1000)
    expected = 2 * (math.log(2) + 2 * math.log(1 + math.exp(-2)))
    assert deviance(alike, samples) == pytest.approx(expected)


def test_numbers_have_the_likelihood_of_their_spread():
    model = network("linear", 4, outputs=2)
    exact = model.with_arrays({1: (np.zeros((4, 2), "f4"), np.zeros(2, "f4"))})
    targets = np.stack([2 * np.ones(40), 3 * np.ones(40)], axis=1)
    samples = CalibrationSamples(X, targets, 1000)
    assert deviance(exact, samples) == pytest.approx(math.log(4) + math.log(9))


def test_networks_that_are_no_numbers_are_the_last():
    broken = network("linear", 4).with_arrays({1: (np.full((4, 3), np.nan, "f4"), np.zeros(3))})
    assert deviance(broken, CLASSES) == math.inf


def test_the_criterion_breaks_ties_between_layers():
    """Between additions that change nothing the smaller one; between removals the harmless one."""
    useful = network("softmax", 6, 6)
    (first, bias), (second, shift), (last, end) = useful.weights
    # the first layer has two units that nothing reads, the second has none
    second = second.copy()
    second[4:] = 0
    made = Network(useful.topology, ((first, bias), (5 * second, shift), (9 * last, end)))
    chosen = analysis(tie_break="bic", absolute_threshold=0, relative_threshold=0)
    read = {"count": 0}

    def samples(count: int) -> CalibrationSamples:
        read["count"] = count
        return CLASSES

    found = analyse_branch(made, chosen, samples, seed=0)
    assert read["count"] == 1000
    branch = [(made.topology, found)]
    ranked = recommend(branch, chosen.thresholds, TieBreak.BIC, SizeLimits(10**6))
    for one, other in pairwise(ranked):
        assert (-one.score, one.bic) <= (-other.score, other.bic)
    removals = [e for e in ranked if e.mutation.operation == operations.REMOVE_UNITS]
    assert [each.layer for each in removals] == [1, 2]
    additions = [e for e in ranked if e.mutation.operation == operations.ADD_UNITS]
    sizes = [each.parameters for each in additions]
    assert sizes == sorted(sizes)
    by_size = recommend(branch, chosen.thresholds, TieBreak.FEWER, SizeLimits(10**6))
    assert {e.mutation for e in by_size} == {e.mutation for e in ranked}


def test_samples_are_read_only_where_they_are_needed():
    def refuse(count: int) -> CalibrationSamples:
        raise AssertionError("no samples are needed")

    made = network("softmax", 6, 6)
    plain = analyse_branch(made, analysis(missing_values=MissingValues.COUNT), refuse, 0)
    assert all(layer.components is None and not layer.bic for layer in plain)
    by_samples = analyse_branch(made, analysis(layer_score="activations"), lambda n: CLASSES, 0)
    assert [layer.components is None for layer in by_samples] == [False, False, True]
