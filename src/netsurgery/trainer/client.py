"""Run one training step: through the warm trainer if it is in reach, else in a process of its own.

`python -m netsurgery.trainer.client <arguments of netsurgery.jobs.training_steps>` imports the
standard library alone, so that a job costs milliseconds beyond its training. Killing it kills the
training step.
"""

import json
import os
import socket
import sys

from netsurgery.trainer.lifeline import die_with_workflow

SOCKET = "NETSURGERY_TRAINER"


def run_warm(path: str, arguments: list[str]) -> int | None:
    """Hand the step to the server at `path` and wait.

    Returns:
        The step's exit code; None if the server could not take it, or died on the way.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(path)
            request = json.dumps({"arguments": arguments, "folder": os.getcwd()}) + "\n"
            socket.send_fds(connection, [request.encode()], [1, 2])
            answer = connection.makefile().readline()
        except OSError:
            return None
    return int(answer) if answer.strip() else None


def main() -> None:
    """Train warm or cold; the result is the same."""
    arguments = sys.argv[1:]
    path = os.environ.get(SOCKET)
    code = run_warm(path, arguments) if path and os.path.exists(path) else None
    if code is None:
        die_with_workflow()  # the server may be gone because the workflow is
        step = [sys.executable, "-m", "netsurgery.jobs.training_steps", *arguments]
        os.execv(sys.executable, step)
    sys.exit(code)


if __name__ == "__main__":
    main()
