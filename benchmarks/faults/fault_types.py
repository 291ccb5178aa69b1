"""The types of faults. Each is a function that runs a search in a folder and injects a fault.

It returns the number of injected faults, and a problem if one occurred before the comparison.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from benchmarks.faults import searches
from benchmarks.faults.damaged_files import damage_some, unreported
from benchmarks.faults.searches import TIMEOUT, Run, kill, kill_all

FILES = 130  # approximate number of files of a search
KILLS = 8  # per trial
MEBIBYTE = 2**20
DAY = 86_400
Random = np.random.Generator
Trial = Callable[[Run, Random, Path], tuple[int, str]]


@dataclass(frozen=True)
class FaultType:
    """A type of fault, and how often to inject it."""

    name: str
    trial: Trial
    goal: int  # number of faults


def resume(run: Run, times: int = 3) -> str:
    """Run a search to its end, again if it stops; return a problem if it never ends."""
    for _ in range(times):
        if run.finish() == 0:
            return ""
    return f"does not finish: see {run.log.name}"


def file_count(run: Run) -> int:
    """The number of files: the progress of a search, regardless of the speed of the machine."""
    return sum(len(names) for _, _, names in os.walk(run.results))


def wait_randomly(run: Run, process: subprocess.Popen[str], rng: Random, max_files: int) -> None:
    """Wait for a random number of further files, and then for a random time."""
    more = int(rng.integers(max_files))
    awaited = file_count(run) + more
    while file_count(run) < awaited and process.poll() is None:
        time.sleep(0.01)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(rng.uniform(0, 0.5 if more else 6))


def kill_randomly(run: Run, rng: Random, max_files: int = FILES) -> bool:
    """Run a search and kill it at a random moment; return whether it was still running."""
    process = run.start()
    wait_randomly(run, process, rng, max_files)
    return kill_all(process)


def kill_workflow(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """Kill the whole workflow including its servers, several times."""
    kills = 0
    for _try in range(KILLS):
        if not kill_randomly(run, rng, FILES // 4):
            break
        kills += 1
    return kills, resume(run)


def while_running(run: Run, rng: Random, act: Callable[[int], int], times: int) -> int:
    """Run a search, and act on it at random moments, at most `times` times."""
    process, done = run.start(), 0
    while process.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0.1, 1.0))
        if process.poll() is None and done < times:
            done += act(process.pid)
    return done


def kill_jobs(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """Kill single training jobs, which are retried."""
    killed: set[int] = set()

    def act(process: int) -> int:
        targets = [job for job in searches.jobs(process) if job not in killed][:1]
        killed.update(targets)
        return kill(*targets)

    return while_running(run, rng, act, 5), resume(run)


def kill_clients(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """Kill clients of training jobs; the workflow stops and is run again."""
    done = 0
    for _try in range(4):
        done += while_running(run, rng, lambda process: kill(*searches.clients(process)[:1]), 1)
    return done, resume(run)


def kill_server(kind: str, run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """Kill a warm server; its jobs run without it until it is restarted."""
    process = run.start()
    wait_randomly(run, process, rng, FILES)
    done = kill(*searches.servers(process.pid, kind))
    process.wait(TIMEOUT)
    return done, resume(run)


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """Mount a disk of the given size in bytes at a folder."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def remount(folder: Path, option: str) -> None:
    """Change the options of a mounted disk."""
    subprocess.run(["mount", "-o", f"remount,{option}", folder], check=True)


def keep_copy(run: Run) -> None:
    """Copy the content of a disk before it is unmounted."""
    kept = run.folder.with_name(run.folder.name + "-kept")
    shutil.copytree(run.folder, kept, symlinks=True)


def fill_disk(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """Fill a small disk, and enlarge it afterwards."""
    with small_disk(run.folder, int((16.4 + rng.uniform(0, 1.6)) * MEBIBYTE)):
        full = run.finish() != 0
        text = run.log.read_text()
        remount(run.folder, "size=100m")
        problem = resume(run)
        keep_copy(run)
    if full and ("No space left" not in text or "Traceback" in text):
        problem = problem or "no clear message"
    return int(full), problem


def read_only(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """Make the results read-only before a search resumes, and writable afterwards."""
    with small_disk(run.folder, 100 * MEBIBYTE):
        kill_randomly(run, rng)
        before = len(run.log.read_text())
        remount(run.folder, "ro")
        code = run.finish()
        output = run.log.read_text()[before:]
        remount(run.folder, "rw")
        problem = resume(run)
        keep_copy(run)
    if code != 1 or "cannot be written to" not in output or "Traceback" in output:
        problem = problem or "no clear message"
    return 1, problem


def run_twice(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """Start a second run on the folder of a running one."""
    first = run.start()
    while not (run.results / ".lock").exists() and first.poll() is None:
        time.sleep(0.05)
    wait_randomly(run, first, rng, FILES // 2)
    running = first.poll() is None
    code = run.finish()
    if not running or first.wait(TIMEOUT):
        return 0, resume(run)
    rejected = code == 1 and "another run is writing here" in run.log.read_text()
    return 1, "" if rejected else "the second run was not rejected"


def jump_clock(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """Change the clock by up to a day between two runs.

    The workflow only uses the clock through the dates of files, so those are shifted instead.
    """
    if not kill_randomly(run, rng):
        return 0, ""
    jump = rng.uniform(-DAY, DAY)
    for path in run.folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            status = path.lstat()
            os.utime(path, (status.st_atime + jump, status.st_mtime + jump), follow_symlinks=False)
    problem = resume(run)
    return 1, problem or resume(run)


def hide_files(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """Hide new files for a while, as on a network file system."""
    process, hidden = run.start(), 0
    known: set[Path] = set()
    threads = []

    def restore(path: Path, hidden_path: Path, delay: float) -> None:
        time.sleep(delay)
        os.replace(hidden_path, path)

    while process.poll() is None:
        # glob fails if a folder disappears meanwhile
        files = [Path(place, name) for place, _, names in os.walk(run.root) for name in names]
        for path in files:
            if path in known or path.name.startswith(".") or path.suffix not in {".json", ".keras"}:
                continue
            known.add(path)
            if hidden < 12 and rng.random() < 0.4:
                hidden_path = run.folder / f"hidden{hidden}"
                with contextlib.suppress(FileNotFoundError):
                    os.replace(path, hidden_path)
                    hidden += 1
                    delay = rng.uniform(0.3, 3)
                    thread = threading.Thread(target=restore, args=(path, hidden_path, delay))
                    thread.start()
                    threads.append(thread)
        time.sleep(0.002)
    for thread in threads:
        thread.join()
    return hidden, resume(run)


def damage_finished(run: Run, rng: Random, reference: Path) -> tuple[int, str]:
    """Damage files of a finished search."""
    shutil.copytree(reference, run.folder, symlinks=True)
    damaged = damage_some(run, rng, 3)
    missing = unreported(run, damaged)
    problem = resume(run)
    return len(damaged), f"not listed: {', '.join(missing)}" if missing else problem


def damage_unfinished(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """Damage files of a killed search."""
    kill_randomly(run, rng)
    damaged = damage_some(run, rng, 3)
    return len(damaged), resume(run)


FAULT_TYPES = (
    FaultType("whole workflow killed", kill_workflow, 100),
    FaultType("single training jobs killed", kill_jobs, 20),
    FaultType("clients of training jobs killed", kill_clients, 12),
    FaultType("warm training server killed", partial(kill_server, "training"), 3),
    FaultType("server that logs to MLflow killed", partial(kill_server, "display"), 5),
    FaultType("disk full, then space freed", fill_disk, 6),
    FaultType("files of finished searches damaged", damage_finished, 45),
    FaultType("files of killed searches damaged", damage_unfinished, 15),
    FaultType("clock changed between two runs", jump_clock, 5),
    FaultType("two runs at the same time", run_twice, 4),
    FaultType("results read-only, then writable", read_only, 3),
    FaultType("files appear late", hide_files, 24),
)
