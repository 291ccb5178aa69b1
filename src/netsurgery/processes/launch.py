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

from netsurgery.processes.client import MODULES, SERVERS
from netsurgery.processes.process_exit import announce_workflow

MAX_RESTARTS = 5  # of each server
SHORT_PLACES = ("/tmp", "/var/tmp", "/dev/shm")
NO_SOCKETS = (
    "no warm servers, so each job starts slowly: no temporary folder takes sockets, whose paths "
    "have room for 107 bytes; set TMPDIR to a short one"
)


def launch(logs: Path | None, expected: Collection[str] = ()) -> dict[str, subprocess.Popen[bytes]]:
    """Start servers that end with this process, and name them in the environment of its jobs.

    Their sockets are in a folder that no other user can enter. A server that is killed is
    restarted.

    Args:
        logs: The folder for the servers' output; None for the standard error of this process.
        expected: The kinds of jobs that will come. Servers of other kinds import their packages
            with the first job.

    Returns:
        The servers by kind, which the caller has to keep; none outside Linux, or without a place
        for sockets: there each job runs in a new process.
    """
    announce_workflow()
    if sys.platform != "linux":
        return {}
    folder = socket_folder()
    if folder is None:
        print(NO_SOCKETS, file=sys.stderr)
        return {}
    os.environ[SERVERS] = folder  # jobs of the servers look there, too
    servers = {}
    for kind in MODULES:
        when = "now" if kind in expected else "then"
        servers[kind] = _server(kind, when, folder, logs)
        arguments = (servers, kind, folder, logs)
        threading.Thread(target=_restart_if_killed, args=arguments, daemon=True).start()
    return servers


def socket_folder() -> str | None:
    """Make a folder in which sockets can be bound; None if there is no place for one.

    The path of a socket has room for 107 bytes, and not every file system has sockets.
    """
    places = [tempfile.gettempdir(), os.environ.get("XDG_RUNTIME_DIR"), *SHORT_PLACES]
    for place in filter(None, places):
        with contextlib.suppress(OSError):
            folder = tempfile.mkdtemp(prefix="netsurgery-", dir=place)
            path = os.path.join(folder, max(MODULES, key=len))
            try:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.bind(path)
                os.unlink(path)
                return folder
            except OSError:
                os.rmdir(folder)
    return None


def _restart_if_killed(
    servers: dict[str, subprocess.Popen[bytes]], kind: str, folder: str, logs: Path | None
) -> None:
    """Restart a server that ends although its standard input is open."""
    for _ in range(MAX_RESTARTS):
        process = servers[kind]
        process.wait()
        if process.stdin is None or process.stdin.closed:
            return
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, kind))
        servers[kind] = _server(kind, "then", folder, logs)
        process.stdin.close()


def in_reach() -> bool:
    """Whether the environment names servers on this machine, as for runs of single searches."""
    folder = os.environ.get(SERVERS)
    return folder is not None and all(os.path.exists(os.path.join(folder, k)) for k in MODULES)


def detach() -> None:
    """Ignore the servers of the workflow that submitted this job to a cluster.

    They are in reach if the node is the machine that submits, but the job must stay in its
    allocation. From here on, this process is the workflow of its jobs.
    """
    os.environ.pop(SERVERS, None)
    announce_workflow()


def _output(logs: Path | None, kind: str) -> contextlib.AbstractContextManager[BinaryIO]:
    if logs is None:
        return contextlib.nullcontext(sys.stderr.buffer)
    logs.mkdir(parents=True, exist_ok=True)
    return (logs / f"server-{kind}.log").open("wb")


def _server(kind: str, when: str, folder: str, logs: Path | None) -> subprocess.Popen[bytes]:
    with socket.socket(socket.AF_UNIX) as listener, _output(logs, kind) as output:
        listener.bind(os.path.join(folder, kind))  # before the server runs: clients may connect
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
