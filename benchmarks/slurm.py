"""One search through a real SLURM on this machine, in several ways of making jobs of it.

    python -m benchmarks.slurm OUTPUT [--ways steps groups apart] [--processors 2] [--budget 45]

OUTPUT gets `slurm.json` and `slurm.md`: SLURM's jobs, and what the search took (docs/clusters.md).
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
# profile, cores of a search's own job, further arguments
WAYS: dict[str, tuple[str, int, list[str]]] = {
    "steps": ("slurm-steps", 0, []),
    "groups": ("slurm-steps", 0, GROUPED),
    "apart": ("slurm", 2, []),
}
WORDS = {
    "steps": "a job for each training step",
    "groups": "a job for each bracket",
    "apart": "a job for the whole search",
}


def seconds_of(job: dict[str, str]) -> float:
    """How long a job of SLURM ran."""
    began, ended = (datetime.fromisoformat(job[name]) for name in ("StartTime", "EndTime"))
    return (ended - began).total_seconds()


def measure(way: str, budget: int, slurm: Path, folder: Path) -> dict[str, Any]:
    """Run the search in one way."""
    profile, cores, further = WAYS[way]
    place = folder / way
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    config = {"cores_per_search": cores, "searches": {"s": SEARCH | {"budget": budget}}}
    (place / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
        *("--directory", str(place), "--configfile", str(place / "config.yaml")),
        *(
            "--profile",
            str(ROOT / "workflow/profiles" / profile),
            "--config",
            f"cores_per_search={cores}",
        ),
        *("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5"),
    ]
    before, began = len(local_slurm.completed(slurm)), time.time()
    with (place / "log").open("w") as log:
        subprocess.run(
            [*command, *further],
            env=local_slurm.environment(slurm),
            check=True,
            stdout=log,
            stderr=log,
        )
    taken = time.time() - began
    jobs = local_slurm.completed(slurm)[before:]
    steps = timings_of(SearchFolder(place / "results" / "s" / "seed0"))
    return {
        "seconds": taken,
        "jobs": len(jobs),
        "job_seconds": sum(map(seconds_of, jobs)),
        "steps": len(steps),
        "training": sum(step.record.wall_seconds for step in steps),
        "failed": sum(job["JobState"] != "COMPLETED" for job in jobs),
    }


def table(found: dict[str, dict[str, Any]]) -> str:
    """In Markdown."""
    head = "| | SLURM's jobs | seconds in them | of these training | steps | the search |"
    lines = [head, "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for way, run in found.items():
        lines.append(
            f"| {WORDS[way]} | {run['jobs']} | {run['job_seconds']:.0f} "
            f"| {run['training']:.0f} | {run['steps']} | {run['seconds']:.0f} s |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure one way after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--processors", type=int, default=2)
    parser.add_argument("--budget", type=int, default=45)
    given = parser.parse_args()
    output = given.output.resolve()
    found: dict[str, dict[str, Any]] = {}
    with local_slurm.running(output / "slurm", processors=given.processors):
        for way in given.ways:
            found[way] = measure(way, given.budget, output / "slurm", output)
            write_json(output / "slurm.json", found)
            (output / "slurm.md").write_text(table(found), encoding="utf-8")
            print(table({way: found[way]}).splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
