"""ECToNAS's tables: ours, the paper's, and the difference (2024, tables 1, 2, 3, 5)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas

from netsurgery.analysis.runs import BASELINE, GREEDY, RANDOM, Experiment, Run
from netsurgery.reproduction import published
from netsurgery.reproduction.statistics import MeanAndSD, mean_and_sd, paired

HALF, SIZE_ALONE = "alpha 0.5", "alpha 0"
METHODS = (GREEDY, HALF, SIZE_ALONE, RANDOM, BASELINE)
TOPOLOGIES = ("cnn-small", "cnn-medium", "cnn-large", "ff-small", "ff-medium", "ff-large")
TABULAR = "adult"
OVERALL = "overall"


def ours(experiment: Experiment) -> list[Run]:
    """The classification runs of ECToNAS and its baselines; the paper has no regression."""
    return [
        run
        for run in experiment.those(METHODS)
        if run.topology in TOPOLOGIES
        and (run.result is None or run.result["test_accuracy"] is not None)
    ]


def accuracy(run: Run) -> float | None:
    """Test accuracy in per cent, where there is one."""
    return None if run.result is None else 100 * run.result["test_accuracy"]


def parameters(run: Run) -> float | None:
    """Trainable parameters of the final network."""
    return None if run.result is None else run.result["parameters"]


def less(ours: float, theirs: float) -> float:
    """A difference that is missing where either is."""
    return ours - theirs if math.isfinite(ours) and math.isfinite(theirs) else math.nan


def _paper(original: str, method: str) -> tuple[float, float, float]:
    """Accuracy, its deviation and the parameters in the paper; NaN where it has none."""
    table = published.table("ectonas-accuracy")
    row = table[(table["dataset"] == original) & (table["method"] == method)]
    if row.empty:
        return math.nan, math.nan, math.nan
    found = row.iloc[0]
    return float(found["accuracy"]), float(found["deviation"]), float(found["parameters"])


def accuracies(runs: Sequence[Run], methods: Sequence[str], *, overall: bool) -> pandas.DataFrame:
    """A row per dataset and method: test accuracy and size, the paper's, and the differences.

    Args:
        runs: of one experiment; all topologies and seeds of a dataset come together, as in the
            paper.
        methods: to show, in this order.
        overall: whether rows over all datasets follow.
    """
    datasets = {run.dataset: run.original for run in runs}
    groups = [
        (published.called(name, original), original, [r for r in runs if r.dataset == name])
        for name, original in datasets.items()
    ]
    if overall and len(groups) > 1:
        # what is no dataset of the paper is not in its average either
        known = [run for run in runs if not math.isnan(_paper(run.original, GREEDY)[0])]
        full = {run.original for run in known} >= set(
            published.table("ectonas-accuracy")["dataset"]
        ) - {OVERALL, TABULAR}
        groups.append((OVERALL, OVERALL if full else "", list(runs)))
    rows = []
    for words, original, members in groups:
        for method in methods:
            mine = [run for run in members if run.method == method]
            if not mine:
                continue
            reached, size = (
                mean_and_sd(list(map(accuracy, mine))),
                mean_and_sd(list(map(parameters, mine))),
            )
            theirs, deviation, count = _paper(original, method)
            rows.append(
                {
                    "dataset": words,
                    "method": method,
                    "runs": reached.present,
                    "accuracy": reached.mean,
                    "sd": reached.deviation,
                    "paper": theirs,
                    "paper sd": deviation,
                    "difference": less(reached.mean, theirs),
                    "parameters": size.mean,
                    "paper parameters": count,
                    "parameters / paper": size.mean / count if count else math.nan,
                }
            )
    return pandas.DataFrame(rows)


def crossings(runs: Iterable[Run], methods: Sequence[str]) -> pandas.DataFrame:
    """Table 3: how many searches of each kind of start end at which kind, by dataset and method."""
    theirs = published.table("ectonas-crossings").set_index(["method", "start"])
    rows: list[dict[str, Any]] = []
    groups: dict[tuple[str, str, str, bool], list[Run]] = {}
    for run in runs:
        if run.method in methods:
            key = run.dataset, run.original, run.method, run.starts_with_convolutions
            groups.setdefault(key, []).append(run)
    order = sorted(
        groups, key=lambda key: (key[1] != TABULAR, key[0], not key[3], methods.index(key[2]))
    )
    for dataset, original, method, convolutional in order:
        members = groups[dataset, original, method, convolutional]
        done = [run for run in members if run.result is not None]
        ended = sum(run.ends_with_convolutions for run in done)
        crossed = len(done) - ended if convolutional else ended
        start = "cnn" if convolutional else "ffnn"
        share = 100 * crossed / len(done) if done else math.nan
        row = {
            "dataset": published.called(dataset, original),
            "start": start.upper(),
            "method": method,
            "runs": str(len(done))
            if len(done) == len(members)
            else f"{len(done)} of {len(members)}",
            "to CNN": ended,
            "to FFNN": len(done) - ended,
            "crossing %": share,
        }
        if original == TABULAR and (method, start) in theirs.index:
            cnn, ffnn = theirs.loc[(method, start)]
            told = 100 * (ffnn if convolutional else cnn) / (cnn + ffnn)
            row |= {
                "paper to CNN": cnn,
                "paper to FFNN": ffnn,
                "paper crossing %": told,
                "difference": less(share, told),
            }
        rows.append(row)
    return pandas.DataFrame(rows)


def differences(runs: Sequence[Run], methods: Iterable[str]) -> pandas.DataFrame:
    """Test accuracy of each method less that of the baseline and of random mode, in pairs.

    A pair has dataset, topology and seed in common, and so the split. The interval holds the mean
    difference with 95 % confidence.
    """
    rows = []
    found: dict[tuple[str, str], dict[Any, float | None]] = {}
    for run in runs:
        found.setdefault((run.dataset, run.method), {})[run.case] = accuracy(run)
    for dataset, original in {run.dataset: run.original for run in runs}.items():
        for method in methods:
            for against in (BASELINE, RANDOM):
                pair = found.get((dataset, method)), found.get((dataset, against))
                if method == against or pair[0] is None or pair[1] is None:
                    continue
                difference = paired(pair[0], pair[1])
                called = published.called(dataset, original)
                which = {"dataset": called, "method": method, "against": against}
                rows.append(which | difference.row)
    return pandas.DataFrame(rows)


def from_scratch(run: Run) -> tuple[float, float] | None:
    """Parts of the training saved against training every candidate of a search from scratch.

    Each of them for as many epochs as its weights had received when it was eliminated; and each for
    as many as those of the winner. None for what has no candidates or is not finished.
    """
    if run.result is None or not run.result["generations"]:
        return None
    rows = pandas.read_csv(run.folder.lineage)
    spent = run.result["epochs_spent"]
    received = float(rows["epochs_trained"].sum())
    alike = len(rows) * run.result["epochs_trained"]
    return 1 - spent / received, 1 - spent / alike


def costs(runs: Sequence[Run], methods: Iterable[str]) -> pandas.DataFrame:
    """What searches took: epochs, candidates, time, and what inheriting weights saved."""
    rows = []
    for dataset, original in {run.dataset: run.original for run in runs}.items():
        for method in methods:
            members = [r for r in runs if r.dataset == dataset and r.method == method]
            if not members:
                continue
            saved = [from_scratch(run) for run in members]

            def over(key: str, members: list[Run] = members) -> MeanAndSD:
                return mean_and_sd(
                    [None if r.result is None else r.result.get(key) for r in members]
                )

            rows.append(
                {
                    "dataset": published.called(dataset, original),
                    "method": method,
                    "runs": over("epochs_spent").present,
                    "candidates": over("candidates").mean,
                    "generations": over("generations").mean,
                    "epochs spent": over("epochs_spent").mean,
                    "of the winner": over("epochs_trained").mean,
                    "training minutes": over("wall_seconds").mean / 60,
                    "saved, each as it had %": 100
                    * mean_and_sd([None if s is None else s[0] for s in saved]).mean,
                    "saved, each as the winner %": 100
                    * mean_and_sd([None if s is None else s[1] for s in saved]).mean,
                }
            )
    return pandas.DataFrame(rows)


def _range(low: float, high: float) -> str:
    if high != high:
        return "–"  # noqa: RUF001
    return f"up to {high:g}" if low != low else f"{low:g} to {high:g}"


def claims(runs: Sequence[Run]) -> pandas.DataFrame:
    """What the paper's text says, and what came out here."""
    told = published.table("ectonas-claims").set_index("claim")
    searches = [run for run in runs if run.method != BASELINE and run.result is not None]
    saved = [s for s in map(from_scratch, searches) if s is not None]
    balanced = [run for run in searches if run.method in (HALF, SIZE_ALONE)]
    found = {
        "training saved against training every candidate from scratch, as long as the winner": [
            100 * s[1] for s in saved
        ],
        "the same, each candidate only as long as it had been trained": [100 * s[0] for s in saved],
        "epochs that the final network's weights received": [
            run.result["epochs_trained"] for run in searches if run.result is not None
        ],
        "wall time of a run": [
            run.result.get("wall_seconds", math.nan) / 60
            for run in searches
            if run.result is not None
        ],
        "parameters saved by the balanced modes": [
            100 * (1 - run.result["parameters"] / run.result["start_parameters"])
            for run in balanced
            if run.result is not None
        ],
    }
    rows = []
    for claim, values in found.items():
        low, high, unit = told.loc[claim, ["low", "high", "unit"]]
        mean = mean_and_sd(values).mean
        nearest = min(max(mean, low if low == low else mean), high) if low == low else high
        rows.append(
            {
                "claim": claim,
                "paper": _range(low, high),
                "mean": mean,
                "lowest": min(values, default=math.nan),
                "highest": max(values, default=math.nan),
                "unit": unit,
                "difference": less(mean, nearest),
            }
        )
    return pandas.DataFrame(rows)
