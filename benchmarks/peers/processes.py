"""Run a command on one thread, and measure the processor time of all processes that it starts."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of Linux's prctl
ONE_THREAD: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
LONGEST = 7200  # seconds on the clock; on a busy machine a command may take long


@dataclass(frozen=True)
class Taken:
    """The time of a command.

    Attributes:
        seconds: of the processor, of all its processes.
        wall_seconds: on the clock.
        last_line: of what it printed.
    """

    seconds: float
    wall_seconds: float
    last_line: str


class CommandError(Exception):
    """A command failed; the message is the last line that it printed."""


def adopt_orphans() -> None:
    """Become the parent of processes whose own parent ends, such as the servers of a workflow."""
    ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1, 0, 0, 0)


def measured(
    command: Sequence[Path | str], folder: Path, log: Path, path: Path | None = None
) -> Taken:
    """Run a command and wait for all processes that it started.

    Args:
        command: the program and its arguments.
        folder: to run it in.
        log: the file that gets what it prints.
        path: a folder of programs that it finds first.

    Raises:
        CommandError: it failed, or did not end.
    """
    environment = {**os.environ, **ONE_THREAD}
    if path is not None:
        environment["PATH"] = f"{path}:{environment['PATH']}"
        environment.pop("PYTHONPATH", None)
    began, before = time.monotonic(), _children_seconds()
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(
            [str(each) for each in command],
            cwd=folder,
            env=environment,
            stdout=file,
            stderr=file,
            start_new_session=True,
        ) as process,
    ):
        try:
            code = process.wait(LONGEST)
        except BaseException:  # Ctrl-C as well
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            raise
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()  # servers of a workflow end with it
    seconds, wall = _children_seconds() - before, time.monotonic() - began
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [""]
    if code:
        raise CommandError(f"exit code {code}: {lines[-1]}")
    return Taken(seconds, wall, lines[-1])


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
