"""The command line of the studies' jobs: `python -m netsurgery.studies <command>`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sized
from pathlib import Path
from typing import Any

from netsurgery.files import write_json, write_text
from netsurgery.trainer.lifeline import die_with_workflow


def parser() -> argparse.ArgumentParser:
    """The commands, one per rule."""
    whole = argparse.ArgumentParser(prog="python -m netsurgery.studies", allow_abbrev=False)
    commands = whole.add_subparsers(dest="command", required=True)
    base = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    base.add_argument("--model", type=Path, required=True)
    base.add_argument("--data", type=Path, required=True)
    base.add_argument("--split", type=Path, required=True)
    base.add_argument("--settings", type=json.loads, required=True)
    base.add_argument("--seed", type=int, required=True)
    base.add_argument("--output", type=Path, required=True)
    command = commands.add_parser("fidelity", parents=[base])
    command.add_argument("--part", type=int, required=True)
    command.add_argument("--parts", type=int, required=True)
    commands.add_parser("pooling-trials", parents=[base])
    command = commands.add_parser("timing")
    command.add_argument("--output", type=Path, required=True)
    for name in ("fidelity-tables", "pooling-tables"):
        command = commands.add_parser(name)
        command.add_argument("--rows", type=Path, nargs="+", required=True)
        command.add_argument("--output", type=Path, required=True)
    return whole


def counted(rows: Iterable[dict[str, Any]], of: Sized | None = None) -> list[dict[str, Any]]:
    """All rows, each told of as it comes."""
    done = []
    for row in rows:
        done.append(row)
        told = ", ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{v}" for k, v in row.items())
        print(f"{len(done)}: {told}", flush=True)
    return done


def measure(given: argparse.Namespace) -> None:
    """Look at one trained network, and write what was seen."""
    from netsurgery import training  # TensorFlow takes seconds
    from netsurgery.studies import fidelity, pooling_trials
    from netsurgery.studies.bases import Base

    training.use_one_thread()
    base = Base.read(given.model, given.data, given.split, given.settings, given.seed)
    if given.command == "fidelity":
        chosen = fidelity.places(base.network.topology)[given.part :: given.parts]
        rows = counted(fidelity.measured(base, chosen))
    else:
        rows = counted(pooling_trials.trials(base))
    named = {name: given.settings[name] for name in ("dataset", "topology")}
    write_json(given.output, {**named, "seed": given.seed, "rows": rows})


def time(output: Path) -> None:
    """Write the times of operations."""
    from netsurgery.studies import tables, timing

    rows = counted(timing.timed())
    write_text(output.with_suffix(".md"), tables.markdown(tables.slowest(rows)))
    tables.write(tables.pandas.DataFrame(rows), output)


def main() -> None:
    """Run one command; it ends with the workflow."""
    given = parser().parse_args()
    die_with_workflow()
    match given.command:
        case "fidelity" | "pooling-trials":
            measure(given)
        case "timing":
            time(given.output)
        case "fidelity-tables":
            from netsurgery.studies import reports

            reports.fidelity(given.rows, given.output)
        case "pooling-tables":
            from netsurgery.studies import reports

            reports.pooling_trials(given.rows, given.output)


if __name__ == "__main__":
    main()
