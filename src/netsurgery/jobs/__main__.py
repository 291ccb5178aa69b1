"""The command line of the jobs that do not train: `python -m netsurgery.jobs COMMAND`.

A command has the name of its rule; `log_search` also is that of the rule `log_generation`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from netsurgery import datasets
from netsurgery.datasets.drawing import Fold
from netsurgery.jobs import arbor, ectonas, search, surgeon
from netsurgery.jobs.command_line import DEPENDENCIES, Command, Default, Several, run
from netsurgery.jobs.exit_messages import exit_with_message
from netsurgery.processes.process_exit import exit_with_workflow
from netsurgery.search.arbor.plans import Allowance
from netsurgery.search.ectonas.plans import GenerationBudget
from netsurgery.search.layout import SearchFolder
from netsurgery.search.surgeon.plans import parse_allowance
from netsurgery.storage.dependencies import NO_DEPENDENCIES, Dependencies
from netsurgery.storage.settings import from_settings


def search_folder(path: str) -> SearchFolder:
    """Read the folder of a search."""
    return SearchFolder(Path(path))


def prepare_dataset(
    dataset: str,
    settings: dict[str, Any],
    output: Path,
    dependencies: Dependencies = NO_DEPENDENCIES,
) -> None:
    """Prepare a dataset; print what was found."""
    known = datasets.KnownFiles.of(output)
    depending = dependencies.with_settings(files=datasets.content_of_files(settings, known))
    known.save()
    try:
        lines = datasets.prepare(dataset, settings, output, depending)
    except datasets.DataError as error:
        for line in getattr(error, "__notes__", ()):
            print(f"dataset {dataset}: {line}")
        raise
    for line in lines:
        print(f"dataset {dataset}: {line}")


def split_dataset(
    data: Path,
    settings: dict[str, Any],
    seed: int,
    output: Path,
    dependencies: Dependencies = NO_DEPENDENCIES,
) -> None:
    """Split a prepared dataset."""
    split = from_settings(datasets.SplitSettings, settings)
    fold = Fold(**settings["fold"]) if "fold" in settings else None
    datasets.write_split(data, output, split, seed, dependencies, fold)


# The imports in these functions take seconds, which other commands do without.


def plot_search(
    folder: SearchFolder, format: str, dependencies: Dependencies = NO_DEPENDENCIES
) -> None:
    """Plot a search."""
    from netsurgery import plots

    plots.write_search_plots(folder, format, dependencies)


def summarize_all(
    folders: list[str], output: Path, dependencies: Dependencies = NO_DEPENDENCIES
) -> None:
    """Write the table of all searches."""
    from netsurgery import plots

    plots.write_summary_table(folders, output, dependencies)


def train_reference(
    data: Path, split: Path, seed: int, output: Path, dependencies: Dependencies = NO_DEPENDENCIES
) -> None:
    """Train the reference models of a search."""
    from netsurgery.jobs import reference

    reference.train_reference(data, split, seed, output, dependencies)


def write_paper_tables(results: Path, paper: str) -> None:
    """Write the tables that compare results with a paper."""
    from netsurgery.analysis.runs import read_experiment
    from netsurgery.reproduction import papers

    papers.write_paper(read_experiment(results), paper, results / "papers" / paper)


def write_report(results: Path, output: Path) -> None:
    """Write the HTML report."""
    from netsurgery.report import html_report

    html_report.write_report(results, output)


def log_search(
    folder: SearchFolder,
    until: str,
    settings: dict[str, Any],
    seed: int,
    tracking: dict[str, Any],
    output: Path,
) -> None:
    """Log a search to MLflow; end with the workflow, so as not to write after it."""
    exit_with_workflow()
    from netsurgery.tracking import sync

    sync.log_search(folder, until, settings, seed, output, sync.TrackingSettings(**tracking))


COMMANDS = {
    "prepare_dataset": Command(
        prepare_dataset,
        dataset=str,
        settings=json.loads,
        output=Path,
        dependencies=DEPENDENCIES,
    ),
    "split_dataset": Command(
        split_dataset,
        data=Path,
        settings=json.loads,
        seed=int,
        output=Path,
        dependencies=DEPENDENCIES,
    ),
    "init_search": Command(search.init_search, folder=search_folder, dependencies=DEPENDENCIES),
    "plan_generation": Command(
        ectonas.plan_generation,
        winners=Path,
        generation=int,
        settings=json.loads,
        seed=int,
        budget=GenerationBudget.parse,
        output=Path,
        dependencies=DEPENDENCIES,
    ),
    "select_parents": Command(
        search.select_parents,
        folder=search_folder,
        generation=int,
        settings=json.loads,
        seed=int,
        dependencies=DEPENDENCIES,
    ),
    "plan_arbor": Command(
        arbor.plan_arbor,
        folder=search_folder,
        generation=int,
        settings=json.loads,
        allowed=Allowance.parse,
        dependencies=DEPENDENCIES,
    ),
    "singular_values": Command(
        surgeon.singular_values,
        models=Several(Path),
        output=Path,
        settings=json.loads,
        seed=int,
        data=Default(Path, None),
        split=Default(Path, None),
        dependencies=DEPENDENCIES,
    ),
    "plan_try": Command(
        surgeon.plan_try,
        folder=search_folder,
        generation=int,
        attempt=int,
        settings=json.loads,
        seed=int,
        allowed=parse_allowance,
        dependencies=DEPENDENCIES,
    ),
    "merge_tries": Command(
        surgeon.merge_tries, folder=search_folder, generation=int, dependencies=DEPENDENCIES
    ),
    "decision_report": Command(
        surgeon.decision_report,
        folder=search_folder,
        generation=int,
        settings=json.loads,
        seed=int,
        dependencies=DEPENDENCIES,
    ),
    "summarize_search": Command(
        search.summarize_search,
        folder=search_folder,
        settings=json.loads,
        seed=int,
        dependencies=DEPENDENCIES,
    ),
    "train_reference": Command(
        train_reference,
        data=Path,
        split=Path,
        seed=int,
        output=Path,
        dependencies=DEPENDENCIES,
    ),
    "plot_search": Command(
        plot_search, folder=search_folder, format=str, dependencies=DEPENDENCIES
    ),
    "summarize_all": Command(
        summarize_all, folders=Several(str), output=Path, dependencies=DEPENDENCIES
    ),
    "write_paper_tables": Command(write_paper_tables, results=Path, paper=str),
    "write_report": Command(write_report, results=Path, output=Path),
    "log_search": Command(
        log_search,
        folder=search_folder,
        until=str,
        settings=json.loads,
        seed=int,
        tracking=json.loads,
        output=Path,
    ),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command."""
    with exit_with_message():
        run(COMMANDS, "python -m netsurgery.jobs", arguments)


if __name__ == "__main__":
    main()
