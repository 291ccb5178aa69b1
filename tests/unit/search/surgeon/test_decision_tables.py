"""The tables and the picture of what a decision of the Surgeon rests on."""

from dataclasses import replace

import numpy as np
import pytest

from netsurgery import plots
from netsurgery.networks.network import initialise
from netsurgery.search.scores import surgeon_score
from netsurgery.search.surgeon import decision_point, decision_tables
from netsurgery.search.surgeon.analysis import Thresholds, analyse
from netsurgery.search.surgeon.branches import topology_of
from netsurgery.search.surgeon.plans import Verdict
from netsurgery.search.surgeon.settings import DecisionSettings
from netsurgery.search.surgeon.verdict import merge_tries
from netsurgery.storage.settings import from_settings
from tests.support.factories import history, search, start, winners

THRESHOLDS = Thresholds(0.005, 0.3)


@pytest.fixture(scope="module")
def decision():
    """A parent, its analysis, and a decision point with one try, in which all score alike."""
    found = search(algorithm="surgeon", topology="surgeon-medium").settings
    rules = from_settings(DecisionSettings, found)
    parent = start("surgeon-medium", (8, 8, 1), score=0.5, history=history(0.5))
    network = initialise(topology_of(parent), np.random.default_rng(0))
    analyses = {parent.candidate: analyse(network)}
    pool = decision_point.recommendations([parent], analyses, rules)
    chosen = decision_point.select_modifications([parent], pool, set(), 1, 1, rules, seed=0)
    planned = decision_point.plan_try(winners(parent), chosen, 1, 1, 0, 10_000, rules)
    records = {
        f"recuperation/{child.candidate}": replace(
            parent,
            candidate=child.candidate,
            score=0.6,
            parameters=child.parameters,
            parent_score=0.5,
            parent_parameters=parent.parameters,
        )
        for child in planned.offspring
    }
    first, second = list(records.values())[:2]
    records |= {"try1/slot0": replace(first, score=0.7), "try1/slot1": replace(second, score=0.4)}
    verdict = Verdict(generation=1, attempt=2, accepted=True, reason="", winners=("try1/slot0",))
    plan = merge_tries([planned], verdict)
    return [parent], analyses, plan, records, rules


def test_each_dense_layer_has_a_row_with_its_removable_units(decision):
    parents, analyses, _, _, rules = decision
    rows = decision_tables.layers(parents, analyses, rules)
    assert [row["layer"] for row in rows] == [1, 2, 3, ""]
    for row, layer in zip(rows, analyses["g00c00"], strict=True):
        assert row["removable"] == sum(v < row["limit"] for v in layer.singular_values)
        assert row["removable_part"] == pytest.approx(row["removable"] / row["units"])


def test_each_modification_has_a_row_with_its_outcome(decision):
    parents, analyses, plan, records, rules = decision
    rows = decision_tables.recommendations(parents, analyses, plan, records, rules)
    assert len(rows) == len(decision_point.recommendations(parents, analyses, rules))
    assert [r["recommendation"] for r in rows] == sorted(
        (r["recommendation"] for r in rows), reverse=True
    )
    tried = {row["candidate"]: row for row in rows if row["candidate"]}
    assert set(tried) == {child.candidate for child in plan.offspring}
    for row in tried.values():
        record = records[f"recuperation/{row['candidate']}"]
        assert row["try"] == 1
        assert row["gain"] == pytest.approx(0.1)
        assert row["score"] == surgeon_score(record)
    outcomes = [tried[name]["outcome"] for name in sorted(tried)]
    assert outcomes[:2] == ["branch", "trained"]
    assert set(outcomes[2:]) == {"re-trained"}
    assert tried["g01c00"]["accuracy_after_step"] == 0.7
    assert [row["drawn"] for row in tried.values()].count(True) == 1


def test_the_plot_has_a_panel_per_layer_with_both_thresholds(decision):
    _, analyses, *_ = decision
    figure = plots.plot_singular_values("s, seed 0: decision 1", analyses, THRESHOLDS)
    assert len(figure.axes) == 4
    for axes, layer in zip(figure.axes, analyses["g00c00"], strict=True):
        lines = sorted(float(line.get_ydata()[0]) for line in axes.get_lines())
        assert lines == sorted([0.3, 0.005 * layer.singular_values[0]])
        shown = axes.collections[0].get_offsets()[:, 1]
        np.testing.assert_allclose(shown, layer.singular_values)
    removable = analyses["g00c00"][1].removable(THRESHOLDS)
    assert f"{removable} of 10 removable" in figure.axes[1].get_title(loc="left")
