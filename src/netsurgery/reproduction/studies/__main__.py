"""The command line of the studies' jobs that do not train.

The jobs that train are commands of `netsurgery.jobs.training_commands`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from netsurgery.processes.process_exit import exit_with_workflow
from netsurgery.reproduction.studies import tables, timing
from netsurgery.storage.files import write_text


def parser() -> argparse.ArgumentParser:
    """The commands, one per rule."""
    arguments = argparse.ArgumentParser(
        prog="python -m netsurgery.reproduction.studies", allow_abbrev=False
    )
    commands = arguments.add_subparsers(dest="command", required=True)
    for name in ("operation_times", "surgery_fidelity_tables", "pooling_tables"):
        command = commands.add_parser(name, allow_abbrev=False)
        command.add_argument("--output", type=Path, required=True)
        if name != "operation_times":
            command.add_argument("--rows", type=Path, nargs="+", required=True)
    return arguments


def time_operations(output: Path) -> None:
    """Write the times of operations, and a table of the slowest."""
    rows: list[dict[str, Any]] = []
    for row in timing.measure_times():
        rows.append(row)
        print(f"{len(rows)}: {row}", flush=True)
    write_text(output.with_suffix(".md"), tables.markdown(tables.slowest(rows)))
    tables.write_csv(tables.pandas.DataFrame(rows), output)


def main() -> None:
    """Run one command; it exits when the workflow ends."""
    arguments = parser().parse_args()
    exit_with_workflow()
    if arguments.command == "operation_times":
        time_operations(arguments.output)
        return
    from netsurgery.reproduction.studies import reports  # matplotlib takes a while to import

    if arguments.command == "surgery_fidelity_tables":
        reports.write_fidelity(arguments.rows, arguments.output)
    else:
        reports.write_pooling_trials(arguments.rows, arguments.output)


if __name__ == "__main__":
    main()
