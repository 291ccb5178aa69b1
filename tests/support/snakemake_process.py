"""Snakemake in a process of its own that has imported it already.

Importing Snakemake takes longer than most runs of the tests. A server imports it once for all runs
of a test process and forks for each; it imports nothing of ours.
"""

import multiprocessing
import os
import subprocess
import sys
from functools import cache
from tempfile import TemporaryFile

PRELOADED = ("snakemake.cli", "snakemake.executors.local", "jsonschema", "pandas")


@cache
def _context():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    return context


def _execute(arguments, environment, streams):
    """Become what `python -m snakemake` with these arguments is."""
    for number, stream in enumerate(streams, start=1):
        os.dup2(stream.detach(), number)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["snakemake", *arguments]
    sys.path[0] = os.getcwd()
    from snakemake.cli import main

    main()


def run(arguments, environment, timeout):
    """Run Snakemake to its end, as `subprocess.run` with text output does.

    Args:
        arguments: Of its command line.
        environment: All variables that it sees.
        timeout: Seconds after which it is killed.

    Raises:
        subprocess.TimeoutExpired: It was killed.
    """
    with TemporaryFile("w+") as out, TemporaryFile("w+") as error:
        streams = [multiprocessing.reduction.DupFd(each.fileno()) for each in (out, error)]
        process = _context().Process(target=_execute, args=(arguments, environment, streams))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, timeout)
        for each in (out, error):
            each.seek(0)
        return subprocess.CompletedProcess(arguments, process.exitcode, out.read(), error.read())
