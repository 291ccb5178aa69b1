"""Figures of finished runs that are kept without their models."""

from dataclasses import replace
from pathlib import Path

from netsurgery.analysis.runs import Experiment
from netsurgery.reproduction import papers
from netsurgery.reproduction.kept_runs import keep, read_kept, with_kept
from tests.support.experiments import run_of


def runs(*accuracies):
    """The runs of an experiment with these accuracies, of which those with None are unfinished."""
    return [run_of("ectonas", each, seed) for seed, each in enumerate(accuracies)]


def accuracies(experiment):
    return [run.result and round(100 * run.result["test_accuracy"]) for run in experiment.runs]


def experiment(*accuracies, trials=Path("nowhere")):
    return Experiment(1, runs(*accuracies), trials)


def with_figures_of(path, *given):
    return with_kept(experiment(*given), path)


def test_an_experiment_is_done_in_parts(tmp_path):
    path = tmp_path / "runs" / "kept.jsonl"
    assert accuracies(with_figures_of(path, None, 50)) == [None, 50]
    keep(experiment(None, None, 70), path)
    keep(experiment(60, None, None), path)
    assert accuracies(with_figures_of(path, None, None, None, None)) == [60, None, 70, None]
    assert [line["seed"] for line in read_kept(path).values()] == [0, 2]


def test_a_run_that_is_finished_here_counts(tmp_path):
    path = tmp_path / "kept.jsonl"
    keep(experiment(60), path)
    assert accuracies(with_figures_of(path, 80)) == [80]
    keep(experiment(80), path)
    assert accuracies(with_figures_of(path, None)) == [80]


def test_failed_runs_are_not_kept(tmp_path):
    (run,) = runs(60)
    failed = replace(run, summary={**run.summary, "status": "diverged"})
    keep(Experiment(1, [failed], Path("nowhere")), tmp_path / "kept.jsonl")
    assert not list(tmp_path.iterdir())


def test_only_runs_with_files_have_plots_of_their_own(tmp_path):
    keep(experiment(60), tmp_path / "kept.jsonl")
    (run,) = with_figures_of(tmp_path / "kept.jsonl", None).runs
    assert papers.example_of([run], run.method, []) is None


def test_pooling_trials_are_kept_beside_the_runs(tmp_path):
    path, finished = tmp_path / "kept.jsonl", tmp_path / "summary.csv"
    assert not with_figures_of(path).pooling_trials.exists()
    for content in ("first\n", "second\n"):
        finished.write_text(content)
        keep(experiment(trials=finished), path)
        assert with_figures_of(path).pooling_trials.read_text() == content
    keep(experiment(50), path)
    assert with_figures_of(path).pooling_trials.read_text() == "second\n"
    assert with_kept(experiment(trials=finished), path).pooling_trials == finished
