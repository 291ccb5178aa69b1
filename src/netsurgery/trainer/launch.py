"""Starting the warm servers with a workflow."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from netsurgery.trainer.client import FOLDER, MODULES
from netsurgery.trainer.lifeline import announce_workflow


def launch(logs: Path) -> dict[str, subprocess.Popen[bytes]]:
    """Start servers that die with this process, and name them in the environment of its jobs.

    Their sockets lie in a folder that no other user can enter.

    Args:
        logs: the folder for the servers' own output.

    Returns:
        The servers by kind, which must be kept; none where there is no fork server (jobs then run
        cold).
    """
    announce_workflow()
    if sys.platform != "linux":
        return {}
    folder = tempfile.mkdtemp(prefix="netsurgery-")
    logs.mkdir(parents=True, exist_ok=True)
    servers = {kind: _server(kind, folder, logs / f"server-{kind}.log") for kind in MODULES}
    os.environ[FOLDER] = folder
    return servers


def _server(kind: str, folder: str, log: Path) -> subprocess.Popen[bytes]:
    with socket.socket(socket.AF_UNIX) as listener, log.open("wb") as output:
        listener.bind(os.path.join(folder, kind))  # here, so that no client comes too early
        listener.listen(128)
        return subprocess.Popen(
            [sys.executable, "-m", "netsurgery.trainer.server", kind, str(listener.fileno())],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
