"""The table of injected faults."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.faults.fault_types import FAULT_TYPES

from netsurgery.storage.files import write_json, write_text


def rows(trials: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The results of every type of fault, and of all."""
    found = []
    for fault in FAULT_TYPES:
        own = [trial for trial in trials if trial["fault"] == fault.name]
        if own:
            found.append({"fault": fault.name} | _sums(own))
    return [*found, {"fault": "all"} | _sums(trials)]


def _sums(trials: Sequence[dict[str, Any]]) -> dict[str, int]:
    finished = [trial for trial in trials if not trial["problem"]]
    return {
        "injected": sum(trial["injected"] for trial in trials),
        "searches": len(trials),
        "finished": len(finished),
        "identical": sum(not trial["differing"] for trial in finished),
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
