"""Inject faults into small searches, and compare their results with those of undisturbed ones.

    python -m benchmarks.faults OUTPUT [--minutes 25] [--faults WORD ...]

Trials continue until the time is up or every type of fault has been injected as often as intended.
They are recorded in OUTPUT/trials.jsonl, so that the same command resumes. OUTPUT gets
`faults.json` and `faults.md`. Faults that mount a small disk need root and are skipped otherwise.
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
from benchmarks.faults.fault_types import FAULT_TYPES, FaultType, fill_disk, read_only
from benchmarks.faults.searches import WORKLOADS, Run

NEEDS_ROOT = (fill_disk, read_only)


def references(output: Path) -> dict[str, Path]:
    """The folders of undisturbed searches, which are run if missing."""
    found = {}
    for workload in WORKLOADS:
        run = Run(output / f"reference-{workload}", workload)
        if not (run.results / "summary.csv").exists() and run.finish():
            raise SystemExit(f"{run.log}: the reference search failed")
        found[workload] = run.folder
    return found


def clear(run: Run) -> None:
    """Remove all files of a trial, and unmount its disk if it was interrupted."""
    for path in run.folder.parent.glob(f"{run.folder.name}*"):
        if path.is_mount():
            subprocess.run(["umount", "-l", path], check=True)
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def run_trial(
    fault: FaultType, number: int, output: Path, known: dict[str, Path]
) -> dict[str, Any]:
    """Run one trial, and compare its result with the reference."""
    workload = "surgeon" if number % 4 == 3 else "ectonas"
    run = Run(output / f"trial-{FAULT_TYPES.index(fault)}-{number}", workload)
    clear(run)
    rng = np.random.default_rng([FAULT_TYPES.index(fault), number])
    began = time.monotonic()
    injected, problem = fault.trial(run, rng, known[workload])
    kept = run.folder.with_name(run.folder.name + "-kept")
    folder = kept if kept.exists() else run.folder
    differing = []
    if not problem:
        differing = compare.differences(folder / "results", known[workload] / "results")
    if not problem and not differing:
        clear(run)
    return {
        "fault": fault.name,
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
    parser.add_argument(
        "--faults", nargs="+", default=[""], help="only types whose name contains a word"
    )
    given = parser.parse_args()
    deadline = time.monotonic() + 60 * given.minutes
    output = given.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    log = output / "trials.jsonl"
    trials = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    known = references(output)
    chosen = [fault for fault in FAULT_TYPES if any(word in fault.name for word in given.faults)]
    while time.monotonic() < deadline:
        done = {
            fault.name: [trial for trial in trials if trial["fault"] == fault.name]
            for fault in chosen
        }
        share = {
            fault: sum(trial["injected"] for trial in done[fault.name]) / fault.goal
            for fault in chosen
            if os.geteuid() == 0 or fault.trial not in NEEDS_ROOT
        }
        fault = min(share, key=lambda fault: share[fault])
        if share[fault] >= 1:
            break
        trial = run_trial(fault, len(done[fault.name]), output, known)
        trials.append(trial)
        with log.open("a") as file:
            file.write(json.dumps(trial) + "\n")
        print(json.dumps(trial), flush=True)
    report.write(trials, output)
    print((output / "faults.md").read_text())


if __name__ == "__main__":
    main()
