"""Memory and open files of a workflow and its servers over thousands of training jobs.

    python -m benchmarks.faults.endurance OUTPUT [--jobs 2000] [--searches 24] [--single-dag]

Runs searches of very short jobs, each as a separate process or, with `--single-dag`, all in one
DAG. Samples the processes every few seconds, and writes `endurance.json` and `endurance.png`.
`--plot-only` redraws the plot from the file.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from benchmarks.faults.searches import ROOT, kill_all, search_workflows, servers
from matplotlib.figure import Figure

from netsurgery.plots import style
from netsurgery.processes.client import SERVERS
from netsurgery.processes.process_exit import WORKFLOW
from netsurgery.storage.files import read_json, write_json

INTERVAL = 5  # seconds
WATCHED = {
    "workflow": style.BLACK,
    "workflow of a search": style.VERMILLION,
    "training server": style.BLUE,
    "server of other jobs": style.ORANGE,
}
SETTINGS = {
    "algorithm": "ectonas",
    "dataset": "iris",
    "topology": "ff-small",
    "warm_up_epochs": 1,
    "round_epochs": 1,
    "rounds": 2,
}


def usage(process: int) -> dict[str, int] | None:
    """Resident memory in KiB and open files of a process; None if it has ended."""
    folder = Path("/proc") / str(process)
    try:
        lines = (folder / "smaps_rollup").read_text().splitlines()[1:]
        kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
        return {"kib": kib["Rss"], "files": len(os.listdir(folder / "fd"))}
    except OSError:
        return None


def finished_jobs(results: Path) -> int:
    """The number of finished training jobs."""
    return sum(1 for _ in results.glob("**/*.keras"))


def sample(process: int, results: Path) -> dict[str, Any]:
    """The usage of all processes of a run, and the number of finished jobs."""
    watched = {
        "workflow": [process],
        "workflow of a search": sorted(search_workflows(process)),
        "training server": servers(process, "training"),
        "server of other jobs": servers(process, "jobs"),
    }
    now = {name: usage(pids[0]) for name, pids in watched.items() if pids}
    return {"jobs": finished_jobs(results), "seconds": time.time(), **now}


def measure(folder: Path, jobs: int, searches: int, single_dag: bool, path: Path) -> None:
    """Run the searches, sample their processes, and write every sample."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    search = SETTINGS | {"seeds": list(range(searches)), "budget": round(jobs / searches)}
    iris = {"source": "sklearn", "name": "iris"}
    given = {"datasets": {"iris": iris}, "searches": {"s": search}} | (
        {"cores_per_search": 0} if single_dag else {}
    )
    (folder / "config.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(folder / "config.yaml")]
    environment = {k: v for k, v in os.environ.items() if k not in (SERVERS, WORKFLOW)}
    samples: list[dict[str, Any]] = []
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--cores", "2"],
            stdout=log,
            stderr=log,
            text=True,
            env=environment,
            start_new_session=True,
        )
    try:
        while process.poll() is None:
            samples.append(sample(process.pid, folder / "results"))
            write_json(path, {"samples": samples})
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(INTERVAL)
    finally:
        kill_all(process)
    if process.returncode:
        sys.exit(f"{folder / 'log'}: the searches failed")


def growth(samples: list[dict[str, Any]], name: str, what: str) -> float:
    """Growth per 1,000 jobs after the first fifth of them, by linear regression."""
    points = [(each["jobs"], each[name][what]) for each in samples if each.get(name)]
    most = max(jobs for jobs, _ in points)
    late = np.array([point for point in points if point[0] >= most / 5], float)
    return float(1000 * np.polyfit(late[:, 0], late[:, 1], 1)[0])


@style.styled
def plot(samples: list[dict[str, Any]], path: Path) -> None:
    """Plot memory (top) and open files (bottom) by finished jobs."""
    figure = Figure(figsize=(8, 5.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for axes, what, factor, label in (
        (above, "kib", 1 / 1024, "resident memory [MiB]"),
        (below, "files", 1, "open files"),
    ):
        for name, colour in WATCHED.items():
            points = [
                (each["jobs"], each[name][what] * factor) for each in samples if each.get(name)
            ]
            if points:
                axes.plot(*zip(*points, strict=True), color=colour, label=name)
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
    below.set_xlabel("finished training jobs")
    figure.legend(*above.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    figure.savefig(path, dpi=100)


def main() -> None:
    """Measure, plot, and print the growth."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--searches", type=int, default=24)
    parser.add_argument("--single-dag", action="store_true")
    parser.add_argument("--plot-only", action="store_true")
    given = parser.parse_args()
    output = given.output.resolve()
    path = output / "endurance.json"
    if not given.plot_only:
        measure(output / "endurance", given.jobs, given.searches, given.single_dag, path)
    samples = read_json(path)["samples"]
    plot(samples, output / "endurance.png")
    print(f"{max(each['jobs'] for each in samples)} training jobs; growth per 1,000 jobs:")
    for name in WATCHED:
        if not any(each.get(name) for each in samples):
            continue
        kib, files = (growth(samples, name, what) for what in ("kib", "files"))
        print(f"  {name}: {kib / 1024:+.1f} MiB, {files:+.2f} open files")


if __name__ == "__main__":
    main()
