"""Starting the warm servers with a workflow."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

from netsurgery.processes.client import FOLDER, MODULES
from netsurgery.processes.process_exit import announce_workflow

RESTARTS = 5  # of each server that is killed


def launch(logs: Path | None, expected: Collection[str] = ()) -> dict[str, subprocess.Popen[bytes]]:
    """Start servers that die with this process, and name them in the environment of its jobs.

    Their sockets lie in a folder that no other user can enter. A server that is killed is started
    anew.

    Args:
        logs: the folder for the servers' own output; None: where this process writes its own.
        expected: kinds of jobs that will come; servers of other kinds import what they need when a
            first one comes.

    Returns:
        The servers by kind, which must be kept; none where there is no fork server (jobs then run
        cold).
    """
    announce_workflow()
    if sys.platform != "linux":
        return {}
    folder = tempfile.mkdtemp(prefix="netsurgery-")
    os.environ[FOLDER] = folder  # the servers' own jobs look there, too
    servers = {}
    for kind in MODULES:
        when = "now" if kind in expected else "then"
        servers[kind] = _server(kind, when, folder, logs)
        kept = threading.Thread(target=_keep, args=(servers, kind, folder, logs), daemon=True)
        kept.start()
    return servers


def _keep(
    servers: dict[str, subprocess.Popen[bytes]], kind: str, folder: str, logs: Path | None
) -> None:
    """Start a server anew when it ends without being told to, which is by closing its input."""
    for _ in range(RESTARTS):
        process = servers[kind]
        process.wait()
        if process.stdin is None or process.stdin.closed:
            return
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, kind))
        servers[kind] = _server(kind, "then", folder, logs)


def in_reach() -> bool:
    """Whether this process was started by the jobs of a workflow with servers on this machine."""
    folder = os.environ.get(FOLDER)
    return folder is not None and all(os.path.exists(os.path.join(folder, k)) for k in MODULES)


def leave() -> None:
    """Have nothing to do with the servers of a workflow that handed its job to a cluster.

    They may even be in reach, where a node is the machine that submits; but the job must stay in
    its allocation. This process is the workflow of its jobs now.
    """
    os.environ.pop(FOLDER, None)
    announce_workflow()


def _output(logs: Path | None, kind: str) -> contextlib.AbstractContextManager[BinaryIO]:
    if logs is None:
        return contextlib.nullcontext(sys.stderr.buffer)
    logs.mkdir(parents=True, exist_ok=True)
    return (logs / f"server-{kind}.log").open("wb")


def _server(kind: str, when: str, folder: str, logs: Path | None) -> subprocess.Popen[bytes]:
    with socket.socket(socket.AF_UNIX) as listener, _output(logs, kind) as output:
        listener.bind(os.path.join(folder, kind))  # here, so that no client comes too early
        listener.listen(128)
        command = [sys.executable, "-m", "netsurgery.jobs.server"]
        return subprocess.Popen(
            [*command, kind, when, str(listener.fileno())],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
