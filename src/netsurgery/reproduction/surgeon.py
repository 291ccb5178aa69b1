"""The Surgeon's table 3: ours, the paper's, and the difference (2021)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pandas

from netsurgery.analysis.runs import BASELINE, SURGEON, WALK, Experiment, Run
from netsurgery.reproduction import published
from netsurgery.reproduction.ectonas import less
from netsurgery.reproduction.statistics import MeanAndSD, mean_and_sd, paired
from netsurgery.search.surgeon.plans import DecisionPlan

TOPOLOGIES = ("surgeon-small", "surgeon-medium", "surgeon-large")
METHODS = (SURGEON, WALK, BASELINE)


def ours(experiment: Experiment) -> list[Run]:
    """The runs of the Surgeon and its baselines."""
    searched = {run.topology for run in experiment.those((SURGEON, WALK))}
    known = searched | set(TOPOLOGIES)
    return [run for run in experiment.those(METHODS) if run.topology in known]


def kinds(runs: Sequence[Run]) -> list[tuple[str, str, str]]:
    """Datasets, what they stand for, and topologies, of which every row of a table is one."""
    return list(dict.fromkeys((run.dataset, run.original, run.topology) for run in runs))


def over(runs: Sequence[Run], value: Callable[[Any], float | None]) -> MeanAndSD:
    """The spread of something in the summaries."""
    return mean_and_sd([None if run.result is None else value(run.result) for run in runs])


def table3(runs: Sequence[Run]) -> pandas.DataFrame:
    """Validation accuracies in per cent and sizes, with the paper's beside them."""
    theirs = published.table("surgeon-table3").set_index(["dataset", "topology"])
    rows = []
    for dataset, original, topology in kinds(runs):
        members = [run for run in runs if (run.dataset, run.topology) == (dataset, topology)]
        plain = [run for run in members if run.method == BASELINE]
        searched = [run for run in members if run.method == SURGEON]
        base = over(plain, lambda s: 100 * s["val_accuracy"])
        best = over(searched, lambda s: 100 * s["val_accuracy"])
        grown = over(searched, lambda s: 100 * (s["parameters"] / s["start_parameters"] - 1))
        size = topology.removeprefix("surgeon-")
        key = (original, size)
        paper = theirs.loc[key] if key in theirs.index else None

        def told(name: str, paper: Any = paper) -> float:
            return math.nan if paper is None else float(paper[name])

        rows.append(
            {
                "dataset": published.called(dataset, original),
                "topology": size,
                "runs": f"{base.present} / {best.present}",
                "baseline": base.mean,
                "baseline sd": base.deviation,
                "paper baseline": 100 * told("baseline"),
                "Surgeon": best.mean,
                "Surgeon sd": best.deviation,
                "paper Surgeon": 100 * told("surgeon"),
                "difference": less(best.mean, 100 * told("surgeon")),
                "increase %": 100 * (best.mean / base.mean - 1) if base.count else math.nan,
                "paper increase %": told("increase"),
                "parameters %": grown.mean,
                "parameters sd": grown.deviation,
                "paper parameters %": told("parameters"),
            }
        )
    return pandas.DataFrame(rows)


def differences(runs: Sequence[Run]) -> pandas.DataFrame:
    """Test accuracy of the Surgeon less the baseline's and the random walk's, in pairs."""
    rows = []
    for dataset, original in {run.dataset: run.original for run in runs}.items():
        found: dict[str, dict[Any, float | None]] = {}
        for run in runs:
            if run.dataset == dataset:
                value = None if run.result is None else 100 * run.result["test_accuracy"]
                found.setdefault(run.method, {})[run.case] = value
        for against in (BASELINE, WALK):
            if SURGEON in found and against in found:
                difference = paired(found[SURGEON], found[against])
                called = published.called(dataset, original)
                which = {"dataset": called, "method": SURGEON, "against": against}
                rows.append(which | difference.row)
    return pandas.DataFrame(rows)


def claims(runs: Sequence[Run]) -> pandas.DataFrame:
    """What the paper's text says of re-draws and epochs, and what came out here."""
    told = published.table("surgeon-claims").set_index("claim")
    done = [run for run in runs if run.method == SURGEON and run.result is not None]
    redraws = [
        float(plan.redraws)
        for run in done
        for plan in run.folder.plans()
        if isinstance(plan, DecisionPlan)
    ]
    found = {
        "re-draws per decision point": redraws,
        "epochs in all": [run.result["epochs_spent"] for run in done if run.result is not None],
    }
    rows = []
    for claim, values in found.items():
        mean = mean_and_sd(values).mean
        rows.append(
            {
                "claim": claim,
                "paper": f"{told.loc[claim, 'high']:g}",
                "mean": mean,
                "lowest": min(values, default=math.nan),
                "highest": max(values, default=math.nan),
                "unit": "" if told.loc[claim, "unit"] != told.loc[claim, "unit"] else "epochs",
                "difference": less(mean, float(told.loc[claim, "high"])),
            }
        )
    return pandas.DataFrame(rows)
