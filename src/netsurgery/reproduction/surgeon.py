"""The tables of the Surgeon (2021, table 3): our results compared with the paper's."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pandas

from netsurgery.analysis.runs import Experiment, Run
from netsurgery.reproduction import published
from netsurgery.reproduction.ectonas import difference
from netsurgery.reproduction.statistics import MeanAndSD, mean_and_sd, paired_difference
from netsurgery.search.methods import BASELINE, RANDOM_WALK, SURGEON
from netsurgery.search.surgeon.plans import DecisionPlan

TOPOLOGIES = ("surgeon-small", "surgeon-medium", "surgeon-large")
METHODS = (SURGEON, RANDOM_WALK, BASELINE)


def surgeon_runs(experiment: Experiment) -> list[Run]:
    """The runs of the Surgeon and its baselines."""
    searched = {run.topology for run in experiment.of_methods((SURGEON, RANDOM_WALK))}
    topologies = searched | set(TOPOLOGIES)
    return [run for run in experiment.of_methods(METHODS) if run.topology in topologies]


def cases(runs: Sequence[Run]) -> list[tuple[str, str, str]]:
    """The rows of a table: dataset, the dataset that it is an excerpt of, and topology."""
    return list(dict.fromkeys((run.dataset, run.original, run.topology) for run in runs))


def summarize(runs: Sequence[Run], value: Callable[[Any], float | None]) -> MeanAndSD:
    """Mean and standard deviation of a value of the summaries."""
    return mean_and_sd([None if run.result is None else value(run.result) for run in runs])


def table3(runs: Sequence[Run]) -> pandas.DataFrame:
    """Table 3: validation accuracies in percent and sizes, compared with the paper."""
    paper_table = published.table("surgeon-table3").set_index(["dataset", "topology"])
    rows = []
    for dataset, original, topology in cases(runs):
        members = [run for run in runs if (run.dataset, run.topology) == (dataset, topology)]
        baselines = [run for run in members if run.method == BASELINE]
        searched = [run for run in members if run.method == SURGEON]
        base = summarize(baselines, lambda s: 100 * s["val_accuracy"])
        best = summarize(searched, lambda s: 100 * s["val_accuracy"])
        grown = summarize(searched, lambda s: 100 * (s["parameters"] / s["start_parameters"] - 1))
        size = topology.removeprefix("surgeon-")
        key = (original, size)
        paper = paper_table.loc[key] if key in paper_table.index else None

        def published_value(name: str, paper: Any = paper) -> float:
            return math.nan if paper is None else float(paper[name])

        rows.append(
            {
                "dataset": published.dataset_label(dataset, original),
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


def differences(runs: Sequence[Run]) -> pandas.DataFrame:
    """Paired differences in test accuracy of the Surgeon to the baseline and the random walk."""
    rows = []
    for dataset, original in {run.dataset: run.original for run in runs}.items():
        by_method: dict[str, dict[Any, float | None]] = {}
        for run in runs:
            if run.dataset == dataset:
                value = None if run.result is None else 100 * run.result["test_accuracy"]
                by_method.setdefault(run.method, {})[run.case] = value
        for against in (BASELINE, RANDOM_WALK):
            if SURGEON in by_method and against in by_method:
                paired = paired_difference(by_method[SURGEON], by_method[against])
                label = published.dataset_label(dataset, original)
                case = {"dataset": label, "method": SURGEON, "against": against}
                rows.append(case | paired.columns)
    return pandas.DataFrame(rows)


def claims(runs: Sequence[Run]) -> pandas.DataFrame:
    """The claims of the paper's text on re-draws and epochs, and our results."""
    claimed = published.table("surgeon-claims").set_index("claim")
    done = [run for run in runs if run.method == SURGEON and run.result is not None]
    redraws = [
        float(plan.redraws)
        for run in done
        for plan in run.folder.plans()
        if isinstance(plan, DecisionPlan)
    ]
    results = {
        "re-draws per decision point": redraws,
        "total epochs": [run.result["epochs_spent"] for run in done if run.result is not None],
    }
    rows = []
    for claim, values in results.items():
        mean = mean_and_sd(values).mean
        rows.append(
            {
                "claim": claim,
                "paper": f"{claimed.loc[claim, 'high']:g}",
                "mean": mean,
                "lowest": min(values, default=math.nan),
                "highest": max(values, default=math.nan),
                "unit": ""
                if claimed.loc[claim, "unit"] != claimed.loc[claim, "unit"]
                else "epochs",
                "difference": difference(mean, float(claimed.loc[claim, "high"])),
            }
        )
    return pandas.DataFrame(rows)
