"""Memory and open files of a workflow and its servers over thousands of training jobs.

    python -m benchmarks.faults.endurance OUTPUT [--jobs 2000] [--searches 24] [--flat]

Runs searches of very short jobs, so many that each is a run of its own, or, flat, all in one graph;
looks at the processes every few seconds, and writes `endurance.json` and `endurance.png`. `--draw`
draws the picture anew from the file.
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
from benchmarks.faults.searches import ROOT, kill_all, servers, single_runs
from matplotlib.figure import Figure

from netsurgery.plots import style
from netsurgery.processes.client import SERVERS
from netsurgery.processes.process_exit import WORKFLOW
from netsurgery.storage.files import read_json, write_json

EVERY = 5  # seconds
WATCHED = {
    "workflow": style.BLACK,
    "run of a search": style.VERMILLION,
    "trainer": style.BLUE,
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


def look(process: int) -> dict[str, int] | None:
    """Memory of its own, in KiB, and open files of a process; None if it is gone."""
    folder = Path("/proc") / str(process)
    try:
        lines = (folder / "smaps_rollup").read_text().splitlines()[1:]
        kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
        return {"kib": kib["Rss"], "files": len(os.listdir(folder / "fd"))}
    except OSError:
        return None


def trained(results: Path) -> int:
    """Training jobs that have ended."""
    return sum(1 for _ in results.glob("**/*.keras"))


def glance(process: int, results: Path) -> dict[str, Any]:
    """What all processes of a run take, and how far it is."""
    watched = {
        "workflow": [process],
        "run of a search": sorted(single_runs(process)),
        "trainer": servers(process, "training"),
        "server of other jobs": servers(process, "jobs"),
    }
    now = {name: look(pids[0]) for name, pids in watched.items() if pids}
    return {"jobs": trained(results), "seconds": time.time(), **now}


def measure(folder: Path, jobs: int, searches: int, flat: bool, path: Path) -> None:
    """Run the searches and watch them; what was seen is written every time."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    search = SETTINGS | {"seeds": list(range(searches)), "budget": round(jobs / searches)}
    iris = {"source": "sklearn", "name": "iris"}
    given = {"datasets": {"iris": iris}, "searches": {"s": search}} | (
        {"cores_per_search": 0} if flat else {}
    )
    (folder / "config.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(folder / "config.yaml")]
    environment = {k: v for k, v in os.environ.items() if k not in (SERVERS, WORKFLOW)}
    seen: list[dict[str, Any]] = []
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
            seen.append(glance(process.pid, folder / "results"))
            write_json(path, {"seen": seen})
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(EVERY)
    finally:
        kill_all(process)
    if process.returncode:
        sys.exit(f"{folder / 'log'}: the searches failed")


def growth(seen: list[dict[str, Any]], name: str, what: str) -> float:
    """Growth of something per 1,000 jobs, behind the first fifth of them: a straight line's."""
    points = [(each["jobs"], each[name][what]) for each in seen if each.get(name)]
    most = max(jobs for jobs, _ in points)
    late = np.array([point for point in points if point[0] >= most / 5], float)
    return float(1000 * np.polyfit(late[:, 0], late[:, 1], 1)[0])


@style.styled
def picture(seen: list[dict[str, Any]], path: Path) -> None:
    """Memory above, open files below, by jobs done."""
    figure = Figure(figsize=(8, 5.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for axes, what, factor, label in (
        (above, "kib", 1 / 1024, "resident memory [MiB]"),
        (below, "files", 1, "open files"),
    ):
        for name, colour in WATCHED.items():
            points = [(each["jobs"], each[name][what] * factor) for each in seen if each.get(name)]
            if points:
                axes.plot(*zip(*points, strict=True), color=colour, label=name)
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
    below.set_xlabel("training jobs done")
    figure.legend(*above.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    figure.savefig(path, dpi=100)


def main() -> None:
    """Measure, draw, and say how much grew."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--searches", type=int, default=24)
    parser.add_argument("--flat", action="store_true")
    parser.add_argument("--draw", action="store_true")
    given = parser.parse_args()
    output = given.output.resolve()
    path = output / "endurance.json"
    if not given.draw:
        measure(output / "endurance", given.jobs, given.searches, given.flat, path)
    seen = read_json(path)["seen"]
    picture(seen, output / "endurance.png")
    print(f"{max(each['jobs'] for each in seen)} training jobs; growth per 1,000 of them:")
    for name in WATCHED:
        if not any(each.get(name) for each in seen):
            continue
        kib, files = (growth(seen, name, what) for what in ("kib", "files"))
        print(f"  {name}: {kib / 1024:+.1f} MiB, {files:+.2f} open files")


if __name__ == "__main__":
    main()
