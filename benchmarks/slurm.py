"""Run one search on a local SLURM with jobs of different sizes.

    python -m benchmarks.slurm OUTPUT [--modes steps brackets search] [--processors 2] [--budget 45]

Writes the number and duration of the SLURM jobs to `slurm.json` and `slurm.md` in OUTPUT; the
results are in docs/clusters.md.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from tests.support import local_slurm

from netsurgery.analysis.timelines import timings_of
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import write_json

ROOT = Path(__file__).parent.parent
SEARCH = {
    "algorithm": "ectonas",
    "dataset": "digits",
    "topology": "ff-small",
    "warm_up_epochs": 2,
    "round_epochs": 1,
    "rounds": 2,
    "seeds": [0],
}
GROUPED = [
    *("--groups", "train_offspring=generation", "train_round=generation"),
    *("--set-resource-scopes", "mem_mb=local", "--resources", "mem_mb=4000"),
]
# profile, cores per search, further arguments
MODES: dict[str, tuple[str, int, list[str]]] = {
    "steps": ("slurm-steps", 0, []),
    "brackets": ("slurm-steps", 0, GROUPED),
    "search": ("slurm", 2, []),
}
TITLES = {
    "steps": "a job for each training step",
    "brackets": "a job for each bracket",
    "search": "one job for the whole search",
}


def seconds_of(job: dict[str, str]) -> float:
    """The run time of a SLURM job."""
    began, ended = (datetime.fromisoformat(job[name]) for name in ("StartTime", "EndTime"))
    return (ended - began).total_seconds()


def measure(mode: str, budget: int, slurm: Path, folder: Path) -> dict[str, Any]:
    """Run the search in one mode."""
    profile, cores, further = MODES[mode]
    run_folder = folder / mode
    shutil.rmtree(run_folder, ignore_errors=True)
    run_folder.mkdir(parents=True)
    config = {"cores_per_search": cores, "searches": {"s": SEARCH | {"budget": budget}}}
    (run_folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
        *("--directory", str(run_folder), "--configfile", str(run_folder / "config.yaml")),
        *(
            "--profile",
            str(ROOT / "workflow/profiles" / profile),
            "--config",
            f"cores_per_search={cores}",
        ),
        *("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5"),
    ]
    before, began = len(local_slurm.completed(slurm)), time.time()
    with (run_folder / "log").open("w") as log:
        subprocess.run(
            [*command, *further],
            env=local_slurm.environment(slurm),
            check=True,
            stdout=log,
            stderr=log,
        )
    taken = time.time() - began
    jobs = local_slurm.completed(slurm)[before:]
    steps = timings_of(SearchFolder(run_folder / "results" / "s" / "seed0"))
    return {
        "seconds": taken,
        "jobs": len(jobs),
        "job_seconds": sum(map(seconds_of, jobs)),
        "steps": len(steps),
        "training": sum(step.record.wall_seconds for step in steps),
        "failed": sum(job["JobState"] != "COMPLETED" for job in jobs),
    }


def table(found: dict[str, dict[str, Any]]) -> str:
    """The results in Markdown."""
    head = "| | SLURM jobs | seconds in jobs | seconds of training | steps | run time |"
    lines = [head, "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for mode, run in found.items():
        lines.append(
            f"| {TITLES[mode]} | {run['jobs']} | {run['job_seconds']:.0f} "
            f"| {run['training']:.0f} | {run['steps']} | {run['seconds']:.0f} s |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run all modes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--processors", type=int, default=2)
    parser.add_argument("--budget", type=int, default=45)
    given = parser.parse_args()
    output = given.output.resolve()
    found: dict[str, dict[str, Any]] = {}
    with local_slurm.running(output / "slurm", processors=given.processors):
        for mode in given.modes:
            found[mode] = measure(mode, given.budget, output / "slurm", output)
            write_json(output / "slurm.json", found)
            (output / "slurm.md").write_text(table(found), encoding="utf-8")
            print(table({mode: found[mode]}).splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
