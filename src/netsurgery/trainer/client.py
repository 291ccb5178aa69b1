"""Run one job: through the warm server of its kind if that is in reach, else in an own process.

`python -m netsurgery.trainer.client training|jobs <arguments>` imports next to nothing, so that a
job costs milliseconds beyond its work. Killing it kills the job.
"""

import os
import socket
import sys

FOLDER = "NETSURGERY_SERVERS"  # where the sockets of the workflow's servers are, by kind
TRAINING, SMALL_TRAINING, JOBS = "training", "small-training", "jobs"
MODULES = {
    TRAINING: "netsurgery.trainer.cold",
    SMALL_TRAINING: "netsurgery.trainer.cold",
    JOBS: "netsurgery.jobs",
}
# oneDNN's kernels are made anew in every process, a fifth of the time of a small job, and for
# samples of few numbers they are no faster than TensorFlow's own
ENVIRONMENT = {TRAINING: {}, SMALL_TRAINING: {"TF_ENABLE_ONEDNN_OPTS": "0"}, JOBS: {}}
FEW = 768  # numbers in a sample: an image of 16x16 with 3 channels


def kept_graphs() -> str | None:
    """The folder for what the jobs of a workflow on this machine can share; None without one."""
    servers = os.environ.get(FOLDER)
    return os.path.join(servers, "graphs") if servers and os.path.isdir(servers) else None


def kind_of(kind: str, arguments: list[str]) -> str:
    """Whether a training job has small samples, by the shape in the head of their file."""
    if kind != TRAINING or "--data" not in arguments:
        return kind
    try:
        with open(os.path.join(arguments[arguments.index("--data") + 1], "x.npy"), "rb") as file:
            head = file.read(1000).decode("latin-1")
        numbers = 1
        for length in head.partition("(")[2].partition(")")[0].split(",")[1:]:
            numbers *= int(length or 1)
    except (OSError, ValueError):
        return kind  # which will say what is wrong
    return SMALL_TRAINING if numbers <= FEW else kind


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
    arguments = sys.argv[2:]
    kind = kind_of(sys.argv[1], arguments)
    path = os.path.join(os.environ.get(FOLDER, ""), kind)
    code = run_warm(path, arguments) if os.environ.get(FOLDER) and os.path.exists(path) else None
    if code is None:
        from netsurgery.trainer.lifeline import die_with_workflow

        die_with_workflow()  # the server may be gone because the workflow is
        command = [sys.executable, "-m", MODULES[kind], *arguments]
        os.execve(sys.executable, command, os.environ | ENVIRONMENT[kind])
    sys.exit(code)


if __name__ == "__main__":
    main()
