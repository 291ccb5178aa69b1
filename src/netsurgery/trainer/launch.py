"""Starting the warm trainer with a workflow."""

from __future__ import annotations

import os
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
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "netsurgery.trainer.server", address],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    os.environ[SOCKET] = address
    return server
