"""All tables of a paper, from the finished runs of an experiment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas

from netsurgery.analysis.runs import Experiment
from netsurgery.config.scaling import describe_scale
from netsurgery.reproduction import ectonas, ectonas_claims, surgeon, surgeon_claims
from netsurgery.reproduction.tables import Table
from netsurgery.search.methods import BASELINE, GREEDY, RANDOM, RANDOM_WALK, SURGEON

VERDICTS = (
    "A claim on a mean does not hold if the 95 % confidence interval of ours (in brackets, with the"
    " number of runs) contradicts it; where only our mean does, nothing can be said."
)
PAIRED = "Pairs share dataset, topology and seed; 95 % confidence intervals by Student's t."


def ectonas_tables(experiment: Experiment) -> list[Table]:
    """Tables 1 to 5 of ECToNAS, if there are runs for them, and the claims of its text."""
    runs, scale = ectonas.ectonas_runs(experiment), describe_scale(experiment.scale)
    images = [run for run in runs if run.original != ectonas.TABULAR]
    tabular = [run for run in runs if run.original == ectonas.TABULAR]
    tables = []
    pooled = "Test accuracy in %, mean ± standard deviation over all topologies and seeds."
    if images:
        methods: Sequence[str] = (GREEDY, BASELINE, RANDOM)
        frame = ectonas.accuracies(images, methods, overall=True)
        title = "Table 1: greedy search, baseline and random mode"
        tables.append(Table("table1", title, f"{pooled} {scale}", frame))
        methods = (GREEDY, ectonas.HALF, ectonas.SIZE_ALONE)
        frame = ectonas.accuracies(images, methods, overall=True)
        tables.append(Table("table2", "Table 2: greediness", f"{pooled} {scale}", frame))
    if runs:
        frame = ectonas.crossings(runs, (GREEDY, ectonas.HALF, ectonas.SIZE_ALONE))
        caption = "Searches by kind of starting and final network; the paper's are for Adult."
        title = "Table 3: crossings between kinds of networks"
        tables.append(Table("table3", title, f"{caption} {scale}", frame))
    trials = experiment.pooling_trials
    if trials.exists():
        tables.append(
            Table("table4", "Table 4: pooling trials", pooling_caption(scale), _pooling(trials))
        )
    if tabular:
        methods = (BASELINE, GREEDY, ectonas.HALF, ectonas.SIZE_ALONE, RANDOM)
        frame = ectonas.accuracies(tabular, methods, overall=False)
        tables.append(Table("table5", "Table 5: Adult", f"{pooled} {scale}", frame))
    if runs:
        searched = (GREEDY, ectonas.HALF, ectonas.SIZE_ALONE, RANDOM)
        frame = ectonas.differences(runs, searched)
        if len(frame):
            caption = f"Test accuracy in percentage points. {PAIRED} {scale}"
            tables.append(Table("differences", "Paired differences", caption, frame))
        caption = (
            "Means per search. Saved: compared with training every candidate from scratch, for the"
            f" epochs that its own weights, or the winner's, were trained for. {scale}"
        )
        frame = ectonas.costs(runs, ectonas.METHODS)
        tables.append(Table("costs", "Cost of the searches", caption, frame))
        if len({run.seed for run in runs if run.method in searched}) > 1:
            caption = f"Test accuracy in %, mean over all topologies. {scale}"
            frame = ectonas.seeds(runs, ectonas.METHODS)
            tables.append(Table("seeds", "Results by seed", caption, frame))
        frame = ectonas_claims.table(runs, trials, experiment.scale)
        tables.append(Table("claims", "Claims of the text", f"{VERDICTS} {scale}", frame))
    return tables


def pooling_caption(scale: str) -> str:
    """The caption of the pooling trials."""
    return (
        "Validation accuracy in % by rule for the weights of the first dense layer, immediately"
        f" after inserting the pooling layer and after one epoch. {scale}"
    )


def _pooling(path: Path) -> pandas.DataFrame:
    means = pandas.read_csv(path)
    rows = pandas.DataFrame(
        {
            "pooling": means["pooling"],
            "rule": means["rule"].str.replace("_", " "),
            "runs": means["seeds"].astype(str),
        }
    )
    for stage, label in (
        ("before", "before"),
        ("right_after", "right after"),
        ("after_epoch", "1 epoch"),
    ):
        rows[label] = 100 * means[stage]
        rows[f"{label} sd"] = 100 * means[f"{stage}_deviation"]
        if stage != "before":
            rows[f"paper, {label}"] = 100 * means[f"paper_{stage}"]
            rows[f"difference, {label}"] = rows[label] - rows[f"paper, {label}"]
    return rows


def surgeon_tables(experiment: Experiment) -> list[Table]:
    """Table 3 of the Surgeon, table 2 of its ICLR submission, and the claims of both texts."""
    runs, scale = surgeon.surgeon_runs(experiment), describe_scale(experiment.scale)
    if not any(run.method in (SURGEON, RANDOM_WALK) for run in runs):
        return []
    caption = (
        "Validation accuracy in %, mean ± standard deviation over the seeds (runs: baseline /"
        " Surgeon); change of the number of parameters in %."
    )
    iclr = surgeon.of_iclr(runs)
    tables = [
        Table(
            "table3",
            "Table 3: the Surgeon and its baseline",
            f"{caption} {surgeon.notes(runs)} {scale}".replace("  ", " "),
            surgeon.accuracies(runs, surgeon.JOURNAL),
        )
    ]
    if iclr:
        title = "Table 2 of the version submitted to ICLR 2021"
        frame = surgeon.accuracies(iclr, surgeon.ICLR)
        tables.append(Table("iclr-table2", title, f"{caption} {scale}", frame))
    frame = surgeon.differences(runs)
    if len(frame):
        caption = f"Test accuracy in percentage points. {PAIRED} {scale}"
        tables.append(Table("differences", "Paired differences", caption, frame))
    if surgeon.of_journal(runs):
        frame = surgeon_claims.journal(runs, experiment.scale)
        tables.append(Table("claims", "Claims of the text", f"{VERDICTS} {scale}", frame))
    if iclr:
        title = "Claims of the version submitted to ICLR 2021"
        caption = f"On SVHN, and CIFAR-10 enlarged sixfold. {VERDICTS} {scale}"
        frame = surgeon_claims.iclr(runs, experiment.scale)
        tables.append(Table("iclr-claims", title, caption, frame))
    return tables


TABLES: dict[str, Callable[[Experiment], list[Table]]] = {
    "ectonas": ectonas_tables,
    "surgeon": surgeon_tables,
}
