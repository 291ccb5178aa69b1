"""Experiments: scaling, statistics, and tables compared with those of the papers."""

import json
import math
from pathlib import Path

import numpy as np
import pandas
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.analysis import progress, runs
from netsurgery.cli import main
from netsurgery.config import loading, scaling
from netsurgery.datasets import splits
from netsurgery.reproduction import ectonas, papers, published, surgeon, tables
from netsurgery.reproduction.plots.experiments import pareto_front
from netsurgery.reproduction.statistics import mean_and_sd, paired_difference
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import UnusableFileError, write_json, write_text
from tests.support.factories import ROOT, SCHEMA, history, search, start

NUMBERS = st.floats(-1e6, 1e6)


# --- scale ----------------------------------------------------------------------------------------


@given(st.floats(0.001, 1), st.sampled_from(["ectonas", "surgeon", "baseline"]))
def test_scaling_shrinks_epochs_data_and_seeds(factor, algorithm):
    topology = "surgeon-small" if algorithm == "surgeon" else "cnn-medium"
    settings = search(algorithm=algorithm, topology=topology, seeds=list(range(10))).settings
    shrunk = scaling.scaled(settings, factor)
    assert shrunk.keys() == settings.keys()
    for key in scaling.EPOCHS[algorithm]:
        if key in settings:
            assert 1 <= shrunk[key] <= settings[key]
            assert abs(shrunk[key] - factor * settings[key]) <= 1
    assert shrunk["subset_fraction"] == pytest.approx(factor)
    assert shrunk["seeds"] == settings["seeds"][: len(shrunk["seeds"])]
    assert len(shrunk["seeds"]) >= max(3, 10 * factor)
    untouched = settings.keys() - {*scaling.EPOCHS[algorithm], "subset_fraction", "seeds"}
    assert all(shrunk[key] == settings[key] for key in untouched)


def test_full_scale_changes_nothing():
    settings = search().settings
    assert scaling.scaled(settings, 1) == settings
    assert scaling.scaled({**settings, "seeds": [7]}, 0.1)["seeds"] == [7]


def test_scaling_applies_to_every_search():
    given_ = {
        "searches": {"s": {"algorithm": "ectonas", "dataset": "digits", "topology": "ff-small"}}
    }
    whole, tenth = loading.load(given_, SCHEMA), loading.load(given_ | {"scale": 0.1}, SCHEMA)
    assert (whole.scale, tenth.scale) == (1, 0.1)
    assert tenth.searches["s"].settings["budget"] == whole.searches["s"].settings["budget"] / 10
    for wrong in (0, 1.5, "half"):
        with pytest.raises(loading.ConfigError, match="scale"):
            loading.load(given_ | {"scale": wrong}, SCHEMA)


@given(st.floats(0.01, 1), st.integers(60, 400), st.integers(0, 5))
def test_a_subset_keeps_the_test_samples_and_every_class(fraction, least, seed):
    y = np.repeat(np.arange(4), 75)
    given_ = {"training": np.arange(240), "test": np.arange(240, 300)}
    found = splits.split(y, given_, list("abcd"), 0.1, 0.1, seed, (fraction, least))
    used = len(found["training"]) + len(found["validation"])
    assert list(found["test"]) == list(given_["test"])
    wanted = min(240, max(math.ceil(fraction * 240), least))
    assert used == (wanted if 240 - wanted >= 4 else 240)
    assert not set(found["training"]) & set(found["validation"])


def test_the_whole_set_is_split_as_without_a_subset():
    y = np.repeat(np.arange(4), 75)
    plain = splits.split(y, {"training": np.arange(300)}, list("abcd"), 0.1, 0.1, 0)
    same = splits.split(y, {"training": np.arange(300)}, list("abcd"), 0.1, 0.1, 0, (1.0, 2000))
    for part, indices in plain.items():
        np.testing.assert_array_equal(indices, same[part])


# --- statistics -----------------------------------------------------------------------------------


def test_a_mean_counts_missing_values():
    found = mean_and_sd([1.0, None, 3.0])
    assert (found.mean, found.count, found.requested, found.count_text) == (2, 2, 3, "2 of 3")
    assert found.deviation == pytest.approx(math.sqrt(2))
    assert math.isnan(mean_and_sd([None]).mean)
    assert math.isnan(mean_and_sd([1.0]).deviation)


def test_the_interval_of_differences_is_students_t():
    # differences 1, 2, 3: mean 2, standard error 1/sqrt(3), t(0.975, 2) = 4.302653
    found = paired_difference(
        {"a": 2.0, "b": 4.0, "c": 6.0, "d": 1.0}, {"a": 1.0, "b": 2.0, "c": 3.0, "e": 0}
    )
    assert (found.mean, found.pairs) == (2, 3)
    assert found.low == pytest.approx(2 - 4.302653 / math.sqrt(3), abs=1e-5)
    assert found.high == pytest.approx(2 + 4.302653 / math.sqrt(3), abs=1e-5)


@given(st.dictionaries(st.integers(0, 9), NUMBERS, min_size=2), NUMBERS)
def test_a_constant_difference_has_no_interval(values, shift):
    found = paired_difference({k: v + shift for k, v in values.items()}, values)
    assert found.mean == pytest.approx(shift, abs=1e-3)
    assert found.high - found.low <= 1e-2


def test_pairs_need_both_sides():
    assert paired_difference({1: None, 2: 3.0}, {1: 2.0, 2: None}).pairs == 0
    assert math.isnan(paired_difference({1: 5.0}, {1: 2.0}).low)


@given(st.lists(st.tuples(st.floats(1, 9), st.floats(0, 1)), min_size=1))
def test_no_point_dominates_the_pareto_front(points):
    front = pareto_front(points)
    assert set(front) <= set(points)
    for cost, gain in points:
        assert any(c <= cost and g >= gain for c, g in front)
    assert front == sorted(front)


# --- published results ----------------------------------------------------------------------


def test_published_results_are_consistent():
    table = published.table("ectonas-accuracy")
    images = table[~table["dataset"].isin(["overall", "adult"])]
    means = images.groupby("method")["accuracy"].mean()
    overall = table[table["dataset"] == "overall"].set_index("method")["accuracy"]
    for method, value in overall.items():
        assert means[method] == pytest.approx(value, abs=0.06)
    for row in published.table("surgeon-table3").itertuples():
        # accuracies have two digits, their relative increase was computed from more
        if (row.dataset, row.topology) == ("eurosat", "medium"):
            continue  # the paper prints 215 where its means give 138
        low = (row.surgeon - 0.005) / (row.baseline + 0.005) - 1
        high = (row.surgeon + 0.005) / (row.baseline - 0.005) - 1
        assert 100 * low <= row.increase <= 100 * high


@pytest.mark.parametrize("paper", ["ectonas", "surgeon"])
def test_the_papers_experiments_are_configurations(paper, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for name in ("adult.data", "adult.test"):
        (tmp_path / "data" / name).touch()
    found = loading.load(yaml.safe_load((ROOT / f"config/papers/{paper}.yaml").read_text()), SCHEMA)
    counts = {}
    for one in found.searches.values():
        kind = one.settings["dataset"], one.algorithm
        counts[kind] = counts.get(kind, 0) + len(one.seeds)
    if paper == "ectonas":
        # six topologies; greedy, two alphas and random; ten runs, of Adult 25
        assert counts["cifar10", "ectonas"] == 6 * 4 * 10
        assert counts["adult", "ectonas"] == 6 * 4 * 25
        assert counts["svhn", "baseline"] == 6 * 10
        budgets = {
            s.settings["budget"] for s in found.searches.values() if s.algorithm == "ectonas"
        }
        assert budgets == {1000}
    else:
        assert counts["svhn", "surgeon"] == 3 * 5
        assert counts["svhn", "baseline"] == 3 * 5


# --- tables of a synthetic experiment ---------------------------------------------------------


def summary(parameters, accuracy, layers, status="ok"):
    return {
        "status": status, "test_accuracy": accuracy, "val_accuracy": accuracy,
        "parameters": parameters, "start_parameters": 1000,
        "generations": 2,
        "candidates": 3, "objective": "val_accuracy", "val_score": accuracy, "epochs_spent": 30.0,
        "epochs_trained": 20.0, "wall_seconds": 60.0, "layers": layers,
    }  # fmt: skip


@pytest.fixture
def experiment(tmp_path):
    """Two seeds of greedy search and baseline on an excerpt; one search is missing, one failed."""
    given_ = {
        "results": str(tmp_path),
        "scale": 0.5,
        "datasets": {
            "few": {"source": "npz", "path": str(tmp_path / "x.npz"), "excerpt_of": "mnist"}
        },
        "searches": {
            "e": {
                "algorithm": "ectonas",
                "dataset": "few",
                "topology": "cnn-small",
                "seeds": [0, 1, 2],
            },
            "b": {
                "algorithm": "baseline",
                "dataset": "few",
                "topology": "cnn-small",
                "seeds": [0, 1, 2],
            },
        },
    }
    (tmp_path / "x.npz").touch()
    runs.write_listing(loading.load(given_, SCHEMA))
    finished = {
        "e/seed0": summary(800, 0.9, ["flatten", "dense 10"]),
        "e/seed1": summary(900, 0.1, ["conv 3 (3x3)"], "diverged"),
        "b/seed0": summary(1000, 0.8, ["conv 3 (3x3)"]),
        "b/seed1": summary(1000, 0.7, ["conv 3 (3x3)"]),
        "b/seed2": summary(1000, 0.6, ["conv 3 (3x3)"]),
    }
    for name, content in finished.items():
        write_json(tmp_path / name / "final" / "summary.json", content)
        text = "candidate,epochs_trained\ng0,10\ng1,20\ng2,20\n"
        write_text(tmp_path / name / "lineage.csv", text)
    return runs.read_experiment(tmp_path)


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


def test_regressions_are_not_in_the_papers_tables(experiment):
    path = experiment.results / "b" / "seed0" / "final" / "summary.json"
    write_json(path, summary(1000, None, ["dense 10"]))
    found = ectonas.ectonas_runs(runs.read_experiment(experiment.results))
    assert ("b", 0) not in {(run.search, run.seed) for run in found}
    assert len(found) == 5


def test_a_method_without_a_result_stays_in_the_table(experiment):
    gone = experiment.results / "e" / "seed0" / "final" / "summary.json"
    gone.unlink()
    found = papers.ectonas_tables(runs.read_experiment(experiment.results))
    text = tables.markdown(found[0])
    assert "| MNIST (few) | greedy | 0 of 3 | missing |" in text
    assert 'class="number absent">missing' in tables.html_table(found[0])


def test_every_table_states_its_scale(experiment):
    found = papers.ectonas_tables(experiment)
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


def test_savings_compare_with_training_from_scratch(experiment):
    (run,) = [r for r in experiment.runs if (r.search, r.seed) == ("e", 0)]
    own_epochs, winners_epochs = ectonas.savings(run)
    assert own_epochs == pytest.approx(1 - 30 / 50)
    assert winners_epochs == pytest.approx(1 - 30 / 60)


def test_surgeon_tables_work_without_results():
    row = {"baseline": 28.0, "paper baseline": 28.0}
    table = tables.Table("t", "T", "C.", pandas.DataFrame([row]))
    assert "28.0" in tables.markdown(table)
    assert surgeon.claims([]).set_index("claim").loc["total epochs", "paper"] == "290"


def test_cells_of_an_html_table_are_escaped():
    frame = pandas.DataFrame([{"dataset": "<b>", "accuracy": 1.0}])
    page = tables.html_table(tables.Table("t", "<i>", "a & b", frame))
    assert "<b></b>" not in page
    assert "&lt;b&gt;" in page
    assert "&lt;i&gt;" in page
    assert "a &amp; b" in page


def test_a_missing_listing_gives_advice(tmp_path):
    with pytest.raises(UnusableFileError, match=r"searches\.json: not found; run snakemake first"):
        runs.read_experiment(tmp_path)


# --- progress -------------------------------------------------------------------------------------


def put(folder: SearchFolder, generation: int, step: str, **fields) -> Path:
    path = folder.record(generation, step)
    write_json(path, start(step=step, history=history(0.5), **fields).to_json())
    return path


def test_progress_is_read_from_the_records(tmp_path):
    given_ = {
        "results": str(tmp_path),
        "searches": {
            "e": {
                "algorithm": "ectonas",
                "dataset": "digits",
                "topology": "ff-small",
                "budget": 100,
                "seeds": [0, 1],
            }
        },
    }
    runs.write_listing(loading.load(given_, SCHEMA))
    (first, second) = runs.read_experiment(tmp_path).runs
    winner = start(batches_per_epoch=10, batches_spent=100, score=0.4).to_json()
    write_json(
        first.folder.winners(0),
        {"parents": [{"record": winner, "model": "m"}], "batches_spent": 100},
    )
    put(first.folder, 1, "recuperation/g01c00", batches_per_epoch=10, batches_spent=5, score=0.45)
    last = put(
        first.folder,
        1,
        "phase1/add_units/round2/slot0",
        batches_per_epoch=10,
        batches_spent=50,
        score=0.6,
    )
    now = last.stat().st_mtime + 10
    found = progress.measure(runs.read_experiment(tmp_path), now)
    one, other = found["searches"]
    assert (one["state"], one["generation"], one["phase"]) == ("unfinished", 1, "phase 1, round 2")
    assert one["epochs_spent"] == pytest.approx(15.5)
    assert (one["epochs_expected"], one["best_score"]) == (100, 0.6)
    assert (other["state"], other["phase"], other["epochs_spent"]) == ("not started", "waiting", 0)
    assert found["epochs_left"] == pytest.approx(84.5 + 100)
    assert found["seconds_left"] == pytest.approx(184.5 / found["epochs_per_second"])
    json.dumps(found, allow_nan=False)
    # no training for a long time: the time left is unknown
    assert progress.measure(runs.read_experiment(tmp_path), now + 10_000)["seconds_left"] is None
    assert "1 min" in progress.summary_line({**found, "seconds_left": 30.0})
    assert second.state == "not started"


def command(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["netsurgery", *map(str, arguments)])
    main.main()


@pytest.mark.parametrize("name", ["report", "progress"])
def test_a_folder_without_searches_gives_one_line(name, tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match=r"searches\.json: not found; run snakemake first"):
        command(monkeypatch, name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_progress_is_printed_and_written_as_json(experiment, monkeypatch, capsys):
    (experiment.results / "e" / "seed2").mkdir()
    command(monkeypatch, "progress", experiment.results)
    head, row, last = capsys.readouterr().out.splitlines()
    assert head.split() == "search seed state generation phase epochs best score".split()
    assert row.split() == ["e", "2", "unfinished", "0", "start", "0.0", "of", "500", "-"]
    assert last.startswith("5 of 6 runs finished, 150 epochs spent, 500 left; about ")
    found = json.loads((experiment.results / "progress.json").read_text())
    assert (found["finished"], found["runs"]) == (5, 6)
    assert found["seconds_left"] > 0
    command(monkeypatch, "progress", experiment.results, "--all")
    assert len(capsys.readouterr().out.splitlines()) == 2 + 6
