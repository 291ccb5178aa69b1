"""The `netsurgery` command."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from netsurgery.files import read_json
from netsurgery.layout import SearchFolder


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
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
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


def main() -> None:
    """Run a command."""
    parser = argparse.ArgumentParser(prog="netsurgery", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("results", help="list finished searches and their files")
    command.add_argument("folder", type=Path, nargs="?", default=Path("results"))
    given = parser.parse_args()
    if not given.folder.is_dir():
        sys.exit(f"{given.folder}: no such folder")
    print(describe(given.folder))


if __name__ == "__main__":
    main()
