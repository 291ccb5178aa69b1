"""The table of injected faults."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.faults.fault_types import KINDS

from netsurgery.storage.files import write_json, write_text


def rows(trials: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What became of every kind of fault, and of all of them."""
    found = []
    for kind in KINDS:
        own = [trial for trial in trials if trial["kind"] == kind.name]
        if own:
            found.append({"fault": kind.name} | _sums(own))
    return [*found, {"fault": "all"} | _sums(trials)]


def _sums(trials: Sequence[dict[str, Any]]) -> dict[str, int]:
    ended = [trial for trial in trials if not trial["problem"]]
    return {
        "injected": sum(trial["injected"] for trial in trials),
        "searches": len(trials),
        "survived": len(ended),
        "identical": sum(not trial["differing"] for trial in ended),
    }


def table(found: Sequence[dict[str, Any]]) -> str:
    """Rows in Markdown."""
    columns = list(found[0])
    lines = [f"| {' | '.join(columns)} |", f"| --- |{' ---: |' * (len(columns) - 1)}"]
    lines += [f"| {' | '.join(str(row[column]) for column in columns)} |" for row in found]
    return "\n".join(lines) + "\n"


def write(trials: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write `faults.json` and `faults.md`."""
    write_json(folder / "faults.json", {"rows": rows(trials), "trials": list(trials)})
    write_text(folder / "faults.md", table(rows(trials)))
