"""The `netsurgery` command."""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netsurgery.cli import simulate
from netsurgery.networks.layers import POOLINGS
from netsurgery.search.layout import SearchFolder
from netsurgery.storage import integrity
from netsurgery.storage.files import UnusableFileError, read_json, write_json
from netsurgery.surgery import ECTONAS, OPERATIONS, IllegalMutation, Mutation
from netsurgery.surgery.operations import by_name
from netsurgery.tracking import uri
from netsurgery.tracking.state import TrackingState


def finished_searches(results: Path) -> list[tuple[SearchFolder, dict[str, Any]]]:
    """The finished searches in a results folder with their summaries, by name and seed."""
    found = []
    for path in results.glob("*/seed*/final/summary.json"):
        summary = read_json(path)
        found.append((path.parent.parent.parent.name, summary["seed"], path, summary))
    return [
        (SearchFolder(path.parent.parent), summary)
        for _, _, path, summary in sorted(found, key=lambda f: f[:2])
    ]


def describe(results: Path) -> str:
    """A table of the finished searches in a results folder, and where their files are."""
    searches = finished_searches(results)
    if not searches:
        return f"{results}: no finished search here"
    rows = [("search", "seed", "test accuracy", "parameters", "epochs spent", "of which its own")]
    for folder, summary in searches:
        grown = f"{summary['start_parameters']} -> {summary['parameters']}"
        rows.append(
            (
                folder.root.parent.name,
                str(summary["seed"]),
                "-" if summary["test_accuracy"] is None else f"{summary['test_accuracy']:.1%}",
                grown if summary["generations"] else str(summary["parameters"]),
                f"{summary['epochs_spent']:.1f}",
                f"{summary['epochs_trained']:.1f}",
            )
        )
    lines = table(rows)
    places = [
        line
        for folder, _ in searches
        for line in (
            f"{folder.root.parent.name}, {folder.root.name}",
            f"  model    {folder.final / 'model.keras'}",
            f"  lineage  {folder.lineage}",
        )
    ]
    for name, path in (("report", results / "report.html"), ("MLflow", results / "mlflow.db")):
        if path.exists():
            places.append(f"{name:10} {path}")
    return "\n".join([*lines, "", *places])


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of columns as wide as they need to be."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def results(given: argparse.Namespace) -> None:
    """`netsurgery results`."""
    if not given.folder.is_dir():
        sys.exit(f"{given.folder}: no such folder")
    print(describe(given.folder))


def verify(given: argparse.Namespace) -> None:
    """`netsurgery verify`."""
    if not given.folder.is_dir():
        sys.exit(f"{given.folder}: no such folder")
    found = integrity.find_damaged(given.folder)
    for each in found:
        print(each)
    checked = sum(1 for _ in integrity.checksummed_files(given.folder))
    if not checked:
        sys.exit(f"{given.folder}: no results here")
    if found:
        sys.exit(f"{given.folder}: {len(found)} damaged")
    print(f"{given.folder}: {checked} records and what they vouch for are as they were written")


def chain(rows: Sequence[Mapping[str, str]], candidate: str) -> list[Mapping[str, str]]:
    """The rows of a candidate and its ancestors, the starting network first.

    Args:
        rows: of a search's `lineage.csv`.
        candidate: one of its candidates.
    """
    by_name = {row["candidate"]: row for row in rows}
    found = [by_name[candidate]]
    while parent := found[-1]["parent"]:
        found.append(by_name[parent])
    return found[::-1]


def lineage(given: argparse.Namespace) -> None:
    """`netsurgery lineage`."""
    folder = SearchFolder(given.folder)
    if not folder.lineage.exists():
        sys.exit(f"{folder.lineage}: not there; give the folder of a finished search and its seed")
    with folder.lineage.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    candidate = given.candidate or read_json(folder.final / "summary.json")["candidate"]
    if candidate not in {row["candidate"] for row in rows}:
        last = rows[-1]["candidate"]
        sys.exit(f"{candidate}: no candidate of {given.folder}; they are g00c00 to {last}")
    head = ("candidate", "operation", "position", "parameters", "epochs", "val_score", "eliminated")
    lines: list[tuple[str, ...]] = [head]
    for row in chain(rows, candidate):
        lines.append(
            (
                row["candidate"],
                row["operation"] or "starting topology",
                row["position"],
                f"{int(row['parameters']):,}",
                f"{float(row['epochs_trained']):.1f}",
                f"{float(row['val_score']):.4f}" if row["val_score"] else "not finite",
                row["eliminated_in"],
            )
        )
    print("\n".join(table(lines)))


def track(given: argparse.Namespace) -> None:
    """`netsurgery track`."""
    if not TrackingState(given.folder).tellings():
        sys.exit(
            f"{given.folder}: no search here was ever told to MLflow, so there is none to tell"
        )
    if given.uri:
        try:
            uri.check(given.uri)
        except ValueError as error:
            sys.exit(f"--uri: {error}")
    from netsurgery.tracking import sync  # MLflow takes seconds to import

    chosen = {
        "uri": given.uri,
        "experiment": given.experiment,
        "registered_model": given.registered_model,
    }
    changed = {key: value for key, value in chosen.items() if value is not None}
    failed = False
    for name, told in sync.resync(given.folder, changed):
        if isinstance(told, sync.StoreUnreachableError):
            failed = True
            print(f"{name}: {told}", file=sys.stderr)
        else:
            print(f"{name}: {told['runs']} runs, {told['points']} points", flush=True)
    sys.exit(failed)


def report(given: argparse.Namespace) -> None:
    """`netsurgery report`."""
    from netsurgery.report import html_report as page  # drawing takes a while to import

    output = given.output or given.folder / "report.html"
    page.write(given.folder, output)
    print(output)


def progress(given: argparse.Namespace) -> None:
    """`netsurgery progress`."""
    from netsurgery.analysis import progress as far
    from netsurgery.analysis import runs

    while True:
        measured = far.measure(runs.read(given.folder))
        write_json(given.folder / "progress.json", measured)
        rows = far.lines(measured, every=given.every)
        if given.watch and sys.stdout.isatty():
            print("\033[H\033[2J", end="")  # a screen that stays in place
        if len(rows) > 1:
            print("\n".join(table(rows)))
        print(far.summary(measured), flush=True)
        if not given.watch or measured["finished"] == measured["runs"]:
            return
        time.sleep(given.watch)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Nothing on stderr: TensorFlow writes there as it is imported, past all its settings."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def operations(given: argparse.Namespace) -> None:
    """`netsurgery operations`."""
    with silence():
        from netsurgery.keras_io import model_surgery

        model = model_surgery.read_model(given.model, compiled=False)
        offers = model_surgery.list_mutations(model, [*map(by_name, given.operation)] or ECTONAS)
    if given.json:
        print(json.dumps([model_surgery.to_json(offer) for offer in offers], indent=1))
        return
    rows: list[tuple[str, ...]] = [
        ("operation", "position", "layer there", "width", "parameters", "predictions")
    ]
    for offer in offers:
        mutation = offer.mutation
        cells = (mutation.operation, mutation.position, offer.where, mutation.width)
        rows.append(
            (
                *("" if cell is None else str(cell) for cell in cells),
                f"{offer.parameters:,}",
                "the same" if offer.exact else "differ",
            )
        )
    print("\n".join(table(rows)))


def operate(given: argparse.Namespace) -> None:
    """`netsurgery operate`."""
    model, out = given.model, given.out
    if out.suffix != ".keras":
        sys.exit(f"{out}: a Keras model's file must end in .keras")
    if not out.parent.is_dir():
        sys.exit(f"{out.parent}: no such folder")
    if out.exists():
        if model.exists() and out.samefile(model):
            sys.exit(f"{out}: would overwrite the model it is made from")
        if not given.force:
            sys.exit(f"{out}: there already, --force overwrites it")
    with silence():
        from netsurgery.keras_io import conversion, model_surgery

        samples = (
            None if given.calibration is None else model_surgery.read_samples(given.calibration)
        )
        performed = model_surgery.apply(
            model_surgery.read_model(model, compiled=not given.uncompiled),
            Mutation(by_name(given.operation), given.position, given.width, given.pooling),
            np.random.default_rng(given.seed),
            calibration=samples,
            noise=given.noise,
        )
        conversion.save(performed.model, out)
    print(f"{out}: {performed.summary}")


def simulated(given: argparse.Namespace) -> None:
    """`netsurgery simulate`."""
    if rows := simulate.run(given):
        print("\n".join(["", *table(rows)]))


def natural(text: str) -> int:
    """A number that is not negative, for `argparse`."""
    if (number := int(text)) < 0:
        raise ValueError
    return number


def parser() -> argparse.ArgumentParser:
    """The commands and what they take."""
    whole = argparse.ArgumentParser(
        prog="netsurgery",
        allow_abbrev=False,
        description="Results of searches, and surgery on a Keras model without a search.",
    )
    commands = whole.add_subparsers(dest="command", required=True)

    command = commands.add_parser("results", help="list finished searches and their files")
    command.set_defaults(run=results)
    command.add_argument("folder", type=Path, nargs="?", default=Path("results"))

    about = "check that the files of results are as they were written"
    command = commands.add_parser(
        "verify",
        help=about,
        description=f"{about.capitalize()}, by their checksums; name those that are not. The next"
        " run makes them again.",
    )
    command.set_defaults(run=verify)
    command.add_argument("folder", type=Path, nargs="?", default=Path("results"))

    about = "print how a candidate came to be: operations and scores from the starting network on"
    command = commands.add_parser("lineage", help=about, description=f"{about.capitalize()}.")
    command.set_defaults(run=lineage)
    command.add_argument(
        "folder", type=Path, help="of a finished search and its seed, such as results/digits/seed42"
    )
    command.add_argument("candidate", nargs="?", help="such as g02c07; by default the final one")

    about = "tell MLflow all finished and unfinished searches anew, from their records"
    command = commands.add_parser(
        "track",
        help=about,
        allow_abbrev=False,
        description=f"{about.capitalize()}: a store that was lost, or another one. Telling a store"
        " what it knows changes nothing.",
    )
    command.set_defaults(run=track)
    command.add_argument("folder", type=Path, nargs="?", default=Path("results"))
    command.add_argument(
        "--uri",
        help="address of a tracking server or a database, without credentials (see"
        " docs/tracking.md); by default where each search was told last",
    )
    command.add_argument("--experiment", help="name of the MLflow experiment")
    command.add_argument(
        "--registered-model", metavar="NAME", help="make final models versions of it"
    )

    about = "estimate how long finished searches would take with other numbers of workers"
    command = commands.add_parser(
        "simulate",
        help=about,
        allow_abbrev=False,
        description=f"{about.capitalize()}. A worker runs one training step at a time: a core, a"
        " GPU or a job slot of a partition.",
    )
    command.set_defaults(run=simulated)
    simulate.add_arguments(command)

    about = "write one HTML file about all searches, those that are not finished included"
    command = commands.add_parser("report", help=about, description=f"{about.capitalize()}.")
    command.set_defaults(run=report)
    command.add_argument("folder", type=Path, nargs="?", default=Path("results"))
    command.add_argument("--output", type=Path, help="by default report.html in the folder")

    about = "say how far the searches are, and write it to progress.json in their folder"
    command = commands.add_parser("progress", help=about, description=f"{about.capitalize()}.")
    command.set_defaults(run=progress)
    command.add_argument("folder", type=Path, nargs="?", default=Path("results"))
    command.add_argument("--every", action="store_true", help="list those that rest as well")
    command.add_argument(
        "--watch", type=natural, metavar="SECONDS", help="again and again, until all are finished"
    )

    about = "list every operation that a sequential Keras model allows"
    command = commands.add_parser(
        "operations",
        help=about,
        allow_abbrev=False,
        description=f"{about.capitalize()}, with the trainable parameters of what it would give."
        " Positions are indices into Keras's model.layers; layers are changed by as much as ECToNAS"
        " changes them.",
    )
    command.set_defaults(run=operations)
    command.add_argument("model", type=Path, metavar="MODEL.keras")
    command.add_argument(
        "--operation",
        choices=[operation.name for operation in OPERATIONS],
        action="append",
        default=[],
        metavar="NAME",
        help="only this one, can be repeated; truncate is listed only if asked for. One of "
        + ", ".join(map(str, OPERATIONS)),
    )
    command.add_argument("--json", action="store_true", help="as a list of objects")

    about = "perform one operation on a sequential Keras model"
    command = commands.add_parser(
        "operate",
        help=about,
        allow_abbrev=False,
        description=f"{about.capitalize()} and write the result. Names and settings of the other"
        " layers stay, and so does how the model was compiled and what its optimizer remembers of"
        " the weights that stay.",
    )
    command.set_defaults(run=operate)
    command.add_argument("model", type=Path, metavar="MODEL.keras")
    command.add_argument("out", type=Path, metavar="OUT.keras")
    command.add_argument(
        "--operation",
        choices=[operation.name for operation in OPERATIONS],
        required=True,
        metavar="NAME",
        help="one of " + ", ".join(map(str, OPERATIONS)),
    )
    command.add_argument(
        "--position",
        type=int,
        help="index in Keras's model.layers of the layer that is changed, or before which new ones"
        " are put; `netsurgery operations` lists them",
    )
    command.add_argument(
        "--width", type=int, help="units or channels afterwards (of truncate: the rank)"
    )
    command.add_argument(
        "--pooling", choices=POOLINGS, help="of an added conv cell, by default average"
    )
    command.add_argument("--seed", type=natural, default=0, help="draws what is copied (default 0)")
    command.add_argument(
        "--calibration",
        type=Path,
        metavar="SAMPLES",
        help=".npy or .npz file of samples as the model takes them: what a removal takes away is"
        " made up for by least squares on these",
    )
    command.add_argument(
        "--noise",
        type=float,
        default=0.0,
        help="relative size of noise on the copies made by add_units and add_channels (default 0:"
        " exact)",
    )
    command.add_argument(
        "--uncompiled",
        action="store_true",
        help="leave out how the model was compiled, as is needed where its loss or metrics are code"
        " of your own",
    )
    command.add_argument("--force", action="store_true", help="overwrite OUT.keras")
    return whole


def main() -> None:
    """Run a command; what the user can mend is said in one line."""
    given = parser().parse_args()
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # nothing here is worth waking a GPU for
    try:
        given.run(given)
    except (IllegalMutation, UnusableFileError) as refused:
        sys.exit(str(refused))


if __name__ == "__main__":
    main()
