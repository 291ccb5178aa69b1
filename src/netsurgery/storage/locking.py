"""One run at a time on a results folder, or several that keep to a search each."""

from __future__ import annotations

import fcntl
from pathlib import Path


class ResultsNotWritableError(Exception):
    """A folder cannot be written to; the message says why, and what to do."""


class ResultsLockedError(ResultsNotWritableError):
    """Another run holds the folder."""


class ResultsLock:
    """Held from its making until its process ends, however that ends: nothing is left to clean up.

    Args:
        results: the folder.
        shared: with others that share it.

    Raises:
        Busy: another run holds the folder.
        Refused: it cannot be made, or written to.
    """

    def __init__(self, results: Path, *, shared: bool = False) -> None:
        try:
            results.mkdir(parents=True, exist_ok=True)
            self.file = (results / ".lock").open("w")
        except OSError as error:
            raise ResultsNotWritableError(
                f"{results}: cannot be written to ({error.strerror})"
            ) from None
        try:
            fcntl.flock(self.file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            raise ResultsLockedError(
                f"{results}: another run is writing here; let it end, or choose another folder "
                f"with --config results=FOLDER"
            ) from None

    def share(self) -> None:
        """Let others in that share it."""
        fcntl.flock(self.file, fcntl.LOCK_SH)
