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


def with_figures_of(path, *given):
    return with_kept(Experiment(Path("nowhere"), 1, runs(*given)), read_kept(path))


def test_an_experiment_is_done_in_parts(tmp_path):
    path = tmp_path / "runs" / "kept.jsonl"
    assert accuracies(with_figures_of(path, None, 50)) == [None, 50]
    keep(runs(None, None, 70), path)
    keep(runs(60, None, None), path)
    assert accuracies(with_figures_of(path, None, None, None, None)) == [60, None, 70, None]
    assert [line["seed"] for line in read_kept(path).values()] == [0, 2]


def test_a_run_that_is_finished_here_counts(tmp_path):
    path = tmp_path / "kept.jsonl"
    keep(runs(60), path)
    assert accuracies(with_figures_of(path, 80)) == [80]
    keep(runs(80), path)
    assert accuracies(with_figures_of(path, None)) == [80]


def test_failed_runs_are_not_kept(tmp_path):
    (run,) = runs(60)
    keep([replace(run, summary={**run.summary, "status": "diverged"})], tmp_path / "kept.jsonl")
    assert not list(tmp_path.iterdir())


def test_only_runs_with_files_have_plots_of_their_own(tmp_path):
    keep(runs(60), tmp_path / "kept.jsonl")
    (run,) = with_figures_of(tmp_path / "kept.jsonl", None).runs
    assert papers.example_of([run], run.method, []) is None
