"""A warm server: it imports the packages of a kind of jobs once and forks a child for each job.

Training jobs need TensorFlow; jobs that plot or log need matplotlib and MLflow. The server runs
until its standard input ends, which happens when the workflow that started it ends, and kills its
children then. The socket listens before the imports, so that early clients wait.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import selectors
import shutil
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from netsurgery.processes.client import DISPLAY, JOBS, TRAINING
from netsurgery.processes.process_exit import exit_with_parent
from netsurgery.processes.tensorflow_imports import without_optional_packages

MAX_REQUEST_BYTES = 1 << 20
Main = Callable[[list[str]], None]


def training() -> Main:
    """Import what training steps need; return the function that runs one."""
    from netsurgery.storage import provenance

    with without_optional_packages():
        from netsurgery.jobs import training_commands
        from netsurgery.training import warm_up_tensorflow

    warm_up_tensorflow()
    provenance.code()  # asks git once, not in every child
    return training_commands.main


def jobs() -> Main:
    """Import what jobs between training steps need; return the function that runs one."""
    from netsurgery.jobs import __main__

    return __main__.main


def display() -> Main:
    """Import what jobs that plot, report or log need; return the function that runs one."""
    from netsurgery import plots  # noqa: F401 - children then find it imported
    from netsurgery.tracking import sync

    sync.preload()
    return jobs()


KINDS = {TRAINING: training, JOBS: jobs, DISPLAY: display}


def receive(connection: socket.socket) -> tuple[list[str], str, list[int]]:
    """Receive a request.

    Returns:
        The job's arguments, its working folder, and the descriptors of the client's standard output
        and error.

    Raises:
        ValueError: The request is malformed, or comes from another user.
    """
    who = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    if struct.unpack("3i", who)[1] != os.getuid():
        raise ValueError("the request comes from another user")
    data, descriptors, _, _ = socket.recv_fds(connection, MAX_REQUEST_BYTES, 2)
    try:
        arguments, folder = _words(connection, data)
        if len(descriptors) != 2:
            raise ValueError("the request lacks the client's output and error")
    except (OSError, ValueError):
        for descriptor in descriptors:
            os.close(descriptor)
        raise
    return arguments, folder, descriptors


def _words(connection: socket.socket, data: bytes) -> tuple[list[str], str]:
    """Read the rest of a request that begins with `data`; return its arguments and folder."""
    while b"\n" not in data and len(data) < 20:
        data += _more(connection)
    head, _, content = data.partition(b"\n")
    length = int(head)
    if not 0 < length <= MAX_REQUEST_BYTES:
        raise ValueError(f"the request has an invalid length: {length}")
    while len(content) < length:
        content += _more(connection)
    folder, *arguments = content.decode().split("\0")
    return arguments, folder


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(MAX_REQUEST_BYTES)
    if not data:
        raise ValueError("the request is incomplete")
    return data


def child(main: Main, arguments: list[str], folder: str, descriptors: list[int]) -> NoReturn:
    """Run one job and exit."""
    code = 1
    gc.disable()  # a job leaves little garbage, and collecting it would copy shared pages
    try:
        exit_with_parent()
        for target, descriptor in zip((1, 2), descriptors, strict=True):
            os.dup2(descriptor, target)
        os.chdir(folder)
        main(arguments)
        code = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def shut_down(listener: socket.socket) -> NoReturn:
    """Exit with all children, because the workflow has ended."""
    folder, kind = os.path.split(listener.getsockname())
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(folder, kind))
        if not set(KINDS) & set(os.listdir(folder)):  # this is the last server
            shutil.rmtree(folder)
    os.killpg(0, signal.SIGKILL)
    os._exit(0)


class Server:
    """Accepts clients, forks their jobs, reports exit codes, and kills jobs without a client."""

    def __init__(self, listener: socket.socket, main: Main) -> None:
        self.listener, self.main = listener, main
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ, self.accept)
        self.selector.register(
            sys.stdin.fileno(), selectors.EVENT_READ, lambda _: shut_down(listener)
        )
        self.children: dict[socket.socket, tuple[int, int]] = {}  # client: pid, pidfd

    def serve(self) -> NoReturn:
        """Serve until the standard input ends."""
        while True:
            for key, _ in self.selector.select():
                key.data(key.fileobj)

    def accept(self, _: object) -> None:
        """Fork a child for a new client; reject one that sends no valid request."""
        connection, _address = self.listener.accept()
        connection.settimeout(5)
        try:
            arguments, folder, descriptors = receive(connection)
        except (OSError, ValueError):
            connection.close()
            return
        pid = os.fork()
        if pid == 0:
            child(self.main, arguments, folder, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        descriptor = os.pidfd_open(pid)
        self.children[connection] = pid, descriptor
        self.selector.register(
            descriptor, selectors.EVENT_READ, lambda _: self.on_job_end(connection)
        )
        self.selector.register(connection, selectors.EVENT_READ, self.on_client_exit)

    def on_job_end(self, connection: socket.socket) -> None:
        """Send the exit code of an ended child to its client."""
        pid, descriptor = self.children.pop(connection)
        self.selector.unregister(descriptor)
        if connection in self.selector.get_map():
            self.selector.unregister(connection)
        os.close(descriptor)
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        with contextlib.suppress(OSError):
            connection.sendall(f"{code if code >= 0 else 128 - code}\n".encode())
        connection.close()

    def on_client_exit(self, connection: socket.socket) -> None:
        """Kill the job of a client that is gone: a connection is readable only then."""
        if connection in self.children:
            self.selector.unregister(connection)
            os.kill(self.children[connection][0], signal.SIGKILL)


def main() -> None:
    """Import what a kind of jobs needs, and serve a listening socket.

    The command line has the kind, whether to import now or with the first job (`now` or `then`),
    and the descriptor of the socket.
    """
    kind, when, descriptor = sys.argv[1:]
    listener = socket.socket(fileno=int(descriptor))
    if when != "now" and sys.stdin in select.select([listener, sys.stdin], [], [])[0]:
        shut_down(listener)
    run = KINDS[kind]()
    gc.collect()
    gc.freeze()  # children share these objects instead of copying them
    Server(listener, run).serve()


if __name__ == "__main__":
    main()
