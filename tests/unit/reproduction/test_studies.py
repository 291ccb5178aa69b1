"""The studies of surgery: the authors' rules, the pooling trials, the tables' arithmetic."""

import json
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery import plots
from netsurgery.datasets import Samples, Scaling
from netsurgery.networks import inference, topologies
from netsurgery.networks.layers import CONV_CELL_LENGTH
from netsurgery.networks.network import initialise
from netsurgery.reproduction.plots.fidelity import plot_drops
from netsurgery.reproduction.plots.pooling_trials import plot_trials
from netsurgery.reproduction.studies import fidelity, pooling_trials, tables, timing
from netsurgery.reproduction.studies.outputs import accuracy, change, logits
from netsurgery.reproduction.studies.published import (
    aggregate_blocks,
    apply_published_rule,
    repeat_blocks,
)
from netsurgery.reproduction.studies.rules import LEAST_SQUARES, PUBLISHED, RULES, SVD
from netsurgery.surgery import Mutation, legal_mutations, mutate_topology, operations
from tests.support.factories import ROOT
from tests.support.strategies import SEEDS, inputs, trained

NAMED = st.sampled_from(sorted(topologies.NAMED))
SIDES = st.integers(8, 17)
MINIMAL = [{"conv": {"channels": 3}}, {"conv": {"channels": 6}}, {"dense": {"units": 10}}]


def network(topology="cnn-medium", shape=(9, 11, 2), seed=0, classes=4):
    built = topologies.build(topologies.named(topology), shape, classes)
    return trained(built, np.random.default_rng(seed))


# --- the authors' rules ---------------------------------------------------------------------------


@given(NAMED, SIDES, SIDES, st.integers(1, 4), SEEDS)
def test_published_rules_give_the_mutated_topology(name, height, width, channels, seed):
    parent = network(name, (height, width, channels), seed)
    rng = np.random.default_rng(seed)
    for mutation in legal_mutations(parent.topology):
        child = apply_published_rule(parent, mutation)
        if child is None:
            continue
        if mutation.operation is not operations.REMOVE_UNITS:  # it may leave fewer
            assert child.topology == mutate_topology(parent.topology, mutation)
        assert np.isfinite(inference.predict(child, inputs(child.topology, rng))).all()


@given(SEEDS)
def test_published_growth_of_units_is_exact(seed):
    parent = network("ff-large", (6, 5, 1), seed)
    x = inputs(parent.topology, np.random.default_rng(seed))
    for mutation in legal_mutations(parent.topology, operations=[operations.ADD_UNITS]):
        child = apply_published_rule(parent, mutation)
        np.testing.assert_allclose(
            inference.predict(child, x), inference.predict(parent, x), atol=1e-5
        )


def test_published_growth_of_channels_is_not_exact():
    parent = network()
    x = inputs(parent.topology, np.random.default_rng(0))
    for mutation in legal_mutations(parent.topology, operations=[operations.ADD_CHANNELS]):
        moved = change(logits(parent, x), logits(apply_published_rule(parent, mutation), x))
        assert moved > 0.01


def test_a_published_cell_mixes_the_channels():
    child = apply_published_rule(
        network(), Mutation(operations.ADD_CONV_CELL, CONV_CELL_LENGTH, pooling="average")
    )
    kernel, _ = child.weights[CONV_CELL_LENGTH]
    assert kernel.shape == (3, 3, 3, 3)
    assert (kernel[1, 1] == 1).all()
    assert kernel.sum() == 9


@given(st.integers(1, 9), st.integers(1, 9), SEEDS, st.sampled_from(["average", "max"]))
def test_published_pooling_reverts_its_removal(height, width, seed, pooling):
    small = np.random.default_rng(seed).normal(size=((height + 1) // 2, (width + 1) // 2, 3, 2))
    larger = repeat_blocks(small, height, width)
    assert larger.shape == (height, width, 3, 2)
    np.testing.assert_allclose(aggregate_blocks(larger, pooling), small)


def test_a_published_maximum_keeps_the_sign():
    kernel = np.array([[-5.0, 1.0], [2.0, -9.0]]).reshape(2, 2, 1, 1)
    assert aggregate_blocks(kernel, "max").item() == 2
    assert aggregate_blocks(kernel, "average").item() == -2.75


def test_a_published_removal_adds_beta_to_every_bias():
    parent = network("cnn-medium")
    gamma, beta, *_ = parent.weights[CONV_CELL_LENGTH + 2]
    gone = np.argsort(gamma)[:3]
    (mutation,) = legal_mutations(parent.topology, operations=[operations.REMOVE_CHANNELS])
    child, consumer = (
        apply_published_rule(parent, mutation),
        parent.topology.consumer(CONV_CELL_LENGTH),
    )
    shift = child.weights[consumer][1] - parent.weights[consumer][1]
    np.testing.assert_allclose(shift, beta[gone].sum(), rtol=1e-5)


def test_published_rules_return_none_if_equal_to_ours():
    parent = network()
    position = parent.topology.positions(type(parent.topology.layers[-1]))[0]
    assert apply_published_rule(parent, Mutation(operations.IDENTITY)) is None
    assert apply_published_rule(parent, Mutation(operations.REMOVE_DENSE, position)) is None


# --- pooling trials -------------------------------------------------------------------------------


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


# --- real runs, small -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def samples():
    from sklearn.datasets import load_digits

    digits = load_digits()
    x, y = digits.images[..., None].astype(np.uint8), digits.target.astype(np.int32)
    scaling = Scaling(np.float32(0), np.float32(1 / 16))
    parts = np.split(np.random.default_rng(0).permutation(len(y)), [1300])
    return [Samples(x, y, np.sort(part).astype(np.int32), scaling) for part in parts]


def base(samples, hidden, epochs):
    from netsurgery import training
    from netsurgery.reproduction.studies.study_network import StudyNetwork

    settings = {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0, "batch_size": 32}
    settings["loss"] = "crossentropy"
    fresh = initialise(topologies.build(hidden, (8, 8, 1), 10), np.random.default_rng(0))
    learner = training.TrainableNetwork(fresh, settings)
    batches = [-(-len(samples[0]) // 32)] * epochs
    training.TrainingLoop(learner, *samples, 32).run(batches, np.random.default_rng(1))
    return StudyNetwork(learner.network, *samples, settings, 0)


def test_fidelity_measures_every_rule(samples):
    trained_base = base(samples, topologies.named("ff-small"), 5)
    chosen = [
        Mutation(operations.IDENTITY),
        *legal_mutations(trained_base.network.topology, operations=[operations.REMOVE_UNITS]),
    ]
    rows = list(fidelity.measure_fidelity(trained_base, chosen))
    assert [row["rule"] for row in rows] == [SVD, *RULES]  # identity has only one rule
    identity, _, fitted, _ = rows
    assert identity["right_after"] == identity["before"] > 0.8
    assert identity["output_change"] == 0
    assert identity["after_epoch"] > 0.8
    assert fitted["parameters"] < fitted["parameters_before"]
    assert fitted["before"] - fitted["right_after"] < 0.2
    json.dumps(rows, allow_nan=False)


def test_least_squares_keeps_most_accuracy_in_trials(samples):
    rows = list(pooling_trials.run_trials(base(samples, MINIMAL, 5)))
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


def test_cost_has_cpu_time_and_peak_memory():
    held = []
    spent = timing.measure_cost(lambda: held.append(np.ones(10**6)))
    assert spent["peak"] == pytest.approx(8e6, rel=0.01)
    assert 0 < spent["processor"] < 1


def test_timed_networks_have_the_stated_size():
    for (millions, _), shape in timing.NETWORKS.items():
        hidden = [{"conv_cell": {"channels": c}} for c in shape[0]]
        hidden += [{"dense": {"units": u}} for u in shape[1]]
        parameters = topologies.build(hidden, shape[2], 10).parameters
        assert parameters == pytest.approx(1e6 * millions, rel=0.03)


@pytest.mark.workflow
@pytest.mark.parametrize(
    ("target", "job", "count"),
    [
        ("study_surgery", "surgery_fidelity", 2),
        ("study_surgery_immediate", "surgery_fidelity", 2),
        ("study_pooling", "pooling_trials", 3),  # of bare convolutions alone
    ],
)
def test_study_targets_use_baselines_and_are_not_in_all(target, job, count, tmp_path):
    configs = [ROOT / f"config/studies/{name}-digits.yaml" for name in ("surgery", "pooling")]
    config = configs[target == "study_pooling"]
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    place = ["--directory", str(tmp_path), "--configfile", str(config), "--cores", "1", "--dry-run"]
    done = subprocess.run([*snakemake, *place, "--", target], capture_output=True, text=True)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert re.search(rf"^{job} +{count}$", output, re.MULTILINE)
    assert not re.search(r"^(summarize_all|log_search|plot_search) ", output, re.MULTILINE)


# --- tables and plots --------------------------------------------------------------------------


def rows(**changed):
    """Several positions of one operation by two rules, and an exact operation."""
    shape = {"dataset": "d", "topology": "t", "seed": 0, "pooling": None, "before": 0.9}
    later = {"after_tenth": 0.8, "after_epoch": 0.9, "output_change": 0.5, "seconds": 0.1}
    cells = [
        ("remove_units", 1, SVD, 0.5),
        ("remove_units", 2, SVD, 0.7),
        ("remove_units", 3, SVD, 0.1),
        ("remove_units", 1, LEAST_SQUARES, 0.9),
        ("remove_units", 2, LEAST_SQUARES, 0.8),
        ("remove_units", 3, LEAST_SQUARES, 0.85),
        ("add_units", 1, SVD, 0.9),
        ("add_units", 1, PUBLISHED, 0.9),
    ]
    return pandas.DataFrame(
        [
            {
                **shape,
                **later,
                "operation": o,
                "position": p,
                "rule": r,
                "right_after": a,
                **changed,
            }
            for o, p, r, a in cells
        ]
    )


def test_the_summary_holds_medians_and_worst_drops():
    table = tables.summary(rows()).set_index(["operation", "rule"])
    svd = table.loc[("remove_units", SVD)]
    assert svd["positions"] == 3
    assert svd["median_right_after"] == pytest.approx(0.4)
    assert svd["worst_right_after"] == pytest.approx(0.8)
    assert svd["mean_right_after"] == pytest.approx((0.4 + 0.2 + 0.8) / 3)
    assert svd["median_after_tenth"] == pytest.approx(0.1)
    assert table.loc[("add_units", SVD), "worst_right_after"] == 0


def test_the_comparison_has_ratios_of_losses():
    summary = tables.summary(rows())
    means = summary.set_index(["operation", "rule"])["mean_right_after"]["remove_units"]
    table = tables.compare_rules(summary)
    (row,) = table.to_dict("records")  # operations without loss are left out
    assert row["operation"] == "remove_units"
    assert row[f"median, {SVD}"] == 40
    assert row[f"median, {LEAST_SQUARES}"] == 5
    assert row["ratio of medians"] == pytest.approx(0.125, abs=0.01)
    assert row["ratio of means"] == pytest.approx(means[LEAST_SQUARES] / means[SVD], abs=0.01)
    assert tables.markdown(table).count("\n") == 3


def test_recovery_is_a_median():
    table = tables.compare_recovery(tables.summary(rows())).set_index("operation")
    assert table.loc["remove_units", f"0.1, {SVD}"] == 10
    assert table.loc["remove_units", f"1, {LEAST_SQUARES}"] == 0
    assert np.isnan(table.loc["add_units", f"1, {LEAST_SQUARES}"])


def test_cells_are_distinguished_by_pooling():
    found = rows(operation="add_conv_cell", pooling="max")
    assert set(tables.summary(found)["operation"]) == {"add_conv_cell max"}


def test_pooling_means_are_compared_with_the_paper():
    cells = [("max", "random", 0.4), ("max", "random", 0.6), ("max", "sum", 0.5)]
    found = pandas.DataFrame(
        [
            {"pooling": p, "rule": r, "before": 0.9, "right_after": a, "after_epoch": a}
            for p, r, a in cells
        ]
    )
    table = tables.pooling_means(found).set_index("rule")
    assert table.loc["random", "right_after"] == pytest.approx(0.5)
    assert table.loc["random", "right_after_deviation"] == pytest.approx(0.1)
    assert table.loc["random", "paper_right_after"] == 0.493
    assert np.isnan(table.loc["sum", "paper_right_after"])


def test_the_slowest_position_is_reported():
    cells = [("remove_units", 1.0, 3.0), ("remove_dense", 2.0, 1.0), ("add_units", 0.5, 1.0)]
    found = tables.slowest(
        [
            {"millions": 1, "network": "dense", "parameters": 9, "operation": o, "position": 0}
            | {"rule": SVD, "seconds": s, "processor": s, "peak": p}
            for o, s, p in cells
        ]
    ).set_index("kind")
    assert found.loc["removal, svd", "operation"] == "remove_dense"
    assert found.loc["removal, svd", "seconds"] == 2
    assert found.loc["removal, svd", "peak"] == 3
    assert found.loc["growth, svd", "seconds"] == 0.5


def test_plots_are_written(tmp_path):
    figure = plot_drops(tables.with_drops(rows()), ["add_units", "remove_units"], 1)
    plots.save_figure(figure, tmp_path / "drops.svg")
    cells = SimpleNamespace(before=0.9, right_after=0.4, after_epoch=0.8)
    found = pandas.DataFrame(
        [
            {"pooling": p, "rule": r, **vars(cells)}
            for p in ("average", "max")
            for r in ("random", "sum")
        ]
    )
    plots.save_figure(plot_trials(tables.pooling_means(found), "digits"), tmp_path / "trials.svg")
    assert all((tmp_path / f"{name}.svg").stat().st_size > 5000 for name in ("drops", "trials"))


def test_accuracy_and_change():
    outputs = np.array([[1.0, 2.0], [3.0, -4.0]])
    assert accuracy(outputs, np.array([1, 1])) == 0.5
    assert change(outputs, outputs + 1) == 0.25
