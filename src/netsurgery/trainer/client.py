"""Run one job: through the warm server of its kind if that is in reach, else in an own process.

`python -m netsurgery.trainer.client training|jobs <arguments>` imports next to nothing, so that a
job costs milliseconds beyond its work. Killing it kills the job.
"""

import os
import socket
import sys

FOLDER = "NETSURGERY_SERVERS"  # where the sockets of the workflow's servers are, by kind
MODULES = {"training": "netsurgery.jobs.training_steps", "jobs": "netsurgery.jobs"}


def run_warm(path: str, arguments: list[str]) -> int | None:
    """Hand a job to the server at `path` and wait.

    Returns:
        The job's exit code; None if the server could not take it, or died on the way.
    """
    content = "\0".join([os.getcwd(), *arguments]).encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(path)
            socket.send_fds(connection, [b"%d\n" % len(content)], [1, 2])
            connection.sendall(content)
            answer = connection.makefile().readline()
        except OSError:
            return None
    return int(answer) if answer.strip() else None


def main() -> None:
    """Run warm or cold; the result is the same."""
    kind, arguments = sys.argv[1], sys.argv[2:]
    path = os.path.join(os.environ.get(FOLDER, ""), kind)
    code = run_warm(path, arguments) if os.environ.get(FOLDER) and os.path.exists(path) else None
    if code is None:
        from netsurgery.trainer.lifeline import die_with_workflow

        die_with_workflow()  # the server may be gone because the workflow is
        os.execv(sys.executable, [sys.executable, "-m", MODULES[kind], *arguments])
    sys.exit(code)


if __name__ == "__main__":
    main()
