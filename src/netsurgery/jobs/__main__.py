"""The command line of the jobs that do not train: `python -m netsurgery.jobs <command>`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from netsurgery import datasets
from netsurgery.jobs import ectonas, surgeon
from netsurgery.jobs.exit_messages import exit_with_message
from netsurgery.processes.process_exit import exit_with_workflow
from netsurgery.search.ectonas.plans import GenerationBudget
from netsurgery.search.layout import SearchFolder
from netsurgery.search.surgeon.plans import parse_allowance
from netsurgery.storage.settings import from_settings


def _search_folder(path: str) -> SearchFolder:
    return SearchFolder(Path(path))


def parser() -> argparse.ArgumentParser:
    """The commands, one per rule."""
    whole = argparse.ArgumentParser(prog="python -m netsurgery.jobs", allow_abbrev=False)
    commands = whole.add_subparsers(dest="command", required=True)

    def command(name: str, **arguments: object) -> None:
        added = commands.add_parser(name, allow_abbrev=False)
        for argument, kind in arguments.items():
            added.add_argument(f"--{argument}", type=kind, required=True)  # type: ignore[arg-type]

    folder, settings = _search_folder, json.loads
    command("prepare_dataset", dataset=str, settings=settings, output=Path)
    command("split_dataset", data=Path, settings=settings, seed=int, output=Path)
    command(
        "plan_generation",
        winners=Path,
        generation=int,
        settings=settings,
        seed=int,
        allowance=str,
        output=Path,
    )
    command(
        "plan_try",
        folder=folder,
        generation=int,
        attempt=int,
        settings=settings,
        seed=int,
        allowance=str,
    )
    analyse = commands.add_parser("singular_values", allow_abbrev=False)
    analyse.add_argument("--models", type=Path, nargs="+", required=True)
    analyse.add_argument("--output", type=Path, required=True)
    command("merge_tries", folder=folder, generation=int)
    command("decision_report", folder=folder, generation=int, settings=settings, seed=int)
    command("init_search", folder=folder)
    command("select_parents", folder=folder, generation=int, settings=settings, seed=int)
    command("summarize_search", folder=folder, settings=settings, seed=int)
    command(
        "log_search",
        folder=folder,
        until=str,
        settings=settings,
        seed=int,
        tracking=settings,
        output=Path,
    )
    command("plot_search", folder=folder, format=str)
    command("summarize_all", folders=json.loads, output=Path)
    command("write_paper_tables", results=Path, paper=str)
    command("write_report", results=Path, output=Path)
    return whole


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command."""
    given = parser().parse_args(arguments)
    with exit_with_message():
        run(given)


def run(given: argparse.Namespace) -> None:
    """Run the command of a command line."""
    match given.command:
        case "prepare_dataset":
            for line in datasets.prepare(given.dataset, given.settings, given.output):
                print(f"dataset {given.dataset}: {line}")
        case "split_dataset":
            split = from_settings(datasets.SplitSettings, given.settings)
            datasets.write_split(given.data, given.output, split, given.seed)
        case "plan_generation":
            ectonas.plan_generation(
                given.winners,
                given.generation,
                given.settings,
                given.seed,
                GenerationBudget.parse(given.allowance),
                given.output,
            )
        case "plan_try":
            surgeon.plan_try(
                given.folder,
                given.generation,
                given.attempt,
                given.settings,
                given.seed,
                parse_allowance(given.allowance),
            )
        case "decision_report":
            surgeon.decision_report(given.folder, given.generation, given.settings, given.seed)
        case "singular_values":
            surgeon.singular_values(given.models, given.output)
        case "merge_tries":
            surgeon.merge_tries(given.folder, given.generation)
        case "init_search":
            ectonas.init_search(given.folder)
        case "select_parents":
            ectonas.select_parents(given.folder, given.generation, given.settings, given.seed)
        case "summarize_search":
            ectonas.summarize_search(given.folder, given.settings, given.seed)
        case "log_search":
            track(given)
        case "plot_search":
            from netsurgery import plots  # drawing takes a while to import

            plots.write_search_plots(given.folder, given.format)
        case "summarize_all":
            from netsurgery import plots

            plots.write_summary_table(given.folders, given.output)
        case "write_paper_tables":
            from netsurgery.reproduction import papers

            papers.write_paper(given.results, given.paper)
        case "write_report":
            from netsurgery.report import html_report

            html_report.write_report(given.results, given.output)


def track(given: argparse.Namespace) -> None:
    """Tell MLflow; that ends with the workflow, lest it write behind its back.

    The import is here because it takes seconds.
    """
    exit_with_workflow()
    from netsurgery.tracking import sync

    sync.log_search(
        given.folder,
        given.until,
        given.settings,
        given.seed,
        given.output,
        sync.Settings(**given.tracking),
    )


if __name__ == "__main__":
    main()
