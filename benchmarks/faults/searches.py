"""Small searches run by Snakemake, and the processes of a run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from netsurgery.processes.client import SERVERS
from netsurgery.processes.process_exit import WORKFLOW

ROOT = Path(__file__).parent.parent.parent
TIMEOUT = 400  # seconds for a run
WORKLOADS: dict[str, dict[str, Any]] = {
    "ectonas": {
        "algorithm": "ectonas",
        "topology": "ff-small",
        "budget": 30,
        "warm_up_epochs": 2,
        "round_epochs": 1,
        "rounds": 2,
    },
    "surgeon": {
        "algorithm": "surgeon",
        "topology": "surgeon-small",
        "epochs": 4,
        "warm_up_epochs": 2,
        "decision_epochs": 1,
        "max_redraws": 1,
    },
}
Processes = dict[int, list[str]]


@dataclass(frozen=True)
class Run:
    """A search in its own folder."""

    folder: Path
    workload: str

    @property
    def results(self) -> Path:
        """The results folder."""
        return self.folder / "results"

    @property
    def root(self) -> Path:
        """The folder of its search and seed."""
        return self.results / "s" / "seed0"

    def command(self, **settings: Any) -> list[str]:
        """The command that a user would type."""
        search = {"dataset": "digits", "seeds": [0]} | WORKLOADS[self.workload] | settings
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "config.yaml"
        if not config.exists():  # the folder may be read-only
            config.write_text(yaml.safe_dump({"searches": {"s": search}}), encoding="utf-8")
        snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        place = ["--directory", str(self.folder), "--configfile", str(config), "--cores", "2"]
        return [*snakemake, *place]

    def start(self, **settings: Any) -> subprocess.Popen[str]:
        """Start it in a new process group."""
        environment = {k: v for k, v in os.environ.items() if k not in (SERVERS, WORKFLOW)}
        with self.log.open("a") as log:
            return subprocess.Popen(
                self.command(**settings),
                stdout=log,
                stderr=log,
                text=True,
                env=environment,
                start_new_session=True,
            )

    @property
    def log(self) -> Path:
        """The output of all runs in this folder; next to it, because its disk may be full."""
        return self.folder.with_name(self.folder.name + ".log")

    def finish(self, **settings: Any) -> int:
        """Run it to its end, and return the exit code."""
        return self.start(**settings).wait(TIMEOUT)

    def verify(self) -> tuple[int, str]:
        """`netsurgery verify`: exit code and output."""
        done = subprocess.run(
            [sys.executable, "-m", "netsurgery.cli.main", "verify", "results"],
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout


def processes() -> dict[int, tuple[int, list[str]]]:
    """Parent and command line of every running process."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if state not in "ZX":
                found[int(folder.name)] = int(parent), words
    return found


def family(process: int) -> Processes:
    """A process and all its descendants."""
    running = processes()
    found: Processes = {process: running[process][1]} if process in running else {}
    growing = True
    while growing:
        children = {
            child: words
            for child, (parent, words) in running.items()
            if parent in found and child not in found
        }
        growing = bool(children)
        found |= children
    return found


def servers(process: int, *kinds: str) -> list[int]:
    """The warm servers of a run."""
    running = processes()
    return [
        child
        for child, (parent, words) in running.items()
        if parent == process and "netsurgery.jobs.server" in words and set(kinds) & set(words)
    ]


def search_workflows(process: int) -> list[int]:
    """The workflows of single searches that a workflow has started."""
    return [
        child
        for child, words in family(process).items()
        if words[0].endswith("python") and any(word.startswith("only_run=") for word in words)
    ]


def jobs(process: int) -> list[int]:
    """The training jobs forked by the servers of a run."""
    running, own = processes(), servers(process, "training")
    return [child for child, (parent, _) in running.items() if parent in own]


def clients(process: int) -> list[int]:
    """The clients of a run that wait for training jobs."""
    named = {"netsurgery.processes.client", "training"}
    return [child for child, words in family(process).items() if named <= set(words)]


def kill(*targets: int, signal_: signal.Signals = signal.SIGKILL) -> int:
    """Send processes a signal, and return how many existed."""
    there = 0
    for target in targets:
        with contextlib.suppress(ProcessLookupError):
            os.kill(target, signal_)
            there += 1
    return there


def kill_all(run: subprocess.Popen[str]) -> bool:
    """Kill a workflow and all its descendants; return whether it was still running."""
    if run.poll() is not None:
        return False
    running = family(run.pid)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGKILL)
    kill(*running)
    run.wait()
    deadline = time.monotonic() + 10
    while any(child in processes() for child in running) and time.monotonic() < deadline:
        time.sleep(0.01)
    return True
