"""Run one job: in the warm server of its kind if that is in reach, else in a new process.

    python -m netsurgery.processes.client KIND [--time-limit SECONDS] COMMAND [OPTION ...]

KIND is a key of `MODULES`. The client imports next to nothing, so that a job costs milliseconds
beyond its work. Killing the client kills the job.

A training job that crashes in native code or runs out of memory is retried once, in a new process.
If it fails again, or exceeds its time limit, a last run trains nothing and records the candidate as
failed. Every other failure is the machine's: the client fails, too.
"""

import os
import signal
import socket
import sys

SERVERS = "NETSURGERY_SERVERS"  # the folder of the servers' sockets, each named by its kind
# kinds of jobs: those that train, those that training waits for, those that plot, report or log
TRAINING, JOBS, DISPLAY = "training", "jobs", "display"
MODULES = {
    TRAINING: "netsurgery.jobs.cold_start",
    JOBS: "netsurgery.jobs",
    DISPLAY: "netsurgery.jobs",
}
# exit codes
OUT_OF_MEMORY = 75  # of a training step that was refused memory
TIMED_OUT = -1  # of a job that was stopped at its time limit
CRASHES = tuple(128 + getattr(signal, f"SIG{name}") for name in "SEGV ABRT BUS ILL FPE".split())
# SIGKILL is the kernel's when memory runs out; a user who kills a job does so only once
FAILURES = dict.fromkeys(CRASHES, "crashed") | {
    OUT_OF_MEMORY: "out_of_memory",
    128 + signal.SIGKILL: "out_of_memory",
    TIMED_OUT: "timed_out",
}


def kept_graphs() -> str | None:
    """Return the folder of the graphs that jobs on this machine share; None without servers."""
    servers = os.environ.get(SERVERS)
    return os.path.join(servers, "graphs") if servers and os.path.isdir(servers) else None


def run_warm(path: str, arguments: list[str], limit: float | None = None) -> int | None:
    """Send a job to a warm server and wait for its end.

    Args:
        path: The server's socket.
        arguments: The command line of the job.
        limit: Seconds after which the job is killed.

    Returns:
        The job's exit code; None if the server did not take the job, or died meanwhile.
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
            return TIMED_OUT  # closing the connection kills the job
        except OSError:
            return None
    return int(answer) if answer.strip() else None


def run_cold(kind: str, arguments: list[str], limit: float | None = None) -> int:
    """Run a job in a new process, wait for its end and return its exit code."""
    import subprocess

    from netsurgery.processes.process_exit import exit_with_parent, exit_with_workflow

    exit_with_workflow()  # the server may be gone because the workflow ended
    command = [sys.executable, "-m", MODULES[kind], *arguments]
    job = subprocess.Popen(command, preexec_fn=exit_with_parent)
    try:
        code = job.wait(limit)
    except subprocess.TimeoutExpired:
        job.kill()
        job.wait()
        return TIMED_OUT
    return code if code >= 0 else 128 - code


def run(kind: str, arguments: list[str], limit: float | None = None) -> int:
    """Run a job in a warm server or a new process, with the same result."""
    path = os.path.join(os.environ.get(SERVERS, ""), kind)
    if os.environ.get(SERVERS) and os.path.exists(path):
        code = run_warm(path, arguments, limit)
        if code is not None:
            return code
    return run_cold(kind, arguments, limit)


def train(kind: str, arguments: list[str], limit: float | None) -> int:
    """Run a training job; retry it, and record its candidate as failed, as this module says."""
    code = run(kind, arguments, limit)
    if code in FAILURES and code != TIMED_OUT:
        _say(f"{FAILURES[code]} (exit code {code}): retrying in a new process")
        code = run_cold(kind, arguments, limit)
    if code not in FAILURES:
        return code
    _say(f"{FAILURES[code]}: the candidate is recorded as failed, the search continues")
    return run(kind, [*arguments, "--failure", FAILURES[code]])


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def main() -> None:
    """Run the job of the command line and exit with its code."""
    kind, *arguments = sys.argv[1:]
    limit = None
    if arguments[:1] == ["--time-limit"]:
        limit = float(arguments[1]) or None
        arguments = arguments[2:]
    sys.exit(train(kind, arguments, limit) if kind == TRAINING else run(kind, arguments))


if __name__ == "__main__":
    main()
