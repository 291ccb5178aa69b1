"""Compare a search on a GPU with the same search on the CPU: time, utilization, differences.

    python -m benchmarks.gpu OUTPUT [--data FOLDER] [--budget 100] [--cores N]
                             [--jobs-per-gpu 1 2 4]

Requires a machine with an NVIDIA GPU and an environment made with `make env EXTRA=gpu`. The same
ECToNAS search of a small CNN on colour images runs on the CPU and, for each number of concurrent
training steps per GPU, twice on the GPU and once there in bfloat16. The results are written
to `gpu.json` and `gpu.md` in OUTPUT: run time, utilization, GPU devices held open by the warm
server (there should be none), and how far two GPU runs, and GPU and CPU runs, agree: the number of
equal decisions and the largest difference in validation loss before they diverge. FOLDER may
contain `cifar10_15k.npz`; otherwise the images are random, which is sufficient for timing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import yaml
from benchmarks.random_images import write_images

from netsurgery.analysis.timelines import timings_of
from netsurgery.processes import devices
from netsurgery.search.layout import SearchFolder
from netsurgery.search.records import Record
from netsurgery.storage.files import write_json

ROOT = Path(__file__).parent.parent
QUERY = "--query-gpu=index,name,utilization.gpu,memory.used"


def query_gpus() -> list[list[str]]:
    """A row per GPU: index, name, utilization in percent, memory in MiB."""
    done = subprocess.run(
        ["nvidia-smi", QUERY, "--format=csv,noheader,nounits"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split(", ") for line in done.stdout.splitlines()]


def servers_on_devices() -> list[int]:
    """Warm training servers that hold a GPU device open; there must be none."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if b"netsurgery.jobs.server" not in command or b"training" not in command:
                continue
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if b"netsurgery.jobs.server" in Path(f"/proc/{parent}/cmdline").read_bytes():
                continue  # a forked training job
            opened = (os.readlink(link) for link in (process / "fd").iterdir())
            if any(name.startswith("/dev/nvidia") for name in opened):
                found.append(int(process.name))
        except OSError:
            continue
    return found


class GPUMonitor(threading.Thread):
    """Samples all GPUs twice a second until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.use: list[float] = []
        self.memory: list[float] = []
        self.servers: set[int] = set()
        self.stopped = threading.Event()

    def run(self) -> None:
        """Sample until stopped."""
        while not self.stopped.wait(0.5):
            rows = query_gpus()
            self.use.append(sum(float(row[2]) for row in rows) / len(rows))
            self.memory.append(sum(float(row[3]) for row in rows))
            self.servers.update(servers_on_devices())


def search(
    name: str,
    folder: Path,
    images: Path,
    budget: int,
    cores: int,
    jobs_per_gpu: int,
    precision: str,
) -> dict[str, Any]:
    """Run the search; on the CPU if `jobs_per_gpu` is 0."""
    results = (folder / name).resolve()
    shutil.rmtree(results, ignore_errors=True)
    config = {
        "results": str(results),
        "use_gpu": int(jobs_per_gpu > 0),
        "jobs_per_gpu": max(1, jobs_per_gpu),
        "datasets": {"samples": {"source": "npz", "path": str(images.resolve())}},
        "searches": {
            "gpu": {
                "algorithm": "ectonas",
                "dataset": "samples",
                "topology": "cnn-small",
                "budget": budget,
                "precision": precision,
                "seeds": [0],
            }
        },
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    gpus = len(query_gpus())
    resources = ["--resources", f"gpu={gpus * jobs_per_gpu}"] if jobs_per_gpu else []
    hidden = {} if jobs_per_gpu else {devices.VISIBLE: "-1"}
    monitor = GPUMonitor()
    monitor.start()
    began = time.time()
    with (folder / f"{name}.log").open("w") as log:
        subprocess.run(
            [
                *(sys.executable, "-m", "snakemake", "--cores", str(cores), *resources),
                *("--configfile", str(path.resolve())),
            ],
            cwd=ROOT,
            check=True,
            env=os.environ | hidden,
            stdout=log,
            stderr=log,
        )
    seconds = time.time() - began
    monitor.stopped.set()
    monitor.join()
    timings = timings_of(SearchFolder(results / "gpu" / "seed0"))
    return {
        "seconds": seconds,
        "jobs": len(timings),
        "training": sum(t.record.seconds.get("training", 0.0) for t in timings),
        "use": sum(monitor.use) / max(1, len(monitor.use)),
        "memory": max(monitor.memory, default=0.0),
        "servers_on_devices": sorted(monitor.servers),
    }


def records(folder: Path) -> list[Record]:
    """The records of a run, in order."""
    return SearchFolder(folder / "gpu" / "seed0").records()


def compare(first: list[Record], second: list[Record]) -> dict[str, Any]:
    """The number of equal steps of two runs, and their largest difference until they diverge."""
    largest, same = 0.0, 0
    for one, other in zip(first, second, strict=False):
        if (one.candidate, one.step, one.operation) != (
            other.candidate,
            other.step,
            other.operation,
        ):
            break
        same += 1
        for here, there in zip(one.history, other.history, strict=False):
            losses = here.get("val_loss"), there.get("val_loss")
            if None not in losses:
                largest = max(largest, abs(losses[0] - losses[1]))  # type: ignore[operator]
    return {
        "same_steps": same,
        "steps": max(len(first), len(second)),
        "largest_difference": largest,
        "same_weights": [r.model_sha256 for r in first] == [r.model_sha256 for r in second],
    }


def table(found: dict[str, Any]) -> str:
    """The results in Markdown."""
    lines = [
        "| run | seconds | steps | utilization | memory |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, run in found["runs"].items():
        lines.append(
            f"| {name} | {run['seconds']:.0f} | {run['jobs']} | {run['use']:.0f}% "
            f"| {run['memory']:,.0f} MiB |"
        )
    lines += ["", "| compared | same steps | largest difference of val_loss | same weights |"]
    lines.append("| --- | ---: | ---: | --- |")
    for name, pair in found["compared"].items():
        lines.append(
            f"| {name} | {pair['same_steps']} of {pair['steps']} "
            f"| {pair['largest_difference']:.2g} | {'yes' if pair['same_weights'] else 'no'} |"
        )
    warm = sorted({p for run in found["runs"].values() for p in run["servers_on_devices"]})
    lines += ["", f"Warm servers that held a device open: {warm or 'none'}."]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run all searches and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--budget", type=int, default=100)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--jobs-per-gpu", type=int, nargs="+", default=[1, 2, 4])
    given = parser.parse_args()
    if shutil.which("nvidia-smi") is None:
        sys.exit("nvidia-smi not found: this benchmark needs a machine with an NVIDIA GPU")
    given.output.mkdir(parents=True, exist_ok=True)
    images = given.data / "cifar10_15k.npz"
    if not images.exists():
        images = given.output / "images.npz"
        write_images(images)
    found: dict[str, Any] = {"devices": [row[1] for row in query_gpus()], "runs": {}}
    found["compared"] = {}
    plan = [
        ("CPU", 0, "float32"),
        *(
            (f"GPU, {n} at once{a}", n, "float32")
            for n in given.jobs_per_gpu
            for a in ("", ", repeated")
        ),
        *((f"GPU, {n} at once, bfloat16", n, "bfloat16") for n in given.jobs_per_gpu),
    ]
    for name, jobs_per_gpu, precision in plan:
        print(name, flush=True)
        folder_name = name.replace(", ", "-").replace(" ", "-")
        run = search(
            folder_name, given.output, images, given.budget, given.cores, jobs_per_gpu, precision
        )
        found["runs"][name] = run
        mine = records(given.output / folder_name)
        first = "CPU" if not name.endswith("repeated") else name.removesuffix(", repeated")
        if first != name:
            base = records(given.output / first.replace(", ", "-").replace(" ", "-"))
            found["compared"][f"{name} / {first}"] = compare(base, mine)
        write_json(given.output / "gpu.json", found)
        (given.output / "gpu.md").write_text(table(found), encoding="utf-8")
    print(table(found))


if __name__ == "__main__":
    main()
