"""A fork server with TensorFlow imported but never used: each training step is a forked child.

It serves until its standard input ends, which happens when the workflow that started it is gone,
and takes its children with it. The socket listens before the imports, so early clients just wait.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from typing import NoReturn

from netsurgery.trainer.lifeline import die_with_parent

LONGEST_REQUEST = 1 << 20


def receive(connection: socket.socket) -> tuple[list[str], str, list[int]]:
    """A request: arguments, working folder, and the client's standard output and error.

    Raises:
        ValueError: what came is no request.
    """
    data, descriptors, _, _ = socket.recv_fds(connection, LONGEST_REQUEST, 2)
    while not data.endswith(b"\n"):
        more = connection.recv(LONGEST_REQUEST)
        if not more or len(data) > LONGEST_REQUEST:
            raise ValueError("incomplete request")
        data += more
    request = json.loads(data)
    return request["arguments"], request["folder"], descriptors


def child(arguments: list[str], folder: str, descriptors: list[int]) -> NoReturn:
    """Run one training step and end the process."""
    from netsurgery.jobs import training_steps

    code = 1
    gc.disable()  # a step leaves little behind, and looking for it would copy shared pages
    try:
        die_with_parent()
        for target, descriptor in zip((1, 2), descriptors, strict=True):
            os.dup2(descriptor, target)
        os.chdir(folder)
        training_steps.main(arguments)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


class Server:
    """Accepts clients, forks their steps, reports exit codes, kills what lost its client."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ, self.accept)
        self.selector.register(sys.stdin.fileno(), selectors.EVENT_READ, self.end)
        self.children: dict[socket.socket, tuple[int, int]] = {}  # client: pid, pidfd

    def serve(self) -> NoReturn:
        """Serve until standard input ends."""
        while True:
            for key, _ in self.selector.select():
                key.data(key.fileobj)

    def end(self, _: object) -> NoReturn:
        """The workflow is gone: take all children along."""
        with contextlib.suppress(OSError):
            path = self.listener.getsockname()
            os.unlink(path)
            os.rmdir(os.path.dirname(path))
        os.killpg(0, signal.SIGKILL)
        os._exit(0)

    def accept(self, _: object) -> None:
        """Fork a child for a new client; one that sends no request is turned away."""
        connection, _address = self.listener.accept()
        connection.settimeout(5)
        try:
            arguments, folder, descriptors = receive(connection)
        except (OSError, ValueError, KeyError, TypeError):
            connection.close()
            return
        pid = os.fork()
        if pid == 0:
            child(arguments, folder, descriptors)
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
        """A client is gone (it never speaks twice): so is its training step."""
        if connection in self.children:
            self.selector.unregister(connection)
            os.kill(self.children[connection][0], signal.SIGKILL)


def main() -> None:
    """Import TensorFlow and serve the listening socket whose descriptor the command line gives."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    from netsurgery.jobs import training_steps  # noqa: F401 - so that children need not import it

    gc.collect()
    gc.freeze()  # children share these objects instead of copying them
    Server(listener).serve()


if __name__ == "__main__":
    main()
