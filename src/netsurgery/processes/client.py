"""Run one job: through the warm server of its kind if that is in reach, else in an own process.

`python -m netsurgery.processes.client KIND [--time-limit SECONDS] ARGUMENT ...`, with a kind of
`MODULES`, imports next to nothing, so that a job costs milliseconds beyond its work. Killing it
kills the job.

A training job that crashes in native code, or runs out of memory, is run once more, in an own
process; if it fails again, or takes longer than its limit, it is run a last time not to train but
to record its candidate as fallen. All else that fails is the machine's fault: the client fails,
too.
"""

import os
import signal
import socket
import sys

FOLDER = "NETSURGERY_SERVERS"  # where the sockets of the workflow's servers are, by kind
TRAINING, JOBS, SHOWING = "training", "jobs", "showing"
MODULES = {
    TRAINING: "netsurgery.jobs.cold_start",
    JOBS: "netsurgery.jobs",
    SHOWING: "netsurgery.jobs",
}
# exit codes
MEMORY = 75  # of a training step that was refused memory
LATE = -1  # of a job that was stopped at its limit
CRASHES = tuple(128 + getattr(signal, f"SIG{name}") for name in "SEGV ABRT BUS ILL FPE".split())
# the kernel kills where memory runs out; who kills by hand does so only once
FALLEN = dict.fromkeys(CRASHES, "crashed") | {
    MEMORY: "out_of_memory",
    128 + signal.SIGKILL: "out_of_memory",
    LATE: "timed_out",
}


def kept_graphs() -> str | None:
    """The folder for what the jobs of a workflow on this machine can share; None without one."""
    servers = os.environ.get(FOLDER)
    return os.path.join(servers, "graphs") if servers and os.path.isdir(servers) else None


def run_warm(path: str, arguments: list[str], limit: float | None = None) -> int | None:
    """Hand a job to the server at `path` and wait.

    Args:
        path: of the server's socket.
        arguments: of the job.
        limit: seconds to wait; then the job is killed.

    Returns:
        The job's exit code; None if the server could not take it, or died on the way.
    """
    content = "\0".join([os.getcwd(), *arguments]).encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(limit)
        try:
            connection.connect(path)
            socket.send_fds(connection, [b"%d\n" % len(content)], [1, 2])
            connection.sendall(content)
            answer = connection.makefile().readline()
        except TimeoutError:
            return LATE  # hanging up kills the job
        except OSError:
            return None
    return int(answer) if answer.strip() else None


def run_cold(kind: str, arguments: list[str], limit: float | None = None) -> int:
    """Run a job in an own process and wait; gives its exit code."""
    import subprocess

    from netsurgery.processes.process_exit import exit_with_parent, exit_with_workflow

    exit_with_workflow()  # the server may be gone because the workflow is
    command = [sys.executable, "-m", MODULES[kind], *arguments]
    job = subprocess.Popen(command, preexec_fn=exit_with_parent)
    try:
        code = job.wait(limit)
    except subprocess.TimeoutExpired:
        job.kill()
        job.wait()
        return LATE
    return code if code >= 0 else 128 - code


def run(kind: str, arguments: list[str], limit: float | None = None) -> int:
    """Run a job warm or cold; the result is the same."""
    path = os.path.join(os.environ.get(FOLDER, ""), kind)
    if os.environ.get(FOLDER) and os.path.exists(path):
        code = run_warm(path, arguments, limit)
        if code is not None:
            return code
    return run_cold(kind, arguments, limit)


def train(kind: str, arguments: list[str], limit: float | None) -> int:
    """Run a training job by the rules of failure."""
    code = run(kind, arguments, limit)
    if code in FALLEN and code != LATE:
        print(f"{FALLEN[code]} (exit code {code}): once more", file=sys.stderr, flush=True)
        code = run_cold(kind, arguments, limit)
    if code not in FALLEN:
        return code
    print(f"{FALLEN[code]}: recorded, the search goes on without it", file=sys.stderr, flush=True)
    return run(kind, [*arguments, "--failure", FALLEN[code]])


def main() -> None:
    """Run a job."""
    kind, *arguments = sys.argv[1:]
    limit = None
    if arguments[:1] == ["--time-limit"]:
        limit = float(arguments[1]) or None
        arguments = arguments[2:]
    sys.exit(run(kind, arguments) if kind in (JOBS, SHOWING) else train(kind, arguments, limit))


if __name__ == "__main__":
    main()
