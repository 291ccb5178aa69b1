"""Inject faults into small searches, and compare what comes of them with undisturbed ones.

    python -m benchmarks.faults OUTPUT [--minutes 25] [--kinds WORD ...]

Trials go on until the time is over or every kind of fault was injected as often as it is to be, and
are remembered in OUTPUT/trials.jsonl: the same command goes on. OUTPUT gets `faults.json` and
`faults.md`. Some faults need root, who can mount a small disk; others skip them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.faults import compare, report
from benchmarks.faults.fault_types import KINDS, Kind, fill_disk, read_only
from benchmarks.faults.searches import WORKLOADS, Run

NEEDS_ROOT = (fill_disk, read_only)


def references(output: Path) -> dict[str, Path]:
    """The folders of undisturbed searches, run where they are missing."""
    found = {}
    for workload in WORKLOADS:
        run = Run(output / f"reference-{workload}", workload)
        if not (run.results / "summary.csv").exists() and run.finish():
            raise SystemExit(f"{run.log}: the undisturbed search failed")
        found[workload] = run.folder
    return found


def clear(run: Run) -> None:
    """Remove all that a trial leaves, be it the small disk of one that was stopped."""
    for left in run.folder.parent.glob(f"{run.folder.name}*"):
        if left.is_mount():
            subprocess.run(["umount", "-l", left], check=True)
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def inject(kind: Kind, number: int, output: Path, known: dict[str, Path]) -> dict[str, Any]:
    """One trial: its faults, and whether the search ended, and ended the same."""
    workload = "surgeon" if number % 4 == 3 else "ectonas"
    run = Run(output / f"trial-{KINDS.index(kind)}-{number}", workload)
    clear(run)
    rng = np.random.default_rng([KINDS.index(kind), number])
    began = time.monotonic()
    injected, problem = kind.trial(run, rng, known[workload])
    kept = run.folder.with_name(run.folder.name + "-kept")
    folder = kept if kept.exists() else run.folder
    differing = []
    if not problem:
        differing = compare.differences(folder / "results", known[workload] / "results")
    if not problem and not differing:
        clear(run)
    return {
        "kind": kind.name,
        "workload": workload,
        "number": number,
        "injected": injected,
        "problem": problem,
        "differing": differing,
        "seconds": round(time.monotonic() - began, 1),
    }


def main() -> None:
    """Run trials and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--kinds", nargs="+", default=[""], help="words in the names of kinds")
    given = parser.parse_args()
    deadline = time.monotonic() + 60 * given.minutes
    output = given.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    log = output / "trials.jsonl"
    trials = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    known = references(output)
    chosen = [kind for kind in KINDS if any(word in kind.name for word in given.kinds)]
    while time.monotonic() < deadline:
        done = {
            kind.name: [trial for trial in trials if trial["kind"] == kind.name] for kind in chosen
        }
        share = {
            kind: sum(trial["injected"] for trial in done[kind.name]) / kind.goal
            for kind in chosen
            if os.geteuid() == 0 or kind.trial not in NEEDS_ROOT
        }
        kind = min(share, key=lambda kind: share[kind])
        if share[kind] >= 1:
            break
        trial = inject(kind, len(done[kind.name]), output, known)
        trials.append(trial)
        with log.open("a") as file:
            file.write(json.dumps(trial) + "\n")
        print(json.dumps(trial), flush=True)
    report.write(trials, output)
    print((output / "faults.md").read_text())


if __name__ == "__main__":
    main()
