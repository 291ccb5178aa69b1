"""The tables of ECToNAS (2024, tables 1, 2, 3 and 5): our results compared with the paper's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas

from netsurgery.analysis.runs import Experiment, Run
from netsurgery.reproduction import published
from netsurgery.reproduction.paper_runs import PaperRun
from netsurgery.reproduction.statistics import MeanAndSD, mean_and_sd, paired_difference
from netsurgery.search.methods import BASELINE, GREEDY, RANDOM

HALF, SIZE_ALONE = "alpha 0.5", "alpha 0"
METHODS = (GREEDY, HALF, SIZE_ALONE, RANDOM, BASELINE)
TOPOLOGIES = ("cnn-small", "cnn-medium", "cnn-large", "ff-small", "ff-medium", "ff-large")
TABULAR = "adult"
OVERALL = "overall"


def ectonas_runs(experiment: Experiment) -> list[PaperRun]:
    """The runs of ECToNAS and its baselines, without regressions, which the paper does not have."""
    return [
        PaperRun.of(run)
        for run in experiment.of_methods(METHODS)
        if run.topology in TOPOLOGIES
        and (run.result is None or run.result["test_accuracy"] is not None)
    ]


def accuracy(run: Run) -> float | None:
    """Test accuracy in percent; None for an unfinished run."""
    return None if run.result is None else 100 * run.result["test_accuracy"]


def parameters(run: Run) -> float | None:
    """Trainable parameters of the final network."""
    return None if run.result is None else run.result["parameters"]


def difference(value: float, reference: float) -> float:
    """Value minus reference; NaN if either is missing."""
    return value - reference if math.isfinite(value) and math.isfinite(reference) else math.nan


def _published_result(original: str, method: str) -> tuple[float, float, float]:
    """Accuracy, its standard deviation and the parameters in the paper; NaN if not reported."""
    table = published.table("ectonas-accuracy")
    row = table[(table["dataset"] == original) & (table["method"] == method)]
    if row.empty:
        return math.nan, math.nan, math.nan
    result = row.iloc[0]
    return float(result["accuracy"]), float(result["deviation"]), float(result["parameters"])


def accuracies(
    runs: Sequence[PaperRun], methods: Sequence[str], *, overall: bool
) -> pandas.DataFrame:
    """Test accuracy and size per dataset and method, compared with the paper.

    Args:
        runs: of one experiment; means are over all topologies and seeds of a dataset, as in the
            paper.
        methods: to show, in this order.
        overall: whether to add rows over all datasets.
    """
    datasets = {run.dataset: run.original for run in runs}
    groups = [
        (published.dataset_label(name, original), original, [r for r in runs if r.dataset == name])
        for name, original in datasets.items()
    ]
    if overall and len(groups) > 1:
        # the average of the paper is over its own datasets only
        in_paper = [
            run for run in runs if not math.isnan(_published_result(run.original, GREEDY)[0])
        ]
        all_datasets = {run.original for run in in_paper} >= set(
            published.table("ectonas-accuracy")["dataset"]
        ) - {OVERALL, TABULAR}
        groups.append((OVERALL, OVERALL if all_datasets else "", list(runs)))
    rows = []
    for label, original, members in groups:
        for method in methods:
            of_method = [run for run in members if run.method == method]
            if not of_method:
                continue
            score, size = (
                mean_and_sd(list(map(accuracy, of_method))),
                mean_and_sd(list(map(parameters, of_method))),
            )
            paper_accuracy, paper_deviation, paper_parameters = _published_result(original, method)
            rows.append(
                {
                    "dataset": label,
                    "method": method,
                    "runs": score.count_text,
                    "accuracy": score.mean,
                    "sd": score.deviation,
                    "paper": paper_accuracy,
                    "paper sd": paper_deviation,
                    "difference": difference(score.mean, paper_accuracy),
                    "parameters": size.mean,
                    "paper parameters": paper_parameters,
                    "parameters / paper": size.mean / paper_parameters
                    if paper_parameters
                    else math.nan,
                }
            )
    return pandas.DataFrame(rows)


def crossings(runs: Iterable[PaperRun], methods: Sequence[str]) -> pandas.DataFrame:
    """Table 3: searches by kind of starting and final network, per dataset and method."""
    paper_table = published.table("ectonas-crossings").set_index(["method", "start"])
    rows: list[dict[str, Any]] = []
    groups: dict[tuple[str, str, str, bool], list[PaperRun]] = {}
    for run in runs:
        if run.method in methods:
            key = run.dataset, run.original, run.method, run.starts_convolutional
            groups.setdefault(key, []).append(run)
    order = sorted(
        groups, key=lambda key: (key[1] != TABULAR, key[0], not key[3], methods.index(key[2]))
    )
    for dataset, original, method, convolutional in order:
        members = groups[dataset, original, method, convolutional]
        done = [run for run in members if run.result is not None]
        ended = sum(run.ends_convolutional for run in done)
        crossed = len(done) - ended if convolutional else ended
        start = "cnn" if convolutional else "ffnn"
        share = 100 * crossed / len(done) if done else math.nan
        row = {
            "dataset": published.dataset_label(dataset, original),
            "start": start.upper(),
            "method": method,
            "runs": str(len(done))
            if len(done) == len(members)
            else f"{len(done)} of {len(members)}",
            "to CNN": ended,
            "to FFNN": len(done) - ended,
            "crossing %": share,
        }
        if original == TABULAR and (method, start) in paper_table.index:
            cnn, ffnn = paper_table.loc[(method, start)]
            paper_share = 100 * (ffnn if convolutional else cnn) / (cnn + ffnn)
            row |= {
                "paper to CNN": cnn,
                "paper to FFNN": ffnn,
                "paper crossing %": paper_share,
                "difference": difference(share, paper_share),
            }
        rows.append(row)
    return pandas.DataFrame(rows)


def differences(runs: Sequence[PaperRun], methods: Iterable[str]) -> pandas.DataFrame:
    """Paired differences in test accuracy of each method to the baseline and to random mode.

    The balanced modes are also paired with greedy search. The runs of a pair share dataset,
    topology and seed, and so the split.
    """
    rows = []
    found: dict[tuple[str, str], dict[Any, float | None]] = {}
    for run in runs:
        found.setdefault((run.dataset, run.method), {})[run.case] = accuracy(run)
    for dataset, original in {run.dataset: run.original for run in runs}.items():
        for method in methods:
            greedy = (GREEDY,) if method in (HALF, SIZE_ALONE) else ()
            for against in (BASELINE, RANDOM, *greedy):
                pair = found.get((dataset, method)), found.get((dataset, against))
                if method == against or pair[0] is None or pair[1] is None:
                    continue
                paired = paired_difference(pair[0], pair[1])
                label = published.dataset_label(dataset, original)
                case = {"dataset": label, "method": method, "against": against}
                rows.append(case | paired.columns)
    return pandas.DataFrame(rows)


def seeds(runs: Sequence[PaperRun], methods: Sequence[str]) -> pandas.DataFrame:
    """Mean test accuracy of each method by dataset and seed, over all topologies.

    The paper reports one seed and says that two more fall in line.

    Args:
        runs: of one experiment.
        methods: the columns, in this order.
    """
    shown = [method for method in methods if any(run.method == method for run in runs)]
    groups: dict[tuple[str, str, int], list[PaperRun]] = {}
    for run in runs:
        groups.setdefault((run.dataset, run.original, run.seed), []).append(run)
    rows = []
    for (dataset, original, seed), members in groups.items():
        means = {
            method: mean_and_sd([accuracy(run) for run in members if run.method == method])
            for method in shown
        }
        runs_of_seed = sum(each.count for each in means.values())
        requested = sum(each.requested for each in means.values())
        complete = runs_of_seed == requested
        rows.append(
            {
                "dataset": published.dataset_label(dataset, original),
                "seed": str(seed),
                "runs": str(requested) if complete else f"{runs_of_seed} of {requested}",
                **{method: each.mean for method, each in means.items()},
            }
        )
    return pandas.DataFrame(rows)


def costs(runs: Sequence[PaperRun], methods: Iterable[str]) -> pandas.DataFrame:
    """The cost of searches: epochs, candidates, time, and training saved by inheriting weights."""
    rows = []
    for dataset, original in {run.dataset: run.original for run in runs}.items():
        for method in methods:
            members = [r for r in runs if r.dataset == dataset and r.method == method]
            if not members:
                continue
            saved = [run.savings for run in members]

            def over(key: str, members: list[PaperRun] = members) -> MeanAndSD:
                return mean_and_sd(
                    [None if r.result is None else r.result.get(key) for r in members]
                )

            rows.append(
                {
                    "dataset": published.dataset_label(dataset, original),
                    "method": method,
                    "runs": over("epochs_spent").count_text,
                    "candidates": over("candidates").mean,
                    "generations": over("generations").mean,
                    "epochs spent": over("epochs_spent").mean,
                    "winner's epochs": over("epochs_trained").mean,
                    "training minutes": over("wall_seconds").mean / 60,
                    "saved, own epochs %": 100
                    * mean_and_sd([None if s is None else s[0] for s in saved]).mean,
                    "saved, winner's epochs %": 100
                    * mean_and_sd([None if s is None else s[1] for s in saved]).mean,
                }
            )
    return pandas.DataFrame(rows)
