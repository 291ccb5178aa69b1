"""Processes that end with another process, however that one ends."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Collection, Iterator
from pathlib import Path

WORKFLOW = "NETSURGERY_WORKFLOW"  # host and process id of the workflow that jobs belong to
PR_SET_PDEATHSIG = 1


def _own_name() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"


def announce_workflow() -> None:
    """Name this process as the workflow of its jobs, in their environment."""
    os.environ[WORKFLOW] = _own_name()


def is_workflow() -> bool:
    """Whether this process has announced itself as the workflow of its jobs."""
    return os.environ.get(WORKFLOW) == _own_name()


def exit_with_workflow() -> None:
    """End this process when its workflow ends, if that runs on this machine.

    On the node of a cluster, the cluster ends its jobs.
    """
    host, _, process = os.environ.get(WORKFLOW, "").rpartition("/")
    if host != socket.gethostname() or not hasattr(os, "pidfd_open"):
        return
    try:
        workflow = os.pidfd_open(int(process))
    except ProcessLookupError:
        os._exit(1)

    def wait() -> None:
        select.select([workflow], [], [])
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def terminate_children(without: Collection[int]) -> None:
    """Send SIGTERM to all processes below this one (Linux only).

    Args:
        without: Children to leave alone, with all below them.
    """
    for process in _children(os.getpid()):
        if process not in without:
            for each in [process, *_descendants(process)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, signal.SIGTERM)


def _children(process: int) -> list[int]:
    found: list[int] = []
    for thread in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, thread.read_text().split())
    return found


def _descendants(process: int) -> Iterator[int]:
    for child in _children(process):
        yield child
        yield from _descendants(child)


def prefer_for_oom_kill() -> None:
    """Make the kernel kill this process before the workflow when memory runs out (Linux only)."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def exit_with_parent() -> None:
    """Make the kernel kill this process when its parent dies (Linux only).

    Then Ctrl-C is the parent's to handle: this process ends with it and prints no traceback.
    """
    if sys.platform == "linux":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with contextlib.suppress(OSError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
