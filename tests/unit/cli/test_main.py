"""The command line ends without tracebacks when its user has seen enough."""

import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from netsurgery.cli import main as command

PRINTING = """
import sys
from types import SimpleNamespace
from netsurgery.cli import main as command

def run(given):
    for _ in range(100_000):
        print("a line of a long table")

command.parser = lambda: SimpleNamespace(parse_args=lambda: SimpleNamespace(run=run))
command.main()
"""


def test_ctrl_c_ends_a_command_without_a_traceback(monkeypatch):
    def run(given):
        raise KeyboardInterrupt

    for variable in ("KERAS_BACKEND", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.setenv(variable, os.environ.get(variable, ""))
    given = SimpleNamespace(parse_args=lambda: SimpleNamespace(run=run))
    monkeypatch.setattr(command, "parser", lambda: given)
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 128 + signal.SIGINT


def test_a_reader_that_has_seen_enough_is_no_error():
    with subprocess.Popen(
        [sys.executable, "-c", PRINTING], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"a line of a long table\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 128 + signal.SIGPIPE
