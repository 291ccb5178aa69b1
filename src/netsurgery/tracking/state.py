"""What a results folder knows of its tracking: who it is, what was told, what is still to be.

    <results>/_tracking/
        identity             tells this folder's searches from others of the same names in a store
        pending.json         what a store did not take, and why
        <search>.seed<seed>.json    what was last asked to be told of a search, to be told again
        lock                 held by the one writer

Records are the truth; all of this may be lost, and the searches told again.
"""

from __future__ import annotations

import contextlib
import fcntl
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from netsurgery.storage.files import check_free_space, read_json, write_json, write_text

FINAL = "final"
REST = 60.0  # seconds without trying after a store did not answer, within one run of the workflow


class TrackingState:
    """The tracking of a results folder."""

    def __init__(self, results: Path) -> None:
        self.folder = results / "_tracking"

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """One writer at a time: MLflow breaks a new store that two processes set up at once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        check_free_space(self.folder / "lock")
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @property
    def identity(self) -> str:
        """Made up when it is first asked for; to be asked for by the one writer."""
        path = self.folder / "identity"
        if not path.exists():
            write_text(path, f"{uuid.uuid4().hex}\n")
        return path.read_text(encoding="utf-8").strip()

    def keep(self, search: str, seed: int, telling: dict[str, Any]) -> None:
        """Write down what is to be told of a search."""
        write_json(self.folder / f"{search}.seed{seed}.json", telling)

    def tellings(self) -> list[dict[str, Any]]:
        """All that was ever asked to be told, by search and seed."""
        return [read_json(path) for path in sorted(self.folder.glob("*.seed*.json"))]

    def _state(self) -> dict[str, Any]:
        fresh: dict[str, Any] = {"again": {}, "stores": 0, "pending": {}, "outage": None}
        try:
            return fresh | read_json(self.folder / "pending.json")
        except (OSError, ValueError):
            return fresh

    def again(self, name: str) -> int:
        """A number that changes when a search is to be told anew: a store was lost, or failed."""
        state = self._state()
        return state["again"].get(name, 0) + state["stores"]

    def postpone(self, name: str, until: str, why: str, attempt: str | None) -> None:
        """Write down that a search could not be told.

        Args:
            name: of the search and its seed.
            until: how far it was to be told.
            why: it was not, in one line.
            attempt: which workflow tried, and which store; None: nobody did, see `outage`.
        """
        state = self._state()
        if until == FINAL:  # generations are told again with those that follow
            state["again"][name] = state["again"].get(name, 0) + 1
        state["pending"][name] = {"until": until, "why": why}
        if attempt:
            state["outage"] = {"attempt": attempt, "time": time.time(), "why": why}
        write_json(self.folder / "pending.json", state)

    def done(self, name: str) -> None:
        """Write down that a search was told."""
        state = self._state()
        if state["pending"].pop(name, None) is not None or state["outage"]:
            write_json(self.folder / "pending.json", state | {"outage": None})

    def new_store(self) -> None:
        """Write down that a new store takes the place of what was here."""
        state = self._state()
        write_json(self.folder / "pending.json", state | {"stores": state["stores"] + 1})

    def outage(self, attempt: str) -> str | None:
        """Why it is no use to ask a store just now: it did not answer this workflow before."""
        last = self._state()["outage"]
        if not last or last["attempt"] != attempt or time.time() - last["time"] > REST:
            return None
        return last["why"]

    def pending(self) -> dict[str, dict[str, str]]:
        """What is still to be told, by search: how far, and why it was not."""
        return self._state()["pending"]


def line(results: Path) -> str | None:
    """One line for the user about what is pending; None if nothing is."""
    pending = TrackingState(results).pending()
    if not pending:
        return None
    names = sorted(pending)
    some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"MLflow: {pending[names[0]]['why']}; the next run, or make track, tells it of {some}"
