"""Measure the overhead of Snakemake per job, for one search and for hundreds.

    python -m benchmarks.snakemake_overhead OUTPUT [--searches 1 6 54 324]
                                            [--modes single-dag processes] [--cores 2] [--budget 45]

Each number of searches runs in one DAG, and as separate processes under a driving workflow.
Training is a stub, so all time is spent on Snakemake, the processes of its jobs, and decisions. CPU
time is that of the Snakemake processes, and that including the processes of jobs (Bash, the
client); it is more reliable than wall time on a shared machine. OUTPUT gets
`snakemake_overhead.json` and `snakemake_overhead.md`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import resource
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import yaml

from netsurgery.storage.files import write_json

ROOT = Path(__file__).parent.parent.parent
STUB_PATH = Path(__file__).parent / "stub_path"  # replaces the training jobs
BUDGET = 45
MODES = SINGLE_DAG, PROCESSES = "single-dag", "processes"
SEARCH = {
    "algorithm": "ectonas",
    "dataset": "digits",
    "topology": "ff-small",
    "warm_up_epochs": 2,
    "round_epochs": 1,
    "rounds": 2,
}
DONE = re.compile(r"(\d+) of (\d+) steps \(100%\) done")


def jobs_in(log: Path) -> int:
    """The number of jobs of a run, from the last progress line of its log."""
    found = DONE.findall(log.read_text())
    return int(found[-1][1]) if found else 0


class CPUMonitor(threading.Thread):
    """Samples the CPU seconds of a workflow and of the Snakemake processes below it."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process = psutil.Process(process)
        self.seconds: dict[int, float] = {}
        self.stopped = threading.Event()

    def run(self) -> None:
        """Sample until stopped."""
        while not self.stopped.wait(0.3):
            with contextlib.suppress(psutil.Error):
                self.sample(self.process)
                for each in self.process.children(recursive=True):
                    with contextlib.suppress(psutil.Error):
                        if each.pid in self.seconds or "snakemake" in each.cmdline()[1:3]:
                            self.sample(each)

    def sample(self, process: psutil.Process) -> None:
        """Record the CPU seconds of a process so far."""
        used = process.cpu_times()
        self.seconds[process.pid] = used.user + used.system


def measure(
    count: int, mode: str, cores: int, folder: Path, limit: float, budget: int = BUDGET
) -> dict[str, Any]:
    """Run some searches, and return jobs, seconds and CPU seconds."""
    run_folder = folder / f"{mode}-{count}"
    shutil.rmtree(run_folder, ignore_errors=True)
    run_folder.mkdir(parents=True)
    config = {
        "cores_per_search": int(mode == PROCESSES),
        "searches": {"s": SEARCH | {"budget": budget, "seeds": list(range(count))}},
    }
    (run_folder / "config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    options = ["--directory", str(run_folder), "--configfile", str(run_folder / "config.yaml")]
    path = os.pathsep.join(filter(None, [str(STUB_PATH), os.environ.get("PYTHONPATH")]))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.time()
    with (run_folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, *options, "--cores", str(cores)],
            env=os.environ | {"PYTHONPATH": path},
            stdout=log,
            stderr=log,
        )
        monitor = CPUMonitor(process.pid)
        monitor.start()
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
            code = -1
        monitor.stopped.set()
    seconds = time.time() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    logs = [run_folder / "log", *run_folder.glob("results/_runs/s/*.log")]
    jobs = sum(map(jobs_in, logs))
    found = {"searches": count, "mode": mode, "cores": cores, "jobs": jobs, "seconds": seconds}
    own = sum(monitor.seconds.values())
    return found | {"cpu": used, "snakemake": own, "finished": code == 0}


def table(rows: list[dict[str, Any]]) -> str:
    """The results in Markdown."""
    head = (
        "searches",
        "mode",
        "jobs",
        "seconds",
        "per job",
        "CPU of Snakemake per job",
        "CPU with processes of jobs",
    )
    lines = [f"| {' | '.join(head)} |", "| ---: | --- | ---: | ---: | ---: | ---: | ---: |"]
    for row in rows:
        if not row["finished"]:
            lines.append(
                f"| {row['searches']} | {row['mode']} "
                f"| not finished in {row['seconds']:.0f} s |||||"
            )
            continue
        jobs, keys = row["jobs"], ("seconds", "snakemake", "cpu")
        each = (f"{1000 * row[key] / jobs:.0f} ms" for key in keys)
        cells = (str(row["searches"]), row["mode"], f"{jobs:,}", f"{row['seconds']:.0f}", *each)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run all modes and numbers of searches."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--searches", type=int, nargs="+", default=[1, 6, 54, 324])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--budget", type=int, default=BUDGET, help="epochs; more make more jobs")
    parser.add_argument("--limit", type=float, default=3600, help="seconds for one run")
    given = parser.parse_args()
    rows = []
    for mode in given.modes:
        for count in given.searches:
            output = given.output.resolve()
            rows.append(measure(count, mode, given.cores, output, given.limit, given.budget))
            write_json(output / "snakemake_overhead.json", {"runs": rows})
            (output / "snakemake_overhead.md").write_text(table(rows), encoding="utf-8")
            print(table(rows[-1:]).splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
