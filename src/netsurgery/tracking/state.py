"""The tracking state of a results folder: its identity, what to log, and what is still pending.

    <results>/_tracking/
        identity                    distinguishes its searches from those of other folders
        pending.json                what a store could not be reached for, and why
        <search>.seed<seed>.json    the last request to log a search, so that it can be repeated
        lock                        held by the one writer

Records are the truth. All of this may be lost. The searches are then logged again, and to the same
runs, because a store has the identity, too (see `netsurgery.tracking.identity`).
"""

from __future__ import annotations

import contextlib
import fcntl
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from netsurgery.storage.files import (
    check_free_space,
    is_writable,
    read_json,
    write_json,
    write_text,
)

FINAL = "final"
IDENTITY = re.compile("[0-9a-f]{32}")
RETRY_AFTER = 60.0  # seconds until one run of the workflow tries an unreachable store again


class TrackingState:
    """The tracking state of a results folder."""

    def __init__(self, results: Path) -> None:
        self.folder = results / "_tracking"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One writer at a time: two processes that set up a new store at once would break it.

        The results of somebody else, which this process may only read, can be logged elsewhere.
        """
        lock = self.folder / "lock"
        is_ours = is_writable(lock)
        if is_ours:
            self.folder.mkdir(parents=True, exist_ok=True)
            check_free_space(lock)
        with lock.open("w" if is_ours else "r") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @property
    def identity(self) -> str | None:
        """A unique name of the results folder; None if none is known yet, or any more."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            text = (self.folder / "identity").read_text(encoding="utf-8").strip()
            if IDENTITY.fullmatch(text):
                return text
        return next(filter(None, (each.get("results") for each in self.requests())), None)

    def set_identity(self, known: str | None) -> str:
        """Give the results folder its identity, a new one if none is known; needs the lock."""
        identity = known or uuid.uuid4().hex
        write_text(self.folder / "identity", f"{identity}\n")
        return identity

    def save_request(self, search: str, seed: int, request: dict[str, Any]) -> None:
        """Save what to log of a search, with the identity, which may be lost otherwise."""
        write_json(self.folder / f"{search}.seed{seed}.json", request | {"results": self.identity})

    def requests(self) -> list[dict[str, Any]]:
        """The last request of each search and seed; without those that are damaged."""
        found = []
        for path in sorted(self.folder.glob("*.seed*.json")):
            with contextlib.suppress(OSError, ValueError):
                found.append(read_json(path))
        return found

    def _read(self) -> dict[str, Any]:
        empty: dict[str, Any] = {"failures": {}, "new_stores": 0, "pending": {}, "outage": None}
        try:
            return empty | read_json(self.folder / "pending.json")
        except (OSError, ValueError):
            return empty

    def _write(self, state: dict[str, Any]) -> None:
        write_json(self.folder / "pending.json", state)

    def revision(self, name: str) -> int:
        """A number that changes when a search must be logged again after a loss or a failure."""
        state = self._read()
        return state["failures"].get(name, 0) + state["new_stores"]

    def mark_failed(self, name: str, until: str, reason: str, attempt: str | None) -> None:
        """Queue a search that could not be logged.

        Args:
            name: of the search and its seed.
            until: the last generation to log, or "final".
            reason: why it failed, in one line.
            attempt: which workflow tried which store; None if it did not try, see `outage`.
        """
        state = self._read()
        if until == FINAL:  # a generation is logged with those that follow it
            state["failures"][name] = state["failures"].get(name, 0) + 1
        state["pending"][name] = {"until": until, "reason": reason}
        if attempt:
            state["outage"] = {"attempt": attempt, "time": time.time(), "reason": reason}
        self._write(state)

    def mark_synced(self, name: str) -> None:
        """Take a search that was logged off the queue."""
        state = self._read()
        if state["pending"].pop(name, None) is not None or state["outage"]:
            self._write(state | {"outage": None})

    def mark_new_store(self) -> None:
        """Record that a new store replaces the previous one."""
        state = self._read()
        self._write(state | {"new_stores": state["new_stores"] + 1})

    def outage(self, attempt: str) -> str | None:
        """Why not to try a store now: this workflow could not reach it a moment ago."""
        last = self._read()["outage"]
        if not last or last["attempt"] != attempt or time.time() - last["time"] > RETRY_AFTER:
            return None
        return last["reason"]

    def pending(self) -> dict[str, dict[str, str]]:
        """The searches that are still to be logged: until which generation, and why."""
        return self._read()["pending"]


def pending_message(results: Path) -> str | None:
    """One line for the user about pending searches; None if there are none."""
    pending = TrackingState(results).pending()
    if not pending:
        return None
    names = sorted(pending)
    some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    reason = pending[names[0]]["reason"]
    return f"MLflow: {reason}; the next run, or `make track`, logs {some}"
