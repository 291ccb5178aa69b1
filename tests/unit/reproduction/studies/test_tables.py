"""Tables and plots of the studies."""

from types import SimpleNamespace

import numpy as np
import pandas
import pytest

from netsurgery import plots
from netsurgery.reproduction.plots.fidelity import plot_drops
from netsurgery.reproduction.plots.pooling_trials import plot_trials
from netsurgery.reproduction.studies import tables
from netsurgery.reproduction.studies.rules import LEAST_SQUARES, PUBLISHED, SVD


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
