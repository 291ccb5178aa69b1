"""A fork server with modules imported but never used: each job is a forked child.

For training that is TensorFlow, for what shows results MLflow and matplotlib. It serves until its
standard input ends, which happens when the workflow that started it is gone, and takes its children
with it. The socket listens before the imports, so early clients just wait.
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

from netsurgery.processes.client import JOBS, SHOWING, TRAINING
from netsurgery.processes.process_exit import exit_with_parent
from netsurgery.processes.tensorflow_imports import without_optional_packages

LONGEST_REQUEST = 1 << 20
Main = Callable[[list[str]], None]


def training() -> Main:
    """What runs a training step."""
    from netsurgery.storage import provenance

    with without_optional_packages():
        from netsurgery.jobs import train
        from netsurgery.training import warm_up_tensorflow

    warm_up_tensorflow()
    provenance.code()  # asked of git once, not in every child
    return train.main


def jobs() -> Main:
    """What runs a job that neither trains nor shows anything: one that the training waits for."""
    from netsurgery.jobs import __main__

    return __main__.main


def showing() -> Main:
    """What runs a job that draws, or tells MLflow."""
    from netsurgery import plots  # noqa: F401 - so that children need not import it
    from netsurgery.tracking import sync

    sync.preload()
    return jobs()


KINDS = {TRAINING: training, JOBS: jobs, SHOWING: showing}


def receive(connection: socket.socket) -> tuple[list[str], str, list[int]]:
    """A request: arguments, working folder, and the client's standard output and error.

    Raises:
        ValueError: what came is no request, or comes from another user.
    """
    who = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    if struct.unpack("3i", who)[1] != os.getuid():
        raise ValueError("another user")
    data, descriptors, _, _ = socket.recv_fds(connection, LONGEST_REQUEST, 2)
    try:
        arguments, folder = _words(connection, data)
        if len(descriptors) != 2:
            raise ValueError("no request")
    except (OSError, ValueError):
        for descriptor in descriptors:
            os.close(descriptor)
        raise
    return arguments, folder, descriptors


def _words(connection: socket.socket, data: bytes) -> tuple[list[str], str]:
    """Arguments and folder of a request that begins with `data`."""
    while b"\n" not in data and len(data) < 20:
        data += _more(connection)
    head, _, content = data.partition(b"\n")
    length = int(head)
    if not 0 < length <= LONGEST_REQUEST:
        raise ValueError("no request")
    while len(content) < length:
        content += _more(connection)
    folder, *arguments = content.decode().split("\0")
    return arguments, folder


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(LONGEST_REQUEST)
    if not data:
        raise ValueError("incomplete request")
    return data


def child(main: Main, arguments: list[str], folder: str, descriptors: list[int]) -> NoReturn:
    """Run one job and end the process."""
    code = 1
    gc.disable()  # a job leaves little behind, and looking for it would copy shared pages
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


def end(listener: socket.socket) -> NoReturn:
    """The workflow is gone: take all children along."""
    folder, kind = os.path.split(listener.getsockname())
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(folder, kind))
        if not set(KINDS) & set(os.listdir(folder)):  # the others are gone, too
            shutil.rmtree(folder)
    os.killpg(0, signal.SIGKILL)
    os._exit(0)


class Server:
    """Accepts clients, forks their jobs, reports exit codes, kills what lost its client."""

    def __init__(self, listener: socket.socket, main: Main) -> None:
        self.listener, self.main = listener, main
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ, self.accept)
        self.selector.register(sys.stdin.fileno(), selectors.EVENT_READ, lambda _: end(listener))
        self.children: dict[socket.socket, tuple[int, int]] = {}  # client: pid, pidfd

    def serve(self) -> NoReturn:
        """Serve until standard input ends."""
        while True:
            for key, _ in self.selector.select():
                key.data(key.fileobj)

    def accept(self, _: object) -> None:
        """Fork a child for a new client; one that sends no request is turned away."""
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
        watch = os.pidfd_open(pid)
        self.children[connection] = pid, watch
        self.selector.register(watch, selectors.EVENT_READ, lambda _: self.finished(connection))
        self.selector.register(connection, selectors.EVENT_READ, self.abandoned)

    def finished(self, connection: socket.socket) -> None:
        """A child ended: tell its client how."""
        pid, watch = self.children.pop(connection)
        self.selector.unregister(watch)
        if connection in self.selector.get_map():
            self.selector.unregister(connection)
        os.close(watch)
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        with contextlib.suppress(OSError):
            connection.sendall(f"{code if code >= 0 else 128 - code}\n".encode())
        connection.close()

    def abandoned(self, connection: socket.socket) -> None:
        """A client is gone (it never speaks twice): so is its job."""
        if connection in self.children:
            self.selector.unregister(connection)
            os.kill(self.children[connection][0], signal.SIGKILL)


def main() -> None:
    """Import what jobs of a kind need and serve a listening socket.

    The command line gives the kind, whether to import now or when a first job comes (then), and
    the socket's descriptor.
    """
    kind, when, descriptor = sys.argv[1:]
    listener = socket.socket(fileno=int(descriptor))
    if when != "now" and sys.stdin in select.select([listener, sys.stdin], [], [])[0]:
        end(listener)
    run = KINDS[kind]()
    gc.collect()
    gc.freeze()  # children share these objects instead of copying them
    Server(listener, run).serve()


if __name__ == "__main__":
    main()
