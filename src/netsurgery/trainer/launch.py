"""Starting the warm trainer with a workflow."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from netsurgery.trainer.client import SOCKET
from netsurgery.trainer.lifeline import announce_workflow


def launch(log: Path) -> subprocess.Popen[bytes] | None:
    """Start a server that dies with this process, and name it in the environment of its jobs.

    Its socket lies in a folder that no other user can enter.

    Args:
        log: where the server's own output goes.

    Returns:
        The server, which must be kept; None where there is no fork server (jobs then run cold).
    """
    announce_workflow()
    if sys.platform != "linux":
        return None
    address = os.path.join(tempfile.mkdtemp(prefix="netsurgery-"), "trainer")
    log.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listener, log.open("wb") as output:
        listener.bind(address)  # here, so that no client comes too early
        listener.listen(128)
        server = subprocess.Popen(
            [sys.executable, "-m", "netsurgery.trainer.server", str(listener.fileno())],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
    os.environ[SOCKET] = address
    return server
