"""The recommendation module (Surgeon, section 3.2)."""

from dataclasses import replace

import numpy as np
import pytest

from netsurgery.networks import costs
from netsurgery.networks.blocks import Residual
from netsurgery.networks.layers import Dense
from netsurgery.networks.network import Network, initialise
from netsurgery.networks.topologies import build
from netsurgery.networks.topology import Topology
from netsurgery.search.size_limit import SizeLimits
from netsurgery.search.surgeon.analysis import (
    Analysis,
    MissingValues,
    Thresholds,
    analyse,
    principal_components,
)
from netsurgery.search.surgeon.recommendation import (
    DrawMode,
    DrawSettings,
    TieBreak,
    draw,
    recommend,
)
from netsurgery.surgery import Mutation, mutate, mutate_topology, operations

PAPER = Thresholds(0.005, 0.3)
NOT_MANY = 8_000_000
BY_TYPE = DrawSettings(DrawMode.BY_TYPE, top_k=7, add_random_candidate=True)


def dense(*units, inputs=12):
    """A topology of hidden dense layers; they stand at positions 0, 1, ..."""
    return build([{"dense": {"units": n}} for n in units], (inputs,), 10, "linear")


def analysed(topology, *values):
    """An analysis that has these singular values for the hidden layers, in order."""
    hidden = [
        Analysis(i, topology.input_shapes[i][0], topology.layers[i].units, tuple(found))
        for i, found in enumerate(values)
    ]
    return topology, hidden


def ranked(*branches, tie_break=TieBreak.FEWER, thresholds=PAPER, most=NOT_MANY):
    return recommend(branches, thresholds, tie_break, SizeLimits(most))


def scores(found, operation):
    return {each.mutation.position: each.score for each in found if of(each) == operation}


def of(each):
    return each.mutation.operation.name


def values(count, below):
    """So many singular values, some of them below the absolute threshold."""
    return [1.0] * (count - below) + [0.2] * below


def test_every_kernel_has_singular_values():
    network = initialise(dense(5, 8), np.random.default_rng(0))
    found = analyse(network)
    assert [(a.position, a.inputs, a.units) for a in found] == [(0, 12, 5), (1, 5, 8), (2, 8, 10)]
    for layer, arrays in zip(found, network.weights, strict=True):
        expected = np.linalg.svd(arrays[0], compute_uv=False)
        np.testing.assert_allclose(layer.singular_values, expected, rtol=1e-5)
        assert list(layer.singular_values) == sorted(layer.singular_values, reverse=True)


def test_a_unit_that_adds_nothing_is_found_removable():
    network = initialise(dense(5, 8), np.random.default_rng(0))
    kernel, bias = network.weights[0]
    copied = np.concatenate([kernel[:, :4], kernel[:, :1]], axis=1)
    flat = Network(network.topology, ((copied, bias), *network.weights[1:]))
    assert analyse(network)[0].removable(PAPER) == 0
    assert analyse(flat)[0].removable(PAPER) == 1


@pytest.mark.parametrize(
    ("found", "relative", "absolute", "removable"),
    [
        ([3.0, 1.0, 0.29], 0.005, 0.3, 1),  # below eps2
        ([100.0, 1.0, 0.49], 0.005, 0.3, 1),  # below eps1 times the largest
        ([100.0, 0.5, 0.5], 0.005, 0.3, 0),  # at a threshold is not below it
        ([0.2, 0.1, 0.1], 0.005, 0.3, 3),
        ([0.2, 0.1, 0.0], 0.0, 0.0, 0),
    ],
)
def test_removable_units_are_counted_by_either_threshold(found, relative, absolute, removable):
    layer = Analysis(0, 3, 3, tuple(found))
    assert layer.removable(Thresholds(relative, absolute)) == removable


@pytest.mark.parametrize(
    ("missing", "removable", "share"), [("ignore", 3, 0.1), ("count", 3, 0.25), ("zero", 21, 0.7)]
)
def test_a_wide_layer_is_counted_as_the_search_says(missing, removable, share):
    wide = analysed(dense(30, 4), values(12, 3), values(4, 0))  # 30 units of 12 inputs
    rule = replace(PAPER, missing_values=MissingValues(missing))
    found = ranked(wide, thresholds=rule)
    assert scores(found, "remove_units")[0] == scores(found, "truncate")[0] == share
    assert scores(found, "add_units")[0] == 1 - share
    assert {e.mutation.width for e in found if of(e) == "remove_units"} >= {30 - removable}
    assert {e.mutation.width for e in found if of(e) == "truncate"} >= {9}  # whatever is missing
    assert scores(found, "remove_units")[1] == 0  # a layer that misses nothing


def test_a_wide_layer_without_information_goes_first():
    wide = analysed(dense(30, 4), values(12, 12), values(4, 0))
    first = {
        missing: scores(ranked(wide, thresholds=replace(PAPER, missing_values=missing)), name)[0]
        for missing in MissingValues
        for name in ["remove_dense"]
    }
    assert first == {"ignore": pytest.approx(0.2), "count": 1, "zero": 1}


def test_samples_say_how_many_units_a_layer_needs():
    rng = np.random.default_rng(0)
    network = initialise(dense(6, 5), rng)
    (kernel, bias), (second, shift), last = network.weights
    low = kernel[:, :2] @ rng.normal(size=(2, 6)).astype("f4")  # two directions of six
    same = np.repeat(second[:, :1], 5, axis=1)  # five times the same unit
    flat = Network(network.topology, ((low, 10 + bias), (same, 0 * shift), last))
    x = rng.normal(size=(200, 12)).astype("f4")
    found = principal_components(flat, x, 0.999999)
    assert found == {0: 2, 1: 1}  # all units of the first layer are active: it is linear
    assert principal_components(network, x, 1.0)[0] == 6
    layer = replace(analyse(flat)[0], components=found[0])
    for missing in MissingValues:
        assert layer.removable(replace(PAPER, missing_values=missing)) == 4
        assert layer.share(replace(PAPER, missing_values=missing)) == pytest.approx(4 / 6)


def test_a_layer_without_variance_needs_one_unit():
    network = initialise(dense(3), np.random.default_rng(0))
    dead = network.with_arrays({0: (network.weights[0][0], np.full(3, -1e6, "f4"))})
    assert principal_components(dead, np.ones((4, 12), "f4"), 0.99) == {0: 1}


def test_scores_are_those_of_section_3_2():
    found = ranked(analysed(dense(4, 4, 4), values(4, 1), values(4, 2), values(4, 4)))
    assert scores(found, "add_units") == {0: 0.75, 1: 0.5, 2: 0.0}
    assert scores(found, "add_dense") == pytest.approx({1: 0.75 / 3, 2: 0.5 * 2 / 3, 3: 0.0})
    assert scores(found, "remove_units") == {0: 0.25, 1: 0.5, 2: 1.0}
    assert scores(found, "remove_dense") == pytest.approx({0: 0.25 / 3, 1: 0.5 * 2 / 3, 2: 1.0})
    assert scores(found, "truncate") == {0: 0.25, 1: 0.5, 2: 1.0}
    assert scores(found, "identity") == {None: 1.0}


def test_sizes_follow_from_the_removable_units():
    topology, analysis = analysed(dense(30, 4), values(12, 5), values(4, 0))
    widths = {}
    for each in ranked((topology, analysis)):
        key = each.mutation.operation, each.mutation.position
        widths.setdefault(key, set()).add(each.mutation.width)
        assert each.parameters == mutate_topology(topology, each.mutation).parameters
    assert widths[operations.ADD_UNITS, 0] == {33, 60}  # a tenth, and ten times that
    assert widths[operations.ADD_UNITS, 1] == {6, 24}  # but at least two
    assert widths[operations.REMOVE_UNITS, 0] == {25}
    assert widths[operations.REMOVE_UNITS, 1] == {3}  # at least one
    assert widths[operations.ADD_DENSE, 1] == {30}  # behind layer 1, as wide
    assert widths[operations.ADD_DENSE, 2] == {4}
    assert widths[operations.TRUNCATE, 0] == {7}  # the singular values that count
    assert widths[operations.TRUNCATE, 1] == {3}


def test_a_layer_with_nothing_in_it_keeps_a_unit():
    found = ranked(analysed(dense(4, 4), values(4, 4), values(4, 4)))
    widths = {each.mutation.width for each in found if of(each) == "remove_units"}
    assert widths == {1}


def test_the_only_hidden_layer_stays_and_so_does_a_last_unit():
    found = ranked(analysed(dense(1), [1.0]))
    assert {of(each) for each in found} == {"identity", "add_units", "add_dense"}


def test_every_recommendation_is_legal():
    network = initialise(dense(6, 1, 5), np.random.default_rng(0))
    for each in ranked((network.topology, analyse(network))):
        child = mutate(network, each.mutation).network.topology
        assert child.parameters == each.parameters
        assert child.input_shape == network.topology.input_shape
        assert child.layers[-1] == network.topology.layers[-1]


def test_recommendations_reach_into_blocks():
    body = (Dense(6), Dense(8, "linear"))
    topology = Topology((12,), (Dense(8), Residual(body), Dense(5), Dense(3)))
    network = initialise(topology, np.random.default_rng(0))
    found = ranked((topology, analyse(network)))
    places = {each.mutation.position for each in found if of(each) == "add_units"}
    assert places == {0, "1.body.0", 2}  # the stage moves with its first layer
    assert {each.mutation.position for each in found if of(each) == "add_dense"} == {"1.body.1", 3}
    for each in found:
        child = mutate(network, each.mutation, np.random.default_rng(1)).network
        assert child.topology.parameters == each.parameters


def test_equal_scores_go_by_parameters_fewer_or_more_first():
    branch = analysed(dense(4, 4), values(4, 0), values(4, 0))
    for tie_break, sign in ((TieBreak.FEWER, 1), (TieBreak.MORE, -1)):
        found = ranked(branch, tie_break=tie_break)
        assert found == sorted(found, key=lambda e: (-e.score, sign * e.parameters))
    first = [
        next(e for e in ranked(branch, tie_break=o) if of(e) == "add_units")
        for o in (TieBreak.FEWER, TieBreak.MORE)
    ]
    assert [each.mutation.width for each in first] == [6, 24]


def test_too_large_modifications_are_left_out():
    topology = dense(4, 4)
    branch = analysed(topology, values(4, 0), values(4, 0))
    found = ranked(branch, most=topology.parameters)
    assert {of(each) for each in found} == {"identity", "remove_units", "remove_dense"}
    shrinking = ranked(branch, most=1)  # the branch itself is above the limit
    assert {of(each) for each in shrinking} == {"identity", "remove_units", "remove_dense"}
    assert all(each.parameters <= topology.parameters for each in shrinking)
    few = SizeLimits(max_multiplications=costs.multiplications(topology))
    assert recommend([branch], PAPER, TieBreak.FEWER, few) == found


def pool():
    """Recommendations of two branches; layer 2 of the second is the most superfluous."""
    first = analysed(dense(4, 4), values(4, 0), values(4, 1))
    second = analysed(dense(6, 6), values(6, 1), values(6, 5))
    return ranked(first, second)


def drawn(untried, first=True, settings=BY_TYPE, seed=0):
    return draw(untried, first, settings, np.random.default_rng(seed))


def test_drawing_by_type_takes_the_best_of_each_type():
    found = drawn(pool())
    chosen = [each for each, random in found if not random]
    assert [of(each) for each in chosen].count("identity") == 2
    assert {each.branch for each in chosen if of(each) == "identity"} == {0, 1}
    types = [of(each) for each in chosen if of(each) != "identity"]
    assert sorted(types) == ["add_dense", "add_units", "remove_dense", "remove_units", "truncate"]
    for each in chosen:
        assert each == next(e for e in pool() if of(e) == of(each) and e.branch >= each.branch)
    removal = next(each for each in chosen if of(each) == "remove_units")
    assert (removal.branch, removal.mutation.position) == (1, 1)
    assert [random for _, random in found] == [False] * 7 + [True]


def test_the_extra_one_is_any_of_the_others_and_no_identity():
    extras = {drawn(pool(), seed=seed)[-1][0] for seed in range(200)}
    chosen = {each for each, random in drawn(pool()) if not random}
    assert extras == {e for e in pool() if e not in chosen and of(e) != "identity"}
    assert len(drawn(pool(), settings=replace(BY_TYPE, add_random_candidate=False))) == 7


def test_a_redraw_takes_the_best_that_are_left_and_no_identity():
    tried = {each for each, _ in drawn(pool())}
    left = [each for each in pool() if each not in tried]
    again = drawn(left, first=False)
    assert not tried & {each for each, _ in again}
    assert "identity" not in {of(each) for each, _ in drawn(pool(), first=False)}


def test_top_takes_the_best_whatever_their_type():
    settings = DrawSettings(DrawMode.TOP, top_k=3, add_random_candidate=False)
    assert [each for each, _ in drawn(pool(), settings=settings)] == pool()[:3]


def test_nothing_left_is_nothing_drawn():
    assert drawn([]) == []


def test_a_tie_within_a_type_is_settled_alike_every_time():
    assert pool() == pool()
    assert drawn(pool(), seed=5) == drawn(pool(), seed=5)
    assert Mutation(operations.IDENTITY) in [each.mutation for each, _ in drawn(pool())]
