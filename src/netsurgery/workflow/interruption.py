"""Ctrl-C and SIGTERM: the run stops at once and says so in one line."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from netsurgery.processes.process_exit import terminate_children
from netsurgery.workflow.messages import say

INTERRUPTED = 128 + signal.SIGINT  # exit code
STOPPED = "stopped: finished work is kept, and the same command goes on where this run stopped"
PATIENCE = 3.0  # seconds in which further signals count as the same one
LATE = 1.0  # seconds until jobs end that were just about to start
PAUSE = 0.01  # seconds until it is tried again to stop a run that is waiting for coroutines


class Interruption:
    """Stops a run when the user or the system asks for it.

    Snakemake would report every ended job as an error, with its command and its log. Its own ways
    to end are used: it removes what ended jobs have written, and cancels the jobs of a cluster.

    Args:
        silence: Keeps Snakemake from printing anything more.
        own: The processes of this run that end with it: not jobs.
    """

    def __init__(self, silence: Callable[[], object], own: Callable[[], Collection[int]]) -> None:
        self.silence = silence
        self.own = own
        self.began: float | None = None
        self.has_jobs = False
        self._is_put_off = False

    @property
    def has_begun(self) -> bool:
        """Whether the run was asked to stop."""
        return self.began is not None

    def watch(self, *, has_jobs: bool) -> None:
        """Wait for signals. Only the main thread can call this.

        Args:
            has_jobs: Whether Snakemake has begun to run jobs. Before that there is nothing to end.
        """
        self.has_jobs = has_jobs
        signal.signal(signal.SIGINT, self.stop)
        signal.signal(signal.SIGTERM, self.stop)

    def notice(self) -> None:
        """Notice signals, and leave what they do to a workflow that imports this one."""
        for each in (signal.SIGINT, signal.SIGTERM):
            if callable(handler := signal.getsignal(each)):
                signal.signal(each, partial(self._pass_on, handler))

    def _pass_on(self, handler: Callable[[int, Any], Any], received: int, frame: Any) -> None:
        self.began = time.monotonic()
        terminate_children(self.own())
        handler(received, frame)

    def stop(self, received: int, frame: Any) -> None:
        """Say that the run stops, and let Snakemake stop it.

        Raises:
            KeyboardInterrupt: Which Snakemake waits for.
        """
        is_put_off, self._is_put_off = self._is_put_off, False
        if self.began is not None and time.monotonic() - self.began < PATIENCE and not is_put_off:
            return
        if self.began is None:
            self.began = time.monotonic()
            say(f"\n{STOPPED}" if sys.stderr.isatty() else STOPPED)  # a terminal shows ^C
            if not self.has_jobs:
                os._exit(INTERRUPTED)
            self.silence()
            terminate_children(self.own())
            late = threading.Timer(LATE, lambda: terminate_children(self.own()))
            late.daemon = True
            late.start()
        if _awaits_coroutines():
            self._is_put_off = True
            threading.Timer(PAUSE, os.kill, (os.getpid(), received)).start()
            return
        raise KeyboardInterrupt


def _awaits_coroutines() -> bool:
    """Whether an event loop runs in this thread.

    It would keep what is raised in it, and raise it again when Snakemake runs its next coroutine.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
