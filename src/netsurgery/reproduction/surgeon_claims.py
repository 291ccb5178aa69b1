"""The claims of both texts on the Surgeon, each with our figure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas

from netsurgery.datasets.augmentation import SIXFOLD
from netsurgery.reproduction import claims
from netsurgery.reproduction.claims import NOTHING, Claim, Finding, Verdict
from netsurgery.reproduction.paper_runs import PaperRun
from netsurgery.reproduction.statistics import Difference, interval_of_mean, paired_difference
from netsurgery.reproduction.surgeon import by_case, of_iclr, of_journal, published_name
from netsurgery.search.methods import BASELINE, SURGEON

RESCUED = 0.05  # validation accuracy above all baselines
CONVERGED = 0.01  # within a point of the best accuracy
INSUFFICIENT = 0.5  # of the accuracy of the best start
EARLY = 0.8  # of the epochs
EPOCHS = 100


def journal(runs: Sequence[PaperRun], scale: float) -> pandas.DataFrame:
    """The claims of the journal's text, about data as it describes them.

    Args:
        runs: of the Surgeon and its baselines.
        scale: of the experiment.
    """
    own = of_journal(runs)
    eurosat = select(own, "eurosat", "small")
    findings: dict[str, claims.Find] = {
        **of_costs(own),
        "baseline": partial(reaches_baseline, own),
        "insufficient": partial(of_insufficient, own),
        "large": lambda claim: claims.of_cases(
            claim, increases([r for r in own if r.topology == "surgeon-large"]), " %"
        ),
        "smaller": partial(of_reductions, own),
        "rescue": lambda claim: claims.of_mean(claim, accuracies(eurosat, SURGEON), " %"),
    }
    return claims.table("surgeon-claims", findings, full=trains_as_published(own, scale))


def iclr(runs: Sequence[PaperRun], scale: float) -> pandas.DataFrame:
    """The claims of the version submitted to ICLR 2021, about its own data.

    Args:
        runs: of the Surgeon and its baselines.
        scale: of the experiment.
    """
    own = of_iclr(runs)
    enlarged = [run for run in own if published_name(run) == f"cifar10-{SIXFOLD}"]
    small, large = (select(own, "svhn", size) for size in ("small", "large"))
    findings: dict[str, claims.Find] = {
        **of_costs(own),
        "baseline": partial(reaches_baseline, own),
        "rescued": partial(of_rescues, small),
        "rescued-accuracy": lambda claim: claims.of_figure(
            claim, [value for value, rescued in rescues(small) if rescued], " %"
        ),
        "svhn-size": lambda claim: claims.of_figure(claim, growths(large), " %"),
        "cifar10-size": lambda claim: claims.of_cases(
            claim,
            {
                name: interval_of_mean(values)
                for name, values in growths_by_case(enlarged).items()
                if values
            },
            " %",
        ),
    }
    return claims.table("surgeon-iclr-claims", findings, full=trains_as_published(own, scale))


def trains_as_published(runs: Sequence[PaperRun], scale: float) -> bool:
    """Whether the winners of all searches train for as many epochs as the paper's."""
    done = finished(runs, SURGEON)
    return scale == 1 and all(run.settings.get("epochs") == EPOCHS for run in done)


def of_costs(runs: Sequence[PaperRun]) -> dict[str, claims.Find]:
    """The claims on re-draws, epochs and convergence, which both texts make."""
    done = finished(runs, SURGEON)
    return {
        "redraws": lambda claim: claims.of_figure(claim, redraws(done), "", 2),
        "epochs": lambda claim: claims.of_figure(
            claim, [run.result["epochs_spent"] for run in done if run.result], " epochs"
        ),
        "converged": partial(of_convergence, done),
    }


def select(runs: Sequence[PaperRun], data: str, size: str) -> list[PaperRun]:
    """The runs of one row of a published table."""
    return [r for r in runs if published_name(r) == data and r.topology == f"surgeon-{size}"]


def finished(runs: Sequence[PaperRun], method: str) -> list[PaperRun]:
    """The finished runs of a method."""
    return [run for run in runs if run.method == method and run.result is not None]


def accuracies(runs: Sequence[PaperRun], method: str) -> list[float]:
    """The validation accuracies of a method's finished runs, in percent."""
    return [100 * run.result["val_accuracy"] for run in finished(runs, method) if run.result]


def growths(runs: Sequence[PaperRun]) -> list[float]:
    """The change of the number of parameters by the Surgeon, in percent."""
    done = (run.result for run in finished(runs, SURGEON))
    return [100 * (s["parameters"] / s["start_parameters"] - 1) for s in done if s is not None]


def name_of(data: str, topology: str) -> str:
    """A row of a table as text."""
    return f"{data} {topology.removeprefix('surgeon-')}"


def growths_by_case(runs: Sequence[PaperRun]) -> dict[str, list[float]]:
    """The changes of size by data and topology."""
    return {name_of(*case): growths(members) for case, members in by_case(runs).items()}


def paired_gains(runs: Sequence[PaperRun]) -> dict[str, Difference]:
    """Gains in validation accuracy over the baseline with the same seed, in points, by case."""
    found = {}
    for case, members in by_case(runs).items():
        one, other = (
            {run.case: 100 * run.result["val_accuracy"] for run in each if run.result}
            for each in (finished(members, SURGEON), finished(members, BASELINE))
        )
        paired = paired_difference(one, other)
        if paired.pairs:
            found[name_of(*case)] = paired
    return found


def increases(runs: Sequence[PaperRun]) -> dict[str, Difference]:
    """Relative increases of validation accuracy over the baseline in percent, by case."""
    found = {}
    for case, members in by_case(runs).items():
        before = {
            run.case: run.result["val_accuracy"]
            for run in finished(members, BASELINE)
            if run.result
        }
        values = [
            100 * (run.result["val_accuracy"] / before[run.case] - 1)
            for run in finished(members, SURGEON)
            if run.result and before.get(run.case)
        ]
        if values:
            found[name_of(*case)] = interval_of_mean(values)
    return found


def reaches_baseline(runs: Sequence[PaperRun], claim: Claim) -> Finding:
    """The gain over the baseline in every case."""
    return claims.of_cases(claim, paired_gains(runs), " points")


def insufficient(runs: Sequence[PaperRun]) -> list[PaperRun]:
    """The runs from starts that train to less than half the accuracy of another on their data."""
    reached: dict[str, dict[str, float]] = {}
    for (data, topology), members in by_case(runs).items():
        if values := accuracies(members, BASELINE):
            reached.setdefault(data, {})[topology] = float(np.mean(values))
    return [
        run
        for (data, topology), members in by_case(runs).items()
        for run in members
        if topology in (own := reached.get(data, {}))
        and own[topology] < INSUFFICIENT * max(own.values())
    ]


def of_insufficient(runs: Sequence[PaperRun], claim: Claim) -> Finding:
    """The largest relative increase from an insufficient start."""
    found = increases(insufficient(runs))
    if not found:
        return NOTHING if not increases(runs) else Finding("no start is insufficient", Verdict.OPEN)
    name, most = max(found.items(), key=lambda item: item[1].mean)
    figure = f"most on {name}: {claims.with_interval(most, ' %')}"
    return Finding(figure, claim.judge(most))


def of_reductions(runs: Sequence[PaperRun], claim: Claim) -> Finding:
    """The largest reduction of a search that reaches its baseline's validation accuracy."""
    before = {
        run.case: run.result["val_accuracy"] for run in finished(runs, BASELINE) if run.result
    }
    done = [run for run in finished(runs, SURGEON) if run.case in before]
    reached = [
        -growth
        for run, growth in zip(done, growths(done), strict=True)
        if run.result and run.result["val_accuracy"] >= before[run.case]
    ]
    if not done:
        return NOTHING
    enough = [value >= claim.low for value in reached]
    figure = f"in {sum(enough)} of {len(done)} searches"
    if any(enough):
        figure += f", at most {max(reached):.0f} %"
    return Finding(figure, Verdict.HOLDS if any(enough) else Verdict.FAILS)


def rescues(runs: Sequence[PaperRun]) -> list[tuple[float, bool]]:
    """Validation accuracies in percent, and whether each is clearly above all baselines."""
    baselines = accuracies(runs, BASELINE)
    if not baselines:
        return []
    level = max(baselines) + 100 * RESCUED
    return [(value, value > level) for value in accuracies(runs, SURGEON)]


def of_rescues(runs: Sequence[PaperRun], claim: Claim) -> Finding:
    """The share of rescued runs."""
    found = [rescued for _, rescued in rescues(runs)]
    if not found:
        return NOTHING
    share = interval_of_mean([100.0 * rescued for rescued in found])
    return Finding(f"{share.mean:.0f} % ({claims.count(found)})", claim.agrees(share))


def redraws(runs: Sequence[PaperRun]) -> list[float]:
    """The re-draws of all decision points."""
    return [float(each) for run in runs for each in run.redraws]


def of_convergence(runs: Sequence[PaperRun], claim: Claim) -> Finding:
    """How many searches come within a point of their best accuracy early."""
    shares = [share for share in map(converged_at, runs) if share is not None]
    if not shares:
        return NOTHING
    early = [share <= EARLY for share in shares]
    figure = (
        f"{claims.count(early)} are within a point of their best accuracy before"
        f" {100 * EARLY:.0f} % of their epochs"
    )
    return Finding(figure, Verdict.HOLDS if sum(early) > len(early) / 2 else Verdict.FAILS)


def converged_at(run: PaperRun) -> float | None:
    """The share of a search's epochs after which its accuracy is within a point of its best."""
    epochs, values = run.curve
    if not len(values) or not np.isfinite(values).any():
        return None
    reached = np.flatnonzero(values >= np.nanmax(values) - CONVERGED)
    return float(epochs[reached[0]] / epochs[-1])
