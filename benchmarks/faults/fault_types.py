"""The faults: each is a function that runs a search in a folder and does something bad to it.

It gives how often it did, and a problem if one showed before the comparison.
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
from benchmarks.faults.searches import PATIENCE, Run, kill, kill_all

FILES = 130  # about what a search writes
KILLS = 8  # in a trial
MEBIBYTE = 2**20
DAY = 86_400
Random = np.random.Generator
Trial = Callable[[Run, Random, Path], tuple[int, str]]


@dataclass(frozen=True)
class Kind:
    """A kind of fault, and how often it is to be tried."""

    name: str
    trial: Trial
    goal: int  # faults injected


def resume(run: Run, times: int = 3) -> str:
    """Run a search to its end, again if it stops; gives the problem, if it does not get there."""
    for _ in range(times):
        if run.finish() == 0:
            return ""
    return f"it does not end: see {run.log.name}"


def written(run: Run) -> int:
    """How many files there are: how far a search is, on a machine of any speed."""
    return sum(len(names) for _, _, names in os.walk(run.results))


def wait_somewhere(run: Run, process: subprocess.Popen[str], rng: Random, most: int) -> None:
    """Wait for some more files, at random, and for a random moment thereafter."""
    more = int(rng.integers(most))
    awaited = written(run) + more
    while written(run) < awaited and process.poll() is None:
        time.sleep(0.01)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(rng.uniform(0, 0.5 if more else 6))


def killed_somewhere(run: Run, rng: Random, most: int = FILES) -> bool:
    """Run a search, and kill everything at a random moment; whether it was still running."""
    process = run.start()
    wait_somewhere(run, process, rng, most)
    return kill_all(process)


def kill_workflow(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """The whole workflow, the servers included, again and again."""
    kills = 0
    for _try in range(KILLS):
        if not killed_somewhere(run, rng, FILES // 4):
            break
        kills += 1
    return kills, resume(run)


def while_running(run: Run, rng: Random, act: Callable[[int], int], times: int) -> int:
    """Run a search, and do something to it at random moments, until it was done so many times."""
    process, done = run.start(), 0
    while process.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0.1, 1.0))
        if process.poll() is None and done < times:
            done += act(process.pid)
    return done


def kill_jobs(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """Single training jobs: each is retried."""
    hit: set[int] = set()

    def act(process: int) -> int:
        there = [job for job in searches.jobs(process) if job not in hit][:1]
        hit.update(there)
        return kill(*there)

    return while_running(run, rng, act, 5), resume(run)


def kill_clients(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """The clients of training jobs: the workflow ends, and is run again."""
    done = 0
    for _try in range(4):
        done += while_running(run, rng, lambda process: kill(*searches.clients(process)[:1]), 1)
    return done, resume(run)


def kill_server(kind: str, run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """A warm server alone: its jobs run by themselves until it is started anew."""
    process = run.start()
    wait_somewhere(run, process, rng, FILES)
    done = kill(*searches.servers(process.pid, kind))
    process.wait(PATIENCE)
    return done, resume(run)


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A disk of so many bytes at a folder."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def remount(folder: Path, option: str) -> None:
    """Change a disk while it is in use."""
    subprocess.run(["mount", "-o", f"remount,{option}", folder], check=True)


def copied(run: Run) -> None:
    """Keep what is on a disk that is about to go."""
    kept = run.folder.with_name(run.folder.name + "-kept")
    shutil.copytree(run.folder, kept, symlinks=True)


def fill_disk(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """A disk too small for the search, which is then given room."""
    with small_disk(run.folder, int((16.4 + rng.uniform(0, 1.6)) * MEBIBYTE)):
        full = run.finish() != 0
        text = run.log.read_text()
        remount(run.folder, "size=100m")
        problem = resume(run)
        copied(run)
    if full and ("No space left" not in text or "Traceback" in text):
        problem = problem or "no clear line"
    return int(full), problem


def read_only(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """Results that can only be read when the search is to go on, and then can be written."""
    with small_disk(run.folder, 100 * MEBIBYTE):
        killed_somewhere(run, rng)
        before = len(run.log.read_text())
        remount(run.folder, "ro")
        code = run.finish()
        said = run.log.read_text()[before:]
        remount(run.folder, "rw")
        problem = resume(run)
        copied(run)
    if code != 1 or "cannot be written to" not in said or "Traceback" in said:
        problem = problem or "no clear line"
    return 1, problem


def two_at_once(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """A second run on the same folder while one is going on."""
    first = run.start()
    while not (run.results / ".lock").exists() and first.poll() is None:
        time.sleep(0.05)
    wait_somewhere(run, first, rng, FILES // 2)
    running = first.poll() is None
    code = run.finish()
    if not running or first.wait(PATIENCE):
        return 0, resume(run)
    refused = code == 1 and "another run is writing here" in run.log.read_text()
    return 1, "" if refused else "the second run was not refused"


def jump_clock(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """A clock that goes back or forth by up to a day between two runs.

    What matters of a clock to the workflow are the dates of files: they are moved instead.
    """
    if not killed_somewhere(run, rng):
        return 0, ""
    jump = rng.uniform(-DAY, DAY)
    for path in run.folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            status = path.lstat()
            os.utime(path, (status.st_atime + jump, status.st_mtime + jump), follow_symlinks=False)
    problem = resume(run)
    return 1, problem or resume(run)


def hide_files(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """New files that come into sight late, as on a network's file system."""
    process, hidden = run.start(), 0
    known: set[Path] = set()
    threads = []

    def show(path: Path, away: Path, late: float) -> None:
        time.sleep(late)
        os.replace(away, path)

    while process.poll() is None:
        # not by glob, which fails where a folder goes while it looks
        files = [Path(place, name) for place, _, names in os.walk(run.root) for name in names]
        for path in files:
            if path in known or path.name.startswith(".") or path.suffix not in {".json", ".keras"}:
                continue
            known.add(path)
            if hidden < 12 and rng.random() < 0.4:
                away = run.folder / f"hidden{hidden}"
                with contextlib.suppress(FileNotFoundError):
                    os.replace(path, away)
                    hidden += 1
                    late = threading.Thread(target=show, args=(path, away, rng.uniform(0.3, 3)))
                    late.start()
                    threads.append(late)
        time.sleep(0.002)
    for thread in threads:
        thread.join()
    return hidden, resume(run)


ARTIFACTS = (
    "_data/*/data.json",
    "_data/*/x.npy",
    "_data/*/y.npy",
    "mlflow.db",
    "summary.csv",
    "summary.html",
    "s/seed0/split.npz",
    "s/seed0/split.json",
    "s/seed0/lineage.csv",
    "s/seed0/plots/*.svg",
    "s/seed0/final/model.keras",
    "s/seed0/final/network.keras",
    "s/seed0/final/*.json",
    "s/seed0/generation*/**/*.keras",
    "s/seed0/generation*/**/[gs]*[0-9].json",
    "s/seed0/generation*/**/plan.json",
    "s/seed0/generation*/winners.json",
    "s/seed0/generation*/tracked.json",
    "s/seed0/generation*/*.csv",
    "s/seed0/generation*/*.svg",
    "s/seed0/generation*/singular_values.json",
)


def damage(path: Path, rng: Random) -> None:
    """Cut a file off somewhere, or flip some of its bits."""
    content = bytearray(path.read_bytes())
    if rng.random() < 0.4:
        content = content[: rng.integers(len(content))]
    else:
        for at in rng.integers(len(content), size=rng.integers(1, 4)):
            content[at] ^= 1 << rng.integers(8)
    dates = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(dates.st_atime_ns, dates.st_mtime_ns))  # as a disk does it


def damage_some(run: Run, rng: Random, count: int) -> list[Path]:
    """Damage files of several kinds, of those that are there."""
    found: list[Path] = []
    for pattern in rng.permutation(np.array(ARTIFACTS)):
        there = sorted(p for p in run.results.glob(str(pattern)) if not p.name.startswith("."))
        if there and len(found) < count:
            path = there[rng.integers(len(there))]
            before = path.read_bytes()
            damage(path, rng)
            if path.read_bytes() != before:
                found.append(path)
    return found


def named(run: Run, paths: list[Path]) -> list[str]:
    """Those damaged files that `netsurgery verify` does not name, nor what vouches for them.

    A database has unused space, and tables that are not ours: damage there shows nowhere.
    """
    from netsurgery.storage.mlflow_sqlite import find_damage

    _, said = run.verify()
    listed = {line.partition(": damaged")[0] for line in said.splitlines()}
    missing = []
    for path in paths:
        beside = {str(p.relative_to(run.folder)) for p in path.parent.glob("*.json")}
        beside |= {str((run.root / "final/summary.json").relative_to(run.folder))}
        if str(path.relative_to(run.folder)) in listed or beside & listed:
            continue
        if path.name == "mlflow.db" and find_damage(path) is None:
            continue
        missing.append(path.name)
    return missing


def damage_finished(run: Run, rng: Random, reference: Path) -> tuple[int, str]:
    """Files of a finished search, cut off or with flipped bits."""
    shutil.copytree(reference, run.folder, symlinks=True)
    damaged = damage_some(run, rng, 3)
    missing = named(run, damaged)
    problem = resume(run)
    return len(damaged), f"not named: {', '.join(missing)}" if missing else problem


def damage_unfinished(run: Run, rng: Random, _: Path) -> tuple[int, str]:
    """Files of a search that was killed."""
    killed_somewhere(run, rng)
    damaged = damage_some(run, rng, 3)
    return len(damaged), resume(run)


KINDS = (
    Kind("the whole workflow killed", kill_workflow, 100),
    Kind("single training jobs killed", kill_jobs, 20),
    Kind("clients of training jobs killed", kill_clients, 12),
    Kind("the warm trainer killed", partial(kill_server, "training"), 3),
    Kind("the server that writes to MLflow killed", partial(kill_server, "display"), 5),
    Kind("disk full, then given room", fill_disk, 6),
    Kind("files of finished searches damaged", damage_finished, 45),
    Kind("files of killed searches damaged", damage_unfinished, 15),
    Kind("clock moved between two runs", jump_clock, 5),
    Kind("two runs at once", two_at_once, 4),
    Kind("results read-only, then writable", read_only, 3),
    Kind("files come into sight late", hide_files, 24),
)
