"""Processes that end with another process, and are ended with it."""

import signal
import subprocess
import sys
import textwrap

from netsurgery.processes import process_exit

PARENT = """
    import subprocess, sys, time
    from netsurgery.processes.process_exit import exit_with_parent, terminate_children
    sleep = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"]
    jobs = ["bash", "-c", "\\"$@\\"; exit $?", "-", *sleep]
    job = subprocess.Popen(jobs, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    server = subprocess.Popen(sleep, stdout=subprocess.PIPE)
    for each in (job, server):
        each.stdout.readline()
    terminate_children([server.pid])
    print(job.wait(10) != 0, job.stderr.read() == b"", server.poll(), flush=True)
    server.kill()
    server.wait()
"""
CHILD = """
    import subprocess, sys
    from netsurgery.processes.process_exit import exit_with_parent
    sleep = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"]
    job = subprocess.Popen(sleep, preexec_fn=exit_with_parent)
    job.wait()
"""


def test_all_processes_but_those_left_out_are_terminated():
    command = [sys.executable, "-c", textwrap.dedent(PARENT)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["True", "True", "None"]


def test_a_process_that_ends_with_its_parent_ignores_ctrl_c():
    command = [sys.executable, "-c", textwrap.dedent(CHILD)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout.readline() == "ready\n"
        for child in process_exit._children(parent.pid):
            process_exit.os.kill(child, signal.SIGINT)
        parent.kill()
        assert parent.stdout.read() == ""  # the child has ended, too
        assert parent.stderr.read() == ""
