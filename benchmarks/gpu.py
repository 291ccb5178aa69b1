"""A search on a GPU against the same on the processor: wall time, use of the device, differences.

    python -m benchmarks.gpu OUTPUT [--data FOLDER] [--budget 100] [--cores N] [--slots 1 2 4]

To be run on a machine with an NVIDIA GPU, with `make env EXTRA=gpu` done. The same ECToNAS search
of a small CNN on colour images is run on the processor and, for each number of training steps at
once on one GPU, twice on the GPU and once there in mixed precision. OUTPUT gets `gpu.json` and
`gpu.md`: seconds, how busy the device was, what the warm trainer had open of it (nothing, it should
be), and how far two runs, and GPU and processor, are apart: the same decisions? and the largest
difference of any validation loss before they part. FOLDER may hold `cifar10_15k.npz`; without it
the images are random, which is enough for times.
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
from benchmarks.speed.__main__ import ROOT, write_images

from netsurgery.analysis.timelines import timings_of
from netsurgery.processes import devices
from netsurgery.search.layout import SearchFolder
from netsurgery.search.records import Record
from netsurgery.storage.files import write_json

QUERY = "--query-gpu=index,name,utilization.gpu,memory.used"


def ask_driver() -> list[list[str]]:
    """A row for each GPU: index, name, use in percent, memory in MiB."""
    done = subprocess.run(
        ["nvidia-smi", QUERY, "--format=csv,noheader,nounits"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split(", ") for line in done.stdout.splitlines()]


def servers_on_devices() -> list[int]:
    """Warm trainers of ours that have a GPU open: there must be none."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if b"netsurgery.jobs.server" not in command or b"training" not in command:
                continue
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if b"netsurgery.jobs.server" in Path(f"/proc/{parent}/cmdline").read_bytes():
                continue  # a child that trains
            opened = (os.readlink(link) for link in (process / "fd").iterdir())
            if any(name.startswith("/dev/nvidia") for name in opened):
                found.append(int(process.name))
        except OSError:
            continue
    return found


class Watch(threading.Thread):
    """Looks at the GPUs twice a second for as long as it is not stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.use: list[float] = []
        self.memory: list[float] = []
        self.servers: set[int] = set()
        self.stopped = threading.Event()

    def run(self) -> None:
        """Look."""
        while not self.stopped.wait(0.5):
            rows = ask_driver()
            self.use.append(sum(float(row[2]) for row in rows) / len(rows))
            self.memory.append(sum(float(row[3]) for row in rows))
            self.servers.update(servers_on_devices())


def search(
    name: str, folder: Path, images: Path, budget: int, cores: int, slots: int, precision: str
) -> dict[str, Any]:
    """Run the search; with no slots on the processor."""
    results = (folder / name).resolve()
    shutil.rmtree(results, ignore_errors=True)
    config = {
        "results": str(results),
        "use_gpu": int(slots > 0),
        "jobs_per_gpu": max(1, slots),
        "datasets": {"samples": {"source": "npz", "path": str(images.resolve())}},
        "searches": {
            "gpu": {
                "algorithm": "ectonas",
                "dataset": "samples",
                "topology": "cnn-small",
                "budget": budget,
                "dtype_policy": precision,
                "seeds": [0],
            }
        },
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    gpus = len(ask_driver())
    side_by_side = ["--resources", f"gpu={gpus * slots}"] if slots else []
    hidden = {} if slots else {devices.VISIBLE: "-1"}
    watch = Watch()
    watch.start()
    began = time.time()
    with (folder / f"{name}.log").open("w") as log:
        subprocess.run(
            [
                *(sys.executable, "-m", "snakemake", "--cores", str(cores), *side_by_side),
                *("--configfile", str(path.resolve())),
            ],
            cwd=ROOT,
            check=True,
            env=os.environ | hidden,
            stdout=log,
            stderr=log,
        )
    seconds = time.time() - began
    watch.stopped.set()
    watch.join()
    jobs = timings_of(SearchFolder(results / "gpu" / "seed0"))
    return {
        "seconds": seconds,
        "jobs": len(jobs),
        "training": sum(job.record.seconds.get("training", 0.0) for job in jobs),
        "use": sum(watch.use) / max(1, len(watch.use)),
        "memory": max(watch.memory, default=0.0),
        "servers_on_devices": sorted(watch.servers),
    }


def records(folder: Path) -> list[Record]:
    """The records of a run, in order."""
    return SearchFolder(folder / "gpu" / "seed0").records()


def apart(mine: list[Record], theirs: list[Record]) -> dict[str, Any]:
    """How far two runs go the same way, and how far apart they are until then."""
    largest, same = 0.0, 0
    for one, other in zip(mine, theirs, strict=False):
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
        "steps": max(len(mine), len(theirs)),
        "largest_difference": largest,
        "same_weights": [r.model_sha256 for r in mine] == [r.model_sha256 for r in theirs],
    }


def table(found: dict[str, Any]) -> str:
    """In Markdown."""
    lines = [
        "| run | seconds | steps | device busy | memory |",
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
    lines += ["", f"Warm trainers that had a device open: {warm or 'none'}."]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and write what was seen."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--budget", type=int, default=100)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 2, 4])
    given = parser.parse_args()
    if shutil.which("nvidia-smi") is None:
        sys.exit("no nvidia-smi here: this needs a machine with an NVIDIA GPU")
    given.output.mkdir(parents=True, exist_ok=True)
    images = given.data / "cifar10_15k.npz"
    if not images.exists():
        images = given.output / "images.npz"
        write_images(images)
    found: dict[str, Any] = {"devices": [row[1] for row in ask_driver()], "runs": {}}
    found["compared"] = {}
    plan = [
        ("processor", 0, "float32"),
        *((f"gpu, {n} at once{a}", n, "float32") for n in given.slots for a in ("", ", again")),
        *((f"gpu, {n} at once, mixed precision", n, "mixed_bfloat16") for n in given.slots),
    ]
    for name, slots, precision in plan:
        print(name, flush=True)
        place = name.replace(", ", "-").replace(" ", "-")
        run = search(place, given.output, images, given.budget, given.cores, slots, precision)
        found["runs"][name] = run
        mine = records(given.output / place)
        first = "processor" if not name.endswith("again") else name.removesuffix(", again")
        if first != name:
            base = records(given.output / first.replace(", ", "-").replace(" ", "-"))
            found["compared"][f"{name} / {first}"] = apart(base, mine)
        write_json(given.output / "gpu.json", found)
        (given.output / "gpu.md").write_text(table(found), encoding="utf-8")
    print(table(found))


if __name__ == "__main__":
    main()
