"""A lock that lets one run at a time use a results folder, or several with one search each."""

from __future__ import annotations

import fcntl
from pathlib import Path


class ResultsNotWritableError(Exception):
    """The results folder cannot be written to; the message says why, and what to do."""


class ResultsLockedError(ResultsNotWritableError):
    """Another run has locked the results folder."""


class ResultsLock:
    """A lock on a results folder, held until the process ends; a crash leaves nothing behind.

    Args:
        results: the folder.
        shared: whether other runs that share the lock may hold it, too.

    Raises:
        ResultsLockedError: another run has locked the folder.
        ResultsNotWritableError: it cannot be created, or written to.
    """

    def __init__(self, results: Path, *, shared: bool = False) -> None:
        try:
            results.mkdir(parents=True, exist_ok=True)
            self.file = (results / ".lock").open("w")
        except OSError as error:
            raise ResultsNotWritableError(
                f"{results}: cannot be written to ({error.strerror}); choose another folder with "
                f"--config results=FOLDER"
            ) from None
        try:
            fcntl.flock(self.file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            self.file.close()
            raise ResultsLockedError(
                f"{results}: another run is writing here; wait for it to end, or choose another "
                f"folder with --config results=FOLDER"
            ) from None

    def share(self) -> None:
        """Share the lock with other runs from now on."""
        fcntl.flock(self.file, fcntl.LOCK_SH)
