"""Measure what Snakemake costs a job, for one search and for hundreds.

    python -m benchmarks.snakemake_overhead OUTPUT [--searches 1 6 54 324]
                            [--ways flat apart] [--cores 2] [--budget 45]

Each count is run in one graph (flat), and with each search as a run of its own under a driving
graph (apart). Training is a stub: all the time is that of Snakemake, its jobs' processes and
decisions. Processor seconds are those of Snakemake's own processes, and with all that it starts
for a job (Bash, the client); they tell more than the clock where other programs run. OUTPUT gets
`graph.json` and `graph.md`.
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
FIRST = Path(__file__).parent / "first"
BUDGET = 45
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
    """The jobs of a run, by the last line of its log that counts them."""
    found = DONE.findall(log.read_text())
    return int(found[-1][1]) if found else 0


class Watch(threading.Thread):
    """Processor seconds of a process and of the Snakemakes below it, as long as it runs."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process = psutil.Process(process)
        self.seconds: dict[int, float] = {}
        self.ended = threading.Event()

    def run(self) -> None:
        """Look at them every now and then."""
        while not self.ended.wait(0.3):
            with contextlib.suppress(psutil.Error):
                self.look(self.process)
                for each in self.process.children(recursive=True):
                    with contextlib.suppress(psutil.Error):
                        if each.pid in self.seconds or "snakemake" in each.cmdline()[1:3]:
                            self.look(each)

    def look(self, process: psutil.Process) -> None:
        """Note what a process has used up to now."""
        used = process.cpu_times()
        self.seconds[process.pid] = used.user + used.system


def measure(
    count: int, way: str, cores: int, folder: Path, limit: float, budget: int = BUDGET
) -> dict[str, Any]:
    """Run so many searches; gives jobs, seconds and processor seconds."""
    place = folder / f"{way}-{count}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    config = {
        "cores_per_search": int(way == "apart"),
        "searches": {"s": SEARCH | {"budget": budget, "seeds": list(range(count))}},
    }
    (place / "config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    place_ = ["--directory", str(place), "--configfile", str(place / "config.yaml")]
    path = os.pathsep.join(filter(None, [str(FIRST), os.environ.get("PYTHONPATH")]))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.time()
    with (place / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, *place_, "--cores", str(cores)],
            env=os.environ | {"PYTHONPATH": path},
            stdout=log,
            stderr=log,
        )
        watch = Watch(process.pid)
        watch.start()
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
            code = -1
        watch.ended.set()
    seconds = time.time() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    logs = [place / "log", *place.glob("results/_runs/s/*.log")]
    jobs = sum(map(jobs_in, logs))
    found = {"searches": count, "way": way, "cores": cores, "jobs": jobs, "seconds": seconds}
    own = sum(watch.seconds.values())
    return found | {"processor": used, "snakemake": own, "finished": code == 0}


def table(rows: list[dict[str, Any]]) -> str:
    """In Markdown."""
    head = ("searches", "way", "jobs", "seconds", "a job", "Snakemake, a job", "with its processes")
    lines = [f"| {' | '.join(head)} |", "| ---: | --- | ---: | ---: | ---: | ---: | ---: |"]
    for row in rows:
        if not row["finished"]:
            lines.append(
                f"| {row['searches']} | {row['way']} | not in {row['seconds']:.0f} s |||||"
            )
            continue
        jobs, keys = row["jobs"], ("seconds", "snakemake", "processor")
        each = (f"{1000 * row[key] / jobs:.0f} ms" for key in keys)
        cells = (str(row["searches"]), row["way"], f"{jobs:,}", f"{row['seconds']:.0f}", *each)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure one after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--searches", type=int, nargs="+", default=[1, 6, 54, 324])
    parser.add_argument("--ways", nargs="+", choices=("flat", "apart"), default=["flat", "apart"])
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--budget", type=int, default=BUDGET, help="epochs; more make more jobs")
    parser.add_argument("--limit", type=float, default=3600, help="seconds for one run")
    given = parser.parse_args()
    rows = []
    for way in given.ways:
        for count in given.searches:
            output = given.output.resolve()
            rows.append(measure(count, way, given.cores, output, given.limit, given.budget))
            write_json(output / "graph.json", {"runs": rows})
            (output / "graph.md").write_text(table(rows), encoding="utf-8")
            print(table(rows[-1:]).splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
