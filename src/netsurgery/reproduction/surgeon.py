"""The tables of the Surgeon (table 3; table 2 of the ICLR submission), and the published ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pandas

from netsurgery.analysis.runs import Experiment
from netsurgery.datasets.augmentation import SIXFOLD
from netsurgery.reproduction import published
from netsurgery.reproduction.ectonas import difference
from netsurgery.reproduction.paper_runs import PaperRun
from netsurgery.reproduction.statistics import MeanAndSD, mean_and_sd, paired_difference
from netsurgery.search.methods import BASELINE, RANDOM_WALK, SURGEON

TOPOLOGIES = ("surgeon-small", "surgeon-medium", "surgeon-large")
METHODS = (SURGEON, RANDOM_WALK, BASELINE)
JOURNAL, ICLR = "surgeon-table3", "surgeon-iclr-table2"  # the published tables
OF_ICLR = ("svhn", f"cifar10-{SIXFOLD}")  # the data of the version submitted to ICLR 2021
NOTES = {
    "emnist-byclass": "EMNIST is emnist/byclass (62 classes) by the paper's numbers of samples; its"
    " text describes the ten digits.",
    "cifar10": "The paper's figures for CIFAR-10 are those of the version submitted to ICLR 2021,"
    " which enlarges it sixfold; there are none for CIFAR-10 as it is.",
}


def surgeon_runs(experiment: Experiment) -> list[PaperRun]:
    """The runs of the Surgeon and its baselines, without regressions, which the paper has not."""
    searched = {run.topology for run in experiment.of_methods((SURGEON, RANDOM_WALK))}
    topologies = searched | set(TOPOLOGIES)
    return [
        PaperRun.of(run)
        for run in experiment.of_methods(METHODS)
        if run.topology in topologies
        and (run.result is None or run.result["test_accuracy"] is not None)
    ]


def published_name(run: PaperRun) -> str:
    """The data of a run as the published tables name them."""
    enlarged = run.settings.get("augmentation") == SIXFOLD
    return f"{run.original}-{SIXFOLD}" if enlarged else run.original


def label(run: PaperRun) -> str:
    """The data of a run as our tables name them."""
    name = published.dataset_label(run.dataset, run.original)
    return f"{name}, {SIXFOLD}" if run.settings.get("augmentation") == SIXFOLD else name


def of_iclr(runs: Sequence[PaperRun]) -> list[PaperRun]:
    """The runs on the data of the version submitted to ICLR 2021."""
    return [run for run in runs if published_name(run) in OF_ICLR]


def of_journal(runs: Sequence[PaperRun]) -> list[PaperRun]:
    """The runs on data as the journal's text describes them."""
    return [run for run in runs if published_name(run) == run.original]


def notes(runs: Sequence[PaperRun]) -> str:
    """What has to be said of the data beside the tables."""
    used = {published_name(run) for run in runs}
    return " ".join(note for name, note in NOTES.items() if name in used)


def summarize(runs: Sequence[PaperRun], value: Callable[[Any], float | None]) -> MeanAndSD:
    """Mean and standard deviation of a value of the summaries."""
    return mean_and_sd([None if run.result is None else value(run.result) for run in runs])


def by_case(runs: Sequence[PaperRun]) -> dict[tuple[str, str], list[PaperRun]]:
    """The runs of each row of a table: by data and topology."""
    groups: dict[tuple[str, str], list[PaperRun]] = {}
    for run in runs:
        groups.setdefault((label(run), run.topology), []).append(run)
    return groups


def accuracies(runs: Sequence[PaperRun], table: str) -> pandas.DataFrame:
    """Validation accuracies in percent and sizes by data and topology, compared with a paper.

    Args:
        runs: of one experiment.
        table: the published table, `JOURNAL` or `ICLR`.
    """
    paper_table = published.table(table).set_index(["dataset", "topology"])
    rows = []
    for (dataset, topology), members in by_case(runs).items():
        baselines = [run for run in members if run.method == BASELINE]
        searched = [run for run in members if run.method == SURGEON]
        base = summarize(baselines, lambda s: 100 * s["val_accuracy"])
        best = summarize(searched, lambda s: 100 * s["val_accuracy"])
        grown = summarize(searched, lambda s: 100 * (s["parameters"] / s["start_parameters"] - 1))
        size = topology.removeprefix("surgeon-")
        key = (published_name(members[0]), size)
        paper = paper_table.loc[key] if key in paper_table.index else None

        def published_value(name: str, paper: Any = paper) -> float:
            return math.nan if paper is None else float(paper[name])

        rows.append(
            {
                "dataset": dataset,
                "topology": size,
                "runs": f"{base.count_text} / {best.count_text}",
                "baseline": base.mean,
                "baseline sd": base.deviation,
                "paper baseline": 100 * published_value("baseline"),
                "Surgeon": best.mean,
                "Surgeon sd": best.deviation,
                "paper Surgeon": 100 * published_value("surgeon"),
                "difference": difference(best.mean, 100 * published_value("surgeon")),
                "increase %": 100 * (best.mean / base.mean - 1) if base.count else math.nan,
                "paper increase %": published_value("increase"),
                "parameters %": grown.mean,
                "parameters sd": grown.deviation,
                "paper parameters %": published_value("parameters"),
            }
        )
    return pandas.DataFrame(rows)


def differences(runs: Sequence[PaperRun]) -> pandas.DataFrame:
    """Paired differences in test accuracy of the Surgeon to the baseline and the random walk."""
    by_data: dict[str, dict[str, dict[Any, float | None]]] = {}
    for run in runs:
        value = None if run.result is None else 100 * run.result["test_accuracy"]
        by_data.setdefault(label(run), {}).setdefault(run.method, {})[run.case] = value
    rows = []
    for dataset, by_method in by_data.items():
        for against in (BASELINE, RANDOM_WALK):
            if SURGEON in by_method and against in by_method:
                paired = paired_difference(by_method[SURGEON], by_method[against])
                case = {"dataset": dataset, "method": SURGEON, "against": against}
                rows.append(case | paired.columns)
    return pandas.DataFrame(rows)
