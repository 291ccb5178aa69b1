"""The claims of ECToNAS's text, each with our figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas

from netsurgery.reproduction import claims, published
from netsurgery.reproduction.claims import NOTHING, Claim, Finding, Verdict
from netsurgery.reproduction.ectonas import (
    HALF,
    SIZE_ALONE,
    TABULAR,
    accuracy,
)
from netsurgery.reproduction.paper_runs import PaperRun
from netsurgery.reproduction.statistics import Difference, interval_of_mean, paired_difference
from netsurgery.search.methods import BASELINE, GREEDY, RANDOM
from netsurgery.surgery.operations import ADD_CONV_CELL, REMOVE_CONV_CELL

BALANCED = (HALF, SIZE_ALONE)
BUDGET = 1000  # epochs
SEEDS = (42, 13, 28)  # the first one of the paper, and the two that confirm it


def table(runs: Sequence[PaperRun], trials: Path, scale: float) -> pandas.DataFrame:
    """All claims, ours beside them.

    Args:
        runs: of ECToNAS and its baselines.
        trials: the summary of the pooling trials, which may be missing.
        scale: of the experiment.
    """
    images = [run for run in runs if run.original != TABULAR]
    adult = [run for run in runs if run.original == TABULAR]
    searches = [run for run in runs if run.method != BASELINE and run.result is not None]
    findings: dict[str, claims.Find] = {
        "greedy-baseline": lambda claim: claims.of_cases(
            Claim(0, claim.high), gains(images, (GREEDY,), BASELINE), " points"
        ),
        "random-baseline": lambda claim: claims.of_cases(
            claim, gains(images, (RANDOM,), BASELINE), " points"
        ),
        "greedy-balanced": lambda claim: claims.of_cases(
            claim, gains(images, BALANCED, GREEDY, sign=-1), " points"
        ),
        "balanced-size": partial(of_sizes, images),
        "balanced-baseline": partial(in_almost_all, images),
        "saved": partial(of_savings, searches),
        "final-epochs": lambda claim: claims.of_mean(
            claim, of_summaries(searches, "epochs_trained"), " epochs"
        ),
        "wall-time": lambda claim: claims.of_mean(
            claim, [s / 60 for s in of_summaries(searches, "wall_seconds")], " minutes"
        ),
        "seeds": partial(of_seeds, images),
        "prefers-cells": partial(of_cells, searches),
        "balanced-to-dense": partial(of_crossings, adult, BALANCED, True),
        "balanced-to-cnn": partial(of_crossings, adult, BALANCED, False),
        "greedy-to-cnn": partial(of_crossings, adult, (GREEDY,), False),
        "greedy-to-dense": partial(of_crossings, adult, (GREEDY,), True),
        "adult-greedy": partial(greedy_is_first, adult),
        "adult-size": partial(directions_of_size, adult),
        "pooling-average": partial(of_pooling, trials, "average"),
        "pooling-max": partial(of_pooling, trials, "max"),
    }
    full = scale == 1 and all(run.settings.get("budget") == BUDGET for run in searches)
    return claims.table("ectonas-claims", findings, full=full)


def of_summaries(runs: Sequence[PaperRun], key: str) -> list[float]:
    """A value of the summaries of finished runs."""
    return [run.result[key] for run in runs if run.result and run.result.get(key) is not None]


def growths(runs: Sequence[PaperRun]) -> list[float]:
    """The change of the number of parameters of finished runs, in percent."""
    done = (run.result for run in runs)
    return [100 * (s["parameters"] / s["start_parameters"] - 1) for s in done if s is not None]


def gains(
    runs: Sequence[PaperRun], methods: Sequence[str], against: str, sign: int = 1
) -> dict[str, Difference]:
    """Paired differences in test accuracy by dataset, over several methods.

    Args:
        runs: of one experiment.
        methods: whose accuracies count.
        against: the method that they are compared with.
        sign: -1 for the difference the other way round.
    """
    found: dict[str, Difference] = {}
    for name, original in {run.dataset: run.original for run in runs}.items():
        members = [run for run in runs if run.dataset == name]
        reference = {run.case: accuracy(run) for run in members if run.method == against}
        values = {(run.method, run.case): accuracy(run) for run in members if run.method in methods}
        pairs = {key: reference.get(key[1]) for key in values}
        one, other = (values, pairs) if sign == 1 else (pairs, values)
        paired = paired_difference(one, other)
        if paired.pairs:
            found[published.dataset_label(name, original)] = paired
    return found


def of_sizes(runs: Sequence[PaperRun], claim: Claim) -> Finding:
    """How much smaller the networks of the balanced modes are, in percent."""
    saved = [-growth for growth in growths([run for run in runs if run.method in BALANCED])]
    return claims.of_mean(claim, saved, " %")


def in_almost_all(runs: Sequence[PaperRun], claim: Claim) -> Finding:
    """In how many cases of a dataset and a greediness the balanced mode reaches the baseline."""
    means = {
        f"{name}, {method}": mean
        for method in BALANCED
        for name, mean in gains(runs, (method,), BASELINE).items()
    }
    if not means:
        return NOTHING
    reached = [mean.mean >= 0 for mean in means.values()]
    below = [mean.high < 0 for mean in means.values()]
    figure = f"in {claims.count(reached)} cases, surely below in {sum(below)}"
    if len(reached) - sum(reached) <= len(reached) / 6:  # 10 of the paper's 12 cases
        return Finding(figure, Verdict.HOLDS)
    return Finding(figure, Verdict.FAILS if sum(below) > len(below) / 6 else Verdict.OPEN)


def of_savings(searches: Sequence[PaperRun], claim: Claim) -> Finding:
    """Training saved compared with training each candidate as long as the winner."""
    saved = [100 * run.savings[1] for run in searches if run.savings is not None]
    if not saved:
        return NOTHING
    figure = f"{claims.with_interval(interval_of_mean(saved), ' %')}, at most {max(saved):.0f} %"
    if max(saved) >= claim.high - 5:  # "around"
        return Finding(figure, Verdict.HOLDS)
    return Finding(figure, Verdict.FAILS if len(saved) > 1 else Verdict.OPEN)


def of_seeds(runs: Sequence[PaperRun], claim: Claim) -> Finding:
    """Whether greedy search is above baseline and random mode with each of the paper's seeds."""
    found = {
        f"seed {seed}": [
            mean.mean >= 0
            for against in (BASELINE, RANDOM)
            for mean in gains([r for r in runs if r.seed == seed], (GREEDY,), against).values()
        ]
        for seed in SEEDS
    }
    if not all(found.values()):
        return NOTHING
    figure = "greedy search is above baseline and random mode in " + ", ".join(
        f"{claims.count(above)} cases with {seed}" for seed, above in found.items()
    )
    first, *others = (sum(above) / len(above) for above in found.values())
    alike = all((other > 0.5) == (first > 0.5) for other in others)
    return Finding(figure, Verdict.HOLDS if alike else Verdict.FAILS)


def of_cells(searches: Sequence[PaperRun], claim: Claim) -> Finding:
    """Conv cells that the winners' lineages added and removed."""
    operations = [operation for run in searches for operation in run.operations]
    added = operations.count(ADD_CONV_CELL.name)
    removed = operations.count(REMOVE_CONV_CELL.name)
    if not added + removed:
        return NOTHING
    figure = f"{added} added, {removed} removed in the winners' lineages"
    return Finding(figure, Verdict.HOLDS if added > removed else Verdict.FAILS)


def of_crossings(
    runs: Sequence[PaperRun], methods: Sequence[str], convolutional: bool, claim: Claim
) -> Finding:
    """Searches that end at the other kind of network than they start from."""
    done = [
        run
        for run in runs
        if run.method in methods
        and run.result is not None
        and run.starts_convolutional == convolutional
    ]
    if not done:
        return NOTHING
    crossed = [run.ends_convolutional != convolutional for run in done]
    share = 100 * sum(crossed) / len(crossed)
    within = max(claim.low, 0) <= share <= claim.high
    figure = f"{claims.count(crossed)} ({share:.0f} %)"
    return Finding(figure, Verdict.HOLDS if within else Verdict.FAILS)


def greedy_is_first(runs: Sequence[PaperRun], claim: Claim) -> Finding:
    """Greedy search against each other method."""
    means: dict[str, Difference] = {}
    for method in (BASELINE, RANDOM, *BALANCED):
        for mean in gains(runs, (GREEDY,), method).values():
            means[f"over {method}"] = mean
    return claims.of_cases(Claim(0, claim.high), means, " points")


def directions_of_size(runs: Sequence[PaperRun], claim: Claim) -> Finding:
    """Whether sizes change in the direction of the paper's."""
    downward = {HALF: True, SIZE_ALONE: True, GREEDY: False, RANDOM: False}
    found: dict[str, Difference] = {}
    for method in downward:
        if values := growths([run for run in runs if run.method == method]):
            found[method] = interval_of_mean(values)
    signed = {
        method: Difference(-mean.mean, -mean.high, -mean.low, mean.pairs)
        if downward[method]
        else mean
        for method, mean in found.items()
    }
    above = Claim(0, claim.high)
    return Finding(claims.in_each(found, " %"), above.judge_all(signed)) if found else NOTHING


def of_pooling(trials: Path, pooling: str, claim: Claim) -> Finding:
    """Right after surgery: structured pooling and random cuts anywhere."""
    if not trials.exists():
        return NOTHING
    rows: Mapping[tuple[str, str], float] = (
        pandas.read_csv(trials).set_index(["pooling", "rule"])["right_after"].to_dict()
    )
    structured = rows[pooling, "structured"]
    cuts = [rows[pooling, rule] for rule in ("random", "random_anywhere")]
    better = [structured > cut if pooling == "average" else structured < cut for cut in cuts]
    verdict = Verdict.OPEN if any(better) else Verdict.FAILS
    figure = (
        f"{100 * structured:.1f} % against {100 * cuts[0]:.1f} % (one weight of each block kept)"
        f" and {100 * cuts[1]:.1f} % (weights kept anywhere)"
    )
    return Finding(figure, Verdict.HOLDS if all(better) else verdict)
