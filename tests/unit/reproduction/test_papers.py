"""The tables of the papers, for a synthetic experiment."""

from types import SimpleNamespace

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.analysis import runs
from netsurgery.reproduction import ectonas, paper_tables, tables
from netsurgery.reproduction.paper_runs import PaperRun
from netsurgery.reproduction.plots.experiments import pareto_front, plot_pareto
from netsurgery.storage.files import write_json
from tests.support.experiments import run_of, summary, write_experiment


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    monkeypatch.setattr(PaperRun, "lineage", [])  # it has no records
    return write_experiment(tmp_path)


def records(frame):
    return frame.to_dict("records")


@given(st.lists(st.tuples(st.floats(1, 9), st.floats(0, 1)), min_size=1))
def test_no_point_dominates_the_pareto_front(points):
    front = pareto_front(points)
    assert set(front) <= set(points)
    for cost, gain in points:
        assert any(c <= cost and g >= gain for c, g in front)
    assert front == sorted(front)


def test_missing_and_failed_runs_are_marked(experiment):
    states = {(run.search, run.seed): run.state for run in experiment.runs}
    assert states["e", 0] == "finished"
    assert states["e", 1] == "failed"
    assert states["e", 2] == "not started"
    found = ectonas.accuracies(
        ectonas.ectonas_runs(experiment), ("greedy", "baseline"), overall=False
    )
    rows = found.set_index("method")
    assert rows.loc["greedy", "runs"] == "1 of 3"
    assert rows.loc["greedy", "accuracy"] == pytest.approx(90)
    assert rows.loc["baseline", "runs"] == "3"
    assert rows.loc["baseline", "accuracy"] == pytest.approx(70)
    # the excerpt is compared with the whole dataset
    assert rows.loc["greedy", "paper"] == 98.3
    assert rows.loc["greedy", "difference"] == pytest.approx(90 - 98.3)


def test_regressions_are_not_in_the_papers_tables(experiment, tmp_path):
    path = tmp_path / "b" / "seed0" / "final" / "summary.json"
    write_json(path, summary(1000, None, ["dense 10"]))
    found = ectonas.ectonas_runs(runs.read_experiment(tmp_path))
    assert ("b", 0) not in {(run.search, run.seed) for run in found}
    assert len(found) == 5


def test_a_method_without_a_result_stays_in_the_table(experiment, tmp_path):
    gone = tmp_path / "e" / "seed0" / "final" / "summary.json"
    gone.unlink()
    found = paper_tables.ectonas_tables(runs.read_experiment(tmp_path))
    text = tables.markdown(found[0])
    assert "| MNIST (few) | greedy | 0 of 3 | missing |" in text
    assert 'class="number absent">missing' in tables.html_table(found[0])


def test_every_table_states_its_scale(experiment):
    found = paper_tables.ectonas_tables(experiment)
    assert {table.name for table in found} >= {"table1", "table2", "table3", "costs", "claims"}
    for table in found:
        assert "Scale 0.5" in table.caption


def test_crossings_are_counted_by_start_and_end(experiment):
    found = ectonas.crossings(ectonas.ectonas_runs(experiment), ("greedy",))
    (row,) = found.to_dict("records")
    assert (row["start"], row["to CNN"], row["to FFNN"], row["runs"]) == ("CNN", 0, 1, "1 of 3")
    assert row["crossing %"] == 100


def test_pairs_are_of_the_same_seed(experiment):
    found = ectonas.differences(ectonas.ectonas_runs(experiment), ("greedy",))
    (row,) = found.to_dict("records")
    assert (row["against"], row["pairs"]) == ("baseline", 1)
    assert row["difference"] == pytest.approx(10)


def test_balanced_modes_are_paired_with_greedy_search():
    runs = [
        run_of("ectonas", 70, mode="greedy"),
        run_of("ectonas", 64, mode="balanced", greediness=0.5),
        run_of("baseline", 60),
    ]
    found = ectonas.differences(runs, ("greedy", "alpha 0.5"))
    pairs = {(row["method"], row["against"]): row["difference"] for row in records(found)}
    assert pairs == pytest.approx(
        {
            ("greedy", "baseline"): 10,
            ("alpha 0.5", "baseline"): 4,
            ("alpha 0.5", "greedy"): -6,
        }
    )


def test_the_view_by_seed_has_a_mean_of_each_seed():
    runs = [
        run_of("baseline", accuracy, seed, topology=topology)
        for seed, pair in ((42, (50, 60)), (13, (70, None)))
        for topology, accuracy in zip(("ff-small", "ff-large"), pair, strict=True)
    ]
    found = ectonas.seeds(runs, ("greedy", "baseline"))
    rows = {row["seed"]: (row["runs"], row["baseline"]) for row in records(found)}
    assert rows == {"42": ("2", 55), "13": ("1 of 2", 70)}
    assert "greedy" not in found.columns


def test_savings_compare_with_training_from_scratch(experiment):
    (run,) = [r for r in experiment.runs if (r.search, r.seed) == ("e", 0)]
    own_epochs, winners_epochs = PaperRun.of(run).savings
    assert own_epochs == pytest.approx(1 - 30 / 50)
    assert winners_epochs == pytest.approx(1 - 30 / 60)


def test_cells_of_an_html_table_are_escaped():
    frame = pandas.DataFrame([{"dataset": "<b>", "accuracy": 1.0}])
    page = tables.html_table(tables.Table("t", "<i>", "a & b", frame))
    assert "<b></b>" not in page
    assert "&lt;b&gt;" in page
    assert "&lt;i&gt;" in page
    assert "a &amp; b" in page


def test_a_plot_of_accuracy_and_size_shows_every_method():
    methods = ["baseline", "Arbor", "alpha 0.3"]
    runs = [
        SimpleNamespace(
            **{"dataset": "digits", "original": None, "topology": "cnn-small", "method": method},
            result={"parameters": 1000 * 4**i, "test_accuracy": 0.9 + 0.03 * i},
        )
        for i, method in enumerate(methods)
    ]
    figure = plot_pareto(("title", "subtitle"), runs)
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    shown = [text.get_text() for legend in legends if legend for text in legend.get_texts()]
    assert set(shown) == {*methods, "Pareto front"}
    assert len(figure.axes[0].collections) >= len(methods)
