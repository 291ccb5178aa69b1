"""`netsurgery results`: list the finished searches and their files."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from netsurgery.analysis.finished import FinishedSearch, finished_searches, useless_networks
from netsurgery.analysis.references.results import read_references
from netsurgery.analysis.test_figures import figure_of
from netsurgery.cli.arguments import Subparsers, add_results_folder, require_folder
from netsurgery.cli.tables import format_table
from netsurgery.reproduction.statistics import mean_and_sd

HEADER = (
    "search",
    "seed",
    "test accuracy",
    "parameters",
    "multiplications",
    "epochs spent",
    "epochs trained",
)


def add_parser(commands: Subparsers) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "results",
        help="list the finished searches and their files",
        description="List the finished searches and their files. Multiplications are those of the"
        " final network for one sample. Epochs spent are those of all candidates; epochs trained"
        " are those that the final weights received. The test result is the accuracy, or of a"
        " regression r2, the explained share of the variance. Indented are reference models (see"
        " the setting `reference`).",
    )
    command.set_defaults(run=run)
    add_results_folder(command)


def run(given: argparse.Namespace) -> None:
    """Print the table."""
    require_folder(given.folder)
    print(describe(given.folder))


def describe(results: Path) -> str:
    """Return a table of the finished searches in a results folder, and where their files are."""
    searches = finished_searches(results)
    if not searches:
        return f"{results}: no finished search"
    rows = [row for search in searches for row in (_row(search), *_references(search))]
    header = [*HEADER]
    if any(search.summary["test_accuracy"] is None for search in searches):
        header[2] = "test result"
    lines = [format_table([header, *rows]), *_means(searches), *useless_networks(searches), ""]
    for search in searches:
        lines += [
            f"{search.name}, seed{search.seed}",
            f"  model    {search.model}",
            f"  lineage  {search.lineage_file}",
        ]
    for name, path in (("report", results / "report.html"), ("MLflow", results / "mlflow.db")):
        if path.exists():
            lines.append(f"{name:10} {path}")
    return "\n".join(lines)


def _means(searches: Sequence[FinishedSearch]) -> Iterator[str]:
    """A line for each search that ran with several seeds."""
    for name, members in itertools.groupby(searches, key=lambda search: search.name):
        summaries = [member.summary for member in members]
        if len(summaries) < 2:
            continue
        accuracies = [summary["test_accuracy"] for summary in summaries]
        if None in accuracies:
            found = mean_and_sd([summary["test_score"] for summary in summaries])
            score = f"{found.mean:.4g} ± {found.deviation:.2g}"
            kind = summaries[0]["objective"].removeprefix("val_")
        else:
            found, kind = mean_and_sd(accuracies), "accuracy"
            score = f"{found.mean:.1%} ± {100 * found.deviation:.1f}"
        yield f"{name}: test {kind} {score} (mean ± standard deviation of {len(summaries)} seeds)"


def _row(search: FinishedSearch) -> tuple[str, ...]:
    summary = search.summary
    parameters = str(summary["parameters"])
    return (
        search.name,
        str(search.seed),
        figure_of(summary),
        f"{summary['start_parameters']} -> {parameters}" if summary["generations"] else parameters,
        str(summary.get("multiplications", "-")),  # missing in 0.1
        f"{summary['epochs_spent']:.1f}",
        f"{summary['epochs_trained']:.1f}",
    )


def _references(search: FinishedSearch) -> Iterator[tuple[str, ...]]:
    """The rows of models that are no networks, on the same split."""
    for reference in read_references(search.folder):
        yield f"  {reference.name}", str(search.seed), reference.result, *("-" for _ in HEADER[3:])
